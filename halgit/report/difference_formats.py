"""The formats of differences: text for people, JSON, and Markdown for the comment of a pull request.

To add a format, write a function from differences to a text and list it in `FORMATS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from halgit.report.differences import (
    SIGNS,
    Difference,
    Setting,
    as_json,
    change_text,
    relative_path,
    services_by_effect,
    summary,
)
from halgit.report.finding_formats import markdown_cell, markdown_code
from halgit.report.findings import Paint, plain
from halgit.report.tables import counted

LARGEST_COMMENT = 60_000
"""In bytes: GitHub accepts 65,536 characters, and what posts the comment adds some of its own."""

_COLORS = {"added": "green", "removed": "error", "changed": "warning"}


def text(differences: Sequence[Difference], paint: Paint = plain) -> str:
    """Format every overlay that differs, line by line, then the summary."""
    parts = []
    for one in differences:
        if one:
            title = [paint(f"overlay {one.overlay}", "bold")] if one.overlay and len(differences) > 1 else []
            parts.append("\n".join([*title, *_lines(one, paint)]))
    last = summary(differences)
    return "\n\n".join([*parts, f"{last[0].upper()}{last[1:]}."])


def _lines(one: Difference, paint: Paint) -> Iterator[str]:
    def sign(change: str) -> str:
        return paint(SIGNS[change], _COLORS[change])

    for account in one.accounts:
        yield f"{sign(account.change)} account {account.kind} {account.name} ({account.file})"
        for setting in account.settings:
            yield f"    {sign(setting.change)} {change_text(setting, relative_path(setting.path, account.path))}"
    for file in dict.fromkeys(setting.file for setting in one.settings):
        yield f"{sign('changed')} {file}"
        for setting in one.settings:
            if setting.file == file:
                yield f"    {sign(setting.change)} {change_text(setting, setting.path)}"
    for path, change in one.files:
        yield f"{sign(change)} file {path}"
    for (effect, reason), names in services_by_effect(one.services).items():
        yield f"{paint(effect, 'bold')} {', '.join(names)}: {'; '.join(reason)}"


def json_text(differences: Sequence[Difference]) -> str:
    """Format the `diff` object."""
    return json.dumps(as_json(differences), indent=2, ensure_ascii=False)


# --- Markdown: a heading with the summary, the services open, each kind of change folded


def markdown(differences: Sequence[Difference]) -> str:
    """Format the comment of a pull request, never larger than LARGEST_COMMENT."""
    lines = [f"### halgit: {summary(differences)}"]
    available = LARGEST_COMMENT - _size(lines)
    omitted = 0
    for one in filter(None, differences):
        title = f"\n#### Overlay {markdown_cell(one.overlay)}" if one.overlay else ""
        for block in ([title] if title else []), *_blocks(one):
            fitting, cut = _fit(block, available)
            lines += fitting
            available -= _size(fitting)
            omitted += cut
    if omitted:
        verb = "is" if omitted == 1 else "are"
        lines.append(f"\n{counted(omitted, 'line')} {verb} omitted here; `halgit diff` shows all of them.")
    return "\n".join(lines)


def _size(lines: Sequence[str]) -> int:
    """Return the size of lines in bytes, with their newlines."""
    return sum(len(line.encode()) + 1 for line in lines)


_FRAME = 5
"""The lines of a block that are not rows: four above them, one below."""


def _fit(block: Sequence[str], available: int) -> tuple[list[str], int]:
    """Cut the rows of a folded block to this size; returns its lines and the number of rows cut."""
    if _size(block) <= available:
        return list(block), 0
    if len(block) < _FRAME + 1:
        return [], 1
    head, rows, foot = block[: _FRAME - 1], block[_FRAME - 1 : -1], block[-1:]
    available -= _size([*head, *foot])
    count = 0
    while count < len(rows) and (available := available - _size(rows[count : count + 1])) >= 0:
        count += 1
    return ([*head, *rows[:count], *foot], len(rows) - count) if count else ([], len(rows))


def _blocks(one: Difference) -> list[list[str]]:
    services = [
        [effect, " ".join(map(markdown_code, names)), markdown_cell("; ".join(reason))]
        for (effect, reason), names in services_by_effect(one.services).items()
    ]
    accounts = [
        [row.change, f"{markdown_cell(row.kind)} {markdown_code(row.name)}", _settings(row.settings, row.path)]
        for row in one.accounts
    ]
    settings = [
        [row.change, markdown_code(row.file), markdown_code(change_text(row, row.path))] for row in one.settings
    ]
    files = [[change, markdown_code(path)] for path, change in one.files]
    return [
        _block(counted(len(one.services), "service"), ["effect", "services", "reason"], services, is_open=True),
        _block(counted(len(accounts), "account"), ["change", "account", "settings"], accounts),
        _block(counted(len(settings), "setting"), ["change", "file", "setting"], settings),
        _block(counted(len(files), "file"), ["change", "file"], files),
    ]


def _block(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, is_open: bool = False) -> list[str]:
    if not rows:
        return []
    return [
        "",
        f"<details{' open' if is_open else ''}><summary>{title}</summary>\n",
        f"| {' | '.join(head)} |",
        "|---" * len(head) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "\n</details>",
    ]


def _settings(settings: Sequence[Setting], start: str) -> str:
    return "<br>".join(markdown_code(change_text(row, relative_path(row.path, start))) for row in settings)


FORMATS: Mapping[str, Callable[[Sequence[Difference]], str]] = {"text": text, "json": json_text, "markdown": markdown}
