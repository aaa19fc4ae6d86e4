"""What differs between two trees, as it is told: values masked already. And the JSON object of it.

`difference/` makes these; the formats of `report/changes` write them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from halgit.pipeline import Value
from halgit.report.table import counted

Change = Literal["added", "removed", "changed"]
Effect = Literal["starts", "stops", "restarts", "reloads"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One place that differs, values masked; None stands for a side that has none where `change` says so."""

    file: str
    path: str
    change: Change
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Account:
    """An account that came, went or changed, with what changed in it. `path` names it whole in its file."""

    file: str
    path: str
    kind: str
    name: str
    change: Change
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """A service that is reached, what happens to it, and why."""

    name: str
    effect: Effect
    reason: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs in one overlay. Empty where two trees mean the same."""

    overlay: str = ""
    accounts: tuple[Account, ...] = ()
    settings: tuple[Setting, ...] = ()
    files: tuple[tuple[str, Change], ...] = ()
    services: tuple[Service, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.accounts or self.settings or self.files)


def as_json(differences: Sequence[Difference]) -> dict[str, Any]:
    """The `diff` object: accounts, settings, files, services, each with its overlay."""

    def told(difference: Difference, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"overlay": difference.overlay, **row} for row in rows]

    found: dict[str, Any] = {"accounts": [], "settings": [], "files": [], "services": []}
    for one in differences:
        found["accounts"] += told(one, [asdict(account) for account in one.accounts])
        found["settings"] += told(one, [asdict(setting) for setting in one.settings])
        found["files"] += told(one, [{"path": path, "change": change} for path, change in one.files])
        found["services"] += told(one, [asdict(service) for service in one.services])
    return found


def summary(differences: Sequence[Difference]) -> str:
    """`1 account, 2 settings and 1 file differ; 3 services restart`, or `no difference`."""
    counts = {
        "account": sum(len(one.accounts) for one in differences),
        "setting": sum(len(one.settings) for one in differences),
        "file": sum(len(one.files) for one in differences),
    }
    parts = [counted(number, name) for name, number in counts.items() if number]
    if not parts:
        return "no difference"
    *most, last = parts
    text = f"{', '.join(most)} and {last}" if most else last
    text += " differs" if sum(counts.values()) == 1 else " differ"
    for effect in ("restarts", "starts", "stops", "reloads"):
        names = {service.name for one in differences for service in one.services if service.effect == effect}
        if names:
            text += f"; {counted(len(names), 'service')} {effect.rstrip('s') if len(names) > 1 else effect}"
    return text
