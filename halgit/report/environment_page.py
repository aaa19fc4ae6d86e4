"""The comparison of overlays as one self-contained HTML page: search, filters, light and dark colors.

The page loads nothing and runs only its own script; every text in it is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path

from halgit import __version__
from halgit.pipeline import Severity
from halgit.report.differences import value_text
from halgit.report.environments import (
    AccountRow,
    Cell,
    EnvironmentComparison,
    EnvironmentSummary,
    FileRow,
    SettingRow,
    summary,
)
from halgit.report.findings import finding_line
from halgit.report.tables import counted

_TEMPLATE = Path(__file__).resolve().parent / "environments.html"
_LONGEST = 300
_TINTS = 5
"""The style sheet has colors for this many values that differ from the first one."""

_NOUNS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def html(comparison: EnvironmentComparison) -> str:
    """Format the page."""
    names = comparison.names
    layers = {cell.layer for row in comparison.settings for cell in row.cells if cell}
    parts = {
        "version": escape(__version__),
        "summary": escape(summary(comparison)),
        "sources": escape(", ".join(comparison.sources)),
        "cards": "".join(map(_card, comparison.environments)),
        "file-options": _options(dict.fromkeys(row.file for row in comparison.settings)),
        "layer-options": _options(sorted(layers)),
        "overlay-boxes": "".join(_box(number, name) for number, name in enumerate(names)),
        "sections": "\n".join(_sections(comparison)),
    }
    page = _template()
    return re.sub(r"\{([a-z]+(?:-[a-z]+)*)\}", lambda match: parts.get(match[1], match[0]), page)


@cache
def _template() -> str:
    """Return the template with the digests of its style sheet and script, which are all that the page may use."""
    import base64
    import hashlib

    page = _TEMPLATE.read_text(encoding="utf-8")
    for tag in ("style", "script"):
        content = page.split(f"<{tag}>", 1)[1].split(f"</{tag}>", 1)[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        page = page.replace(f"{{{tag}-hash}}", f"sha256-{digest}")
    return page


def _options(values: Iterable[str]) -> str:
    return "".join(f'<option value="{escape(value)}">{escape(value)}</option>' for value in values)


def _box(number: int, name: str) -> str:
    return f'<label><input type="checkbox" checked data-overlay="{number}">{escape(name)}</label>'


def _card(one: EnvironmentSummary) -> str:
    counts = [
        f'<span class="{severity}">{counted(one.count(severity), noun)}</span>'
        for severity, noun in _NOUNS.items()
        if one.count(severity)
    ]
    rows = {
        "version": escape(", ".join(one.versions) or "not set"),
        "accounts": str(one.accounts),
        "files": str(one.files),
        "findings": ", ".join(counts) or '<span class="none">none</span>',
    }
    items = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows.items())
    return f'<div class="card"><h3>{escape(one.name)}</h3><dl>{items}</dl></div>'


def _sections(comparison: EnvironmentComparison) -> Iterator[str]:
    names = comparison.names
    yield _section("Settings that differ", ["Setting", *names], _setting_rows(comparison.settings, names))
    yield _section("Accounts", ["Account", *names], map(_account_row, comparison.accounts))
    if comparison.files:
        yield _section("Files that differ as a whole", ["File", *names], map(_file_row, comparison.files))
    if any(one.findings for one in comparison.environments):
        yield f"<section><h2>Findings</h2>{''.join(map(_findings, comparison.environments))}</section>"


def _section(title: str, head: Sequence[str], rows: Iterable[str]) -> str:
    body = list(rows)
    first, *names = head
    columns = "".join(f'<th scope="col" data-column="{at}">{escape(name)}</th>' for at, name in enumerate(names))
    number = sum("data-text" in row for row in body)
    return (
        f'<section data-rows><h2>{escape(title)} <span>{number}</span></h2><div class="wide"><table>'
        f'<thead><tr><th scope="col">{escape(first)}</th>{columns}</tr></thead><tbody>{"".join(body)}</tbody></table>'
        '<div class="empty" hidden>Nothing here matches the search.</div></div></section>'
    )


def _row(file: str, title: str, text: Iterable[str], layers: Iterable[str], cells: Iterable[str]) -> str:
    """Format a row; `text` is what the search looks at, in lower case."""
    words = escape(" ".join(text).lower())
    columns = "".join(cells)
    marks = escape("|".join(sorted(set(layers))))
    attributes = f'data-text="{words}" data-file="{escape(file)}" data-layers="{marks}"'
    return f'<tr {attributes}><th scope="row">{title}</th>{columns}</tr>'


# --- settings


def _setting_rows(settings: Sequence[SettingRow], names: Sequence[str]) -> Iterator[str]:
    for file, rows in groupby(settings, key=lambda row: row.file):
        yield f'<tr class="file"><th colspan="{len(names) + 1}"><code>{escape(file)}</code></th></tr>'
        yield from map(_setting_row, rows)


def _setting_row(row: SettingRow) -> str:
    values = [value_text(cell.value, _LONGEST) if cell else "" for cell in row.cells]
    groups = list(dict.fromkeys(value for value, cell in zip(values, row.cells, strict=True) if cell))
    layers = [cell.layer for cell in row.cells if cell]
    cells = [
        _setting_cell(number, cell, value, groups)
        for number, (cell, value) in enumerate(zip(row.cells, values, strict=True))
    ]
    return _row(row.file, f"<code>{_breakable(row.path)}</code>", (row.file, row.path, *values, *layers), layers, cells)


def _setting_cell(number: int, cell: Cell | None, value: str, groups: Sequence[str]) -> str:
    if cell is None:
        return f'<td data-column="{number}" class="unset">not set</td>'
    tint = min(groups.index(value), _TINTS)
    origin = escape(f"{cell.place}, by {cell.how}" if cell.how else cell.place)
    return (
        f'<td data-column="{number}" class="g{tint}" title="{origin}">'
        f"<code>{escape(value)}</code><small>{escape(_layer(cell))}</small></td>"
    )


def _layer(cell: Cell) -> str:
    return f"{cell.layer}, {cell.how}" if cell.how else cell.layer


def _breakable(path: str) -> str:
    """Escape a path and permit line breaks before its dots and brackets."""
    return escape(path).replace(".", "<wbr>.").replace("[", "<wbr>[")


# --- accounts, files, findings


def _account_row(row: AccountRow) -> str:
    cells = [
        f'<td data-column="{number}" class="{"yes" if present else "unset"}">{"yes" if present else "no"}</td>'
        for number, present in enumerate(row.is_present)
    ]
    title = f"<code>{escape(row.name)}</code> <small>{escape(row.kind)}</small>"
    return _row(row.file, title, (row.kind, row.name, row.file), (), cells)


def _file_row(row: FileRow) -> str:
    cells = []
    for number, (variant, layer) in enumerate(zip(row.variants, row.layers, strict=True)):
        if variant:
            tint = min(ord(variant) - ord("A"), _TINTS)
            cells.append(
                f'<td data-column="{number}" class="g{tint}">content {variant}<small>{escape(layer)}</small></td>'
            )
        else:
            cells.append(f'<td data-column="{number}" class="unset">no file</td>')
    layers = tuple(filter(None, row.layers))
    return _row(row.path, f"<code>{escape(row.path)}</code>", (row.path, *layers), layers, cells)


def _findings(one: EnvironmentSummary) -> str:
    if not one.findings:
        return ""
    items = "".join(
        f'<li class="{finding.severity}"><span>{escape(finding_line(finding))}</span></li>' for finding in one.findings
    )
    title = f"{escape(one.name)}: {counted(len(one.findings), 'finding')}"
    return f"<details><summary>{title}</summary><ul>{items}</ul></details>"
