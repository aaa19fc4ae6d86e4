"""The formats of a comparison of overlays: text, JSON, Markdown, and one self-contained HTML page.

To add a format, write a function from a comparison to a text and list it in `FORMATS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from halgit.pipeline import Severity
from halgit.report.differences import value_text
from halgit.report.environment_page import html
from halgit.report.environments import (
    AccountRow,
    Cell,
    EnvironmentComparison,
    EnvironmentSummary,
    as_json,
    summary,
)
from halgit.report.finding_formats import markdown_cell, markdown_code
from halgit.report.findings import Paint, plain
from halgit.report.tables import PLAIN_LAYOUT, Layout, counted, table

_NOT_SET = "-"
_LONGEST = 60


def text(comparison: EnvironmentComparison, paint: Paint = plain, layout: Layout = PLAIN_LAYOUT) -> str:
    """Format the tables of overlays, settings, accounts and files that differ, then the summary."""
    names = comparison.names
    parts = [table(["", *names], _overview(comparison.environments), layout=layout)]
    for file, rows in groupby(comparison.settings, key=lambda row: row.file):
        lines = [line for row in rows for line in _setting_lines(row.path, row.cells)]
        parts.append(paint(file, "bold") + "\n" + table(["setting", *names], lines, indent="  ", layout=layout))
    accounts = [[f"{row.kind} {row.name}", *_marks(row)] for row in _partial(comparison.accounts)]
    if accounts:
        parts.append(table(["account", *names], accounts, layout=layout))
    files = [[row.path, *(variant or _NOT_SET for variant in row.variants)] for row in comparison.files]
    if files:
        parts.append(table(["file (letters mark equal contents)", *names], files, layout=layout))
    return "\n\n".join([*parts, summary(comparison) + "."])


def _overview(environments: Sequence[EnvironmentSummary]) -> list[list[str]]:
    return [
        ["version", *(", ".join(one.versions) or _NOT_SET for one in environments)],
        ["accounts", *(str(one.accounts) for one in environments)],
        ["files", *(str(one.files) for one in environments)],
        ["findings", *(_findings(one) for one in environments)],
    ]


def _findings(one: EnvironmentSummary) -> str:
    nouns = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    parts = [counted(one.count(severity), noun) for severity, noun in nouns.items() if one.count(severity)]
    return ", ".join(parts) or "none"


def _setting_lines(path: str, cells: Sequence[Cell | None]) -> Iterator[list[str]]:
    """Yield two lines for a setting: the values, and the layers that set them."""
    yield [path, *(value_text(cell.value, _LONGEST) if cell else _NOT_SET for cell in cells)]
    yield ["", *(f"({cell.layer})" if cell else "" for cell in cells)]


def _marks(row: AccountRow) -> list[str]:
    return ["yes" if present else _NOT_SET for present in row.is_present]


def _partial(accounts: Sequence[AccountRow]) -> list[AccountRow]:
    """Return the accounts that only some overlays have."""
    return [row for row in accounts if not all(row.is_present)]


def json_text(comparison: EnvironmentComparison) -> str:
    """Format the `overlays` object."""
    return json.dumps(as_json(comparison), indent=2, ensure_ascii=False)


def markdown(comparison: EnvironmentComparison) -> str:
    """Format a heading with the summary and a table of each kind."""
    names = [markdown_cell(name) for name in comparison.names]
    lines = [f"### halgit: {summary(comparison)}"]
    lines += _markdown_table(["overlay", *names], _overview(comparison.environments))
    settings = [
        [f"{markdown_code(row.file)}<br>{markdown_code(row.path)}", *map(_markdown_value, row.cells)]
        for row in comparison.settings
    ]
    lines += _markdown_table(["setting", *names], settings)
    accounts = [[f"{markdown_cell(row.kind)} {markdown_code(row.name)}", *_marks(row)] for row in comparison.accounts]
    lines += _markdown_table(["account", *names], accounts)
    files = [[markdown_code(row.path), *(variant or _NOT_SET for variant in row.variants)] for row in comparison.files]
    lines += _markdown_table(["file (letters mark equal contents)", *names], files)
    return "\n".join(lines)


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    return ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows)]


def _markdown_value(cell: Cell | None) -> str:
    if cell is None:
        return _NOT_SET
    return f"{markdown_code(value_text(cell.value, _LONGEST))}<br>{markdown_cell(cell.layer)}"


FORMATS: Mapping[str, Callable[[EnvironmentComparison], str]] = {
    "text": text,
    "json": json_text,
    "markdown": markdown,
    "html": html,
}
