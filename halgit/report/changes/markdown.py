"""Differences as the comment of a pull request: a short summary, the rest folded, never longer than a forge takes."""

from __future__ import annotations

from collections.abc import Sequence

from halgit.report.changes.words import below, changed, together
from halgit.report.differences import Difference, Setting, summary
from halgit.report.formats.markdown import cell, code
from halgit.report.table import counted

LARGEST = 60_000
"""In bytes: GitHub takes 65,536 characters, and what posts the comment adds some of its own."""


def render(differences: Sequence[Difference]) -> str:
    """A heading with the summary, the services in sight, and each kind of change folded."""
    lines = [f"### halgit: {summary(differences)}"]
    room = LARGEST - len(lines[0].encode())
    cut = 0
    for one in differences:
        if not one:
            continue
        title = f"\n#### Overlay {cell(one.overlay)}" if one.overlay else ""
        for block in ([title] if title else []), *_blocks(one):
            kept, left = _fitting(block, room)
            lines += kept
            room -= sum(len(line.encode()) + 1 for line in kept)
            cut += left
    if cut:
        lines.append(f"\n{counted(cut, 'line')} did not fit and {'is' if cut == 1 else 'are'} left out here; "
                     "`halgit diff` tells all.")  # fmt: skip
    return "\n".join(lines)


def _fitting(block: Sequence[str], room: int) -> tuple[list[str], int]:
    """A folded block as far as there is room for it; its first and last lines go together."""
    if sum(len(line.encode()) + 1 for line in block) <= room:
        return list(block), 0
    if len(block) < _FRAME + 1:
        return [], 1
    head, rows, foot = block[: _FRAME - 1], block[_FRAME - 1 : -1], block[-1:]
    room -= sum(len(line.encode()) + 1 for line in (*head, *foot))
    kept = 0
    while kept < len(rows) and (room := room - len(rows[kept].encode()) - 1) >= 0:
        kept += 1
    return ([*head, *rows[:kept], *foot], len(rows) - kept) if kept else ([], len(rows))


_FRAME = 5
"""How many lines of a block are no rows: four above them, one below."""


def _blocks(one: Difference) -> list[list[str]]:
    services = [
        [effect, " ".join(code(name) for name in names), cell("; ".join(reason))]
        for (effect, reason), names in together(one.services).items()
    ]
    accounts = [
        [row.change, f"{cell(row.kind)} {code(row.name)}", "<br>".join(_told(row.settings, row.path))]
        for row in one.accounts
    ]
    settings = [[row.change, code(row.file), code(changed(row, row.path))] for row in one.settings]
    files = [[change, code(path)] for path, change in one.files]
    return [
        _block(counted(len(one.services), "service"), ["what happens", "services", "why"], services, unfolded=True),
        _block(counted(len(accounts), "account"), ["change", "account", "what"], accounts),
        _block(counted(len(settings), "setting"), ["change", "file", "setting"], settings),
        _block(counted(len(files), "file"), ["change", "file"], files),
    ]


def _block(what: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, unfolded: bool = False) -> list[str]:
    if not rows:
        return []
    mark = " open" if unfolded else ""
    return [
        "",
        f"<details{mark}><summary>{what}</summary>\n",
        f"| {' | '.join(head)} |",
        "|---" * len(head) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "\n</details>",
    ]


def _told(settings: Sequence[Setting], start: str) -> list[str]:
    return [code(changed(row, below(row.path, start))) for row in settings]
