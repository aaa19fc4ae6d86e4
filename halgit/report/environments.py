"""Differences between the overlays of a repository, with values masked already: their types and their JSON object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from halgit.pipeline import Finding, Severity, Value
from halgit.record import Record
from halgit.report.findings import finding_json
from halgit.report.tables import counted


class Cell(Record):
    """The masked value of a setting in one overlay, and its origin: layer, `file:line`, and how it was set."""

    value: Value
    layer: str
    place: str
    how: str = ""


class SettingRow(Record):
    """A setting that differs; a cell for each overlay, None where it is not set."""

    file: str
    path: str
    cells: tuple[Cell | None, ...]


class AccountRow(Record):
    """An account, and for each overlay whether it has the account."""

    file: str
    path: str
    kind: str
    name: str
    is_present: tuple[bool, ...]


class FileRow(Record):
    """A file that differs as a whole: for each overlay a letter for its content (empty: no file), and its layer."""

    path: str
    variants: tuple[str, ...]
    layers: tuple[str, ...]


class EnvironmentSummary(Record):
    """One overlay: versions of its deployments, number of accounts and files, findings."""

    name: str
    versions: tuple[str, ...]
    accounts: int
    files: int
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """Count the findings of a severity."""
        return Counter(finding.severity for finding in self.findings)[severity]


class EnvironmentComparison(Record):
    """Everything that differs between overlays. Cells and flags of rows are in the order of `environments`."""

    environments: tuple[EnvironmentSummary, ...]
    settings: tuple[SettingRow, ...]
    accounts: tuple[AccountRow, ...]
    files: tuple[FileRow, ...]
    sources: tuple[str, ...] = ()
    """The sources with their revisions, as text."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the overlays."""
        return tuple(one.name for one in self.environments)


def summary(comparison: EnvironmentComparison) -> str:
    """Count what differs: `3 overlays: 12 settings, 2 accounts and 1 file differ`."""
    accounts = sum(not all(row.is_present) for row in comparison.accounts)
    counts = {"setting": len(comparison.settings), "account": accounts, "file": len(comparison.files)}
    parts = [counted(number, noun) for noun, number in counts.items() if number]
    overlays = counted(len(comparison.environments), "overlay")
    if not parts:
        return f"{overlays}: no difference"
    *most, last = parts
    verb = "differs" if sum(counts.values()) == 1 else "differ"
    return f"{overlays}: {', '.join(most)}{' and ' if most else ''}{last} {verb}"


def as_json(comparison: EnvironmentComparison) -> dict[str, Any]:
    """Return the `overlays` object: overlays, settings, accounts, files."""
    names = comparison.names
    return {
        "overlays": [_environment_json(one) for one in comparison.environments],
        "settings": [
            {"file": row.file, "path": row.path, "values": dict(zip(names, map(_cell_json, row.cells), strict=True))}
            for row in comparison.settings
        ],
        "accounts": [
            {"file": row.file, "path": row.path, "kind": row.kind, "name": row.name, "overlays": _present(row, names)}
            for row in comparison.accounts
        ],
        "files": [
            {"path": row.path, "contents": dict(zip(names, row.variants, strict=True)),
             "layers": dict(zip(names, row.layers, strict=True))}
            for row in comparison.files
        ],
    }  # fmt: skip


def _environment_json(one: EnvironmentSummary) -> dict[str, Any]:
    return {
        "name": one.name,
        "versions": list(one.versions),
        "accounts": one.accounts,
        "files": one.files,
        "summary": {str(severity): one.count(severity) for severity in sorted(Severity, reverse=True)},
        "findings": [finding_json(finding) for finding in one.findings],
    }


def _cell_json(cell: Cell | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    return {"value": cell.value, "layer": cell.layer, "place": cell.place, "how": cell.how}


def _present(row: AccountRow, names: Sequence[str]) -> list[str]:
    return [name for name, present in zip(names, row.is_present, strict=True) if present]
