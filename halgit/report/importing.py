"""What an import did and what a person must decide, as text and as data. Names places and keys, never a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from halgit.pipeline import Skipped
from halgit.report.table import counted, table


@dataclass(frozen=True, slots=True)
class Declared:
    """A parameter that was declared. `given` says where its value is: in the overlay, or still to be given."""

    name: str
    token: str
    secret: bool
    given: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Something a person must decide: where it stands, what it is, and the next step."""

    place: str
    what: str


@dataclass(frozen=True, slots=True)
class Account:
    """All that is to be told of one import."""

    files: tuple[str, ...] = ()
    parameters: tuple[Declared, ...] = ()
    references: int = 0
    skipped: tuple[Skipped, ...] = ()
    decisions: tuple[Decision, ...] = ()
    values_moved: tuple[tuple[str, str], ...] = ()


def importing_json(account: Account) -> dict[str, Any]:
    """The `import` object."""
    told = asdict(account)
    told["values_moved"] = [{"key": key, "to": to} for key, to in account.values_moved]
    return told


def importing_text(account: Account) -> str:
    """The report for people: counts first, then parameters, what was left out, values, decisions."""
    parts = [
        f"{counted(len(account.files), 'file')}, {counted(len(account.parameters), 'parameter')}, "
        f"{counted(account.references, 'reference')} made canonical."
    ]
    parts += _part(["parameter", "was", "value"], [[row.name, row.token, row.given] for row in account.parameters])
    parts += _part(["skipped", "reason"], [[row.path, row.reason] for row in account.skipped])
    parts += _part(["value of the old chart", "now"], [list(row) for row in account.values_moved])
    parts += _part(["to decide", ""], [[row.place, row.what] for row in account.decisions])
    return "\n\n".join(parts)


def _part(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [table(head, rows, indent="  ")] if rows else []
