"""Explanations of finding ids from the catalog, as text and Markdown: for `halgit rules`, `docs/rules.md` and SARIF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from halgit.catalog.entry import Entry

_FATAL = "No tree can be rendered after this finding: it cannot be waived, ignored or given another severity."
_SECTIONS = (("What Halyard does", "halyard"), ("Impact", "impact"), ("Fix", "fix"))


def text(entry: Entry) -> str:
    """One entry for a terminal."""
    parts = [f"{entry.id} ({entry.severity})", "", entry.summary]
    for title, field in _SECTIONS:
        parts += ["", f"{title}: {getattr(entry, field)}"]
    if entry.fatal:
        parts += ["", _FATAL]
    for name, content in examples(entry):
        parts += ["", f"Example ({name}):", "", *(f"    {line}".rstrip() for line in content.splitlines())]
    return "\n".join(parts)


def markdown(entry: Entry) -> str:
    """One entry for a page, without its heading."""
    parts = [f"*{entry.severity}.* {entry.summary}"]
    for title, field in _SECTIONS:
        parts += ["", f"**{title}.** {getattr(entry, field)}"]
    if entry.fatal:
        parts += ["", _FATAL]
    for name, content in examples(entry):
        parts += ["", f"**Example.** `{name}`:", "", f"```{_language(name)}", content.rstrip("\n"), "```"]
    return "\n".join(parts)


def page(entries: Sequence[Entry]) -> str:
    """The page of these entries, by subject."""
    lines = [
        "# Findings",
        "",
        f"halgit reports {len(entries)} kinds of findings. `error`: Halyard fails to load the tree, `hal deploy apply`",
        "fails, a service does not start, or halgit cannot do what a layer says. `warning`: Halyard or a service does",
        "something other than what is written. `info`: cleanup. `halgit rules ID` shows one of them, and",
        "`halgit rules --format markdown` prints this page.",
        "",
        "Waive a finding in place, with a reason: `# halgit: ignore=ID reason`, on its line or the line above.",
        "`rules.ignore` and `rules.severity` in the root `halgit.yaml` apply to the whole repository.",
    ]
    for subject, group in groupby(sorted(entries, key=lambda entry: entry.id), key=lambda entry: entry.subject):
        lines += ["", f"## {subject}"]
        for entry in group:
            lines += ["", f"### {entry.id}", "", markdown(entry)]
    return "\n".join(lines)


def examples(entry: Entry) -> Iterator[tuple[str, str]]:
    """The files of the example: path and content."""
    name = ""
    lines: list[str] = []
    for line in entry.example.splitlines(keepends=True):
        if line.startswith("# ") and _is_path(line[2:].strip()):
            if name:
                yield name, "".join(lines)
            name, lines = line[2:].strip(), []
        else:
            lines.append(line)
    if name:
        yield name, "".join(lines)


def _is_path(text: str) -> bool:
    return text == "config" or (" " not in text and bool({".", "/"} & set(text)))


def _language(name: str) -> str:
    endings = {"js": "javascript", "json": "json", "txt": "text"}
    return endings.get(name.rpartition(".")[2], "yaml")
