"""Compares the trees of several overlays side by side: settings, accounts and files that differ between them.

Settings are compared among the overlays that have the file and, inside an account, among those that have the account;
accounts and files that only some overlays have are listed as such. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from halgit.diff.comparison import Masker
from halgit.diff.leaves import Place, is_same, list_leaves
from halgit.halyard import merge_keys
from halgit.pipeline import MISSING, Compiled, File, Finding, Origin, Path, Position, Value
from halgit.record import Record
from halgit.report.environments import (
    AccountRow,
    Cell,
    EnvironmentComparison,
    EnvironmentSummary,
    FileRow,
    SettingRow,
)
from halgit.report.summaries import source_text


class Environment(Record):
    """One overlay: its tree, its findings, and the function that finds the line of an origin."""

    name: str
    compiled: Compiled
    findings: tuple[Finding, ...]
    locate: Callable[[Origin], Position]


def compare_environments(
    environments: Sequence[Environment], key: bytes, clean: Callable[[str], str]
) -> EnvironmentComparison:
    """Compare the trees of several overlays. `key` and `clean` mask secrets, as in `compare`."""
    files = sorted({path for one in environments for path in one.compiled.files})
    documents = [_Document(path, environments, Masker(key, clean)) for path in files]
    accounts = tuple(row for document in documents for row in document.accounts())
    return EnvironmentComparison(
        tuple(_summary(number, one, accounts) for number, one in enumerate(environments)),
        tuple(row for document in documents for row in document.settings()),
        accounts,
        tuple(row for path in files for row in _file_row(path, environments)),
        tuple(dict.fromkeys(source_text(source) for one in environments for source in one.compiled.sources)),
    )


def _summary(number: int, environment: Environment, accounts: Sequence[AccountRow]) -> EnvironmentSummary:
    config = environment.compiled.files.get("config")
    data = config.data if config else None
    deployments = data.get("deploymentConfigurations") if isinstance(data, dict) else None
    versions = [str(one.get("version", "")) for one in deployments or () if isinstance(one, dict)]
    return EnvironmentSummary(
        environment.name,
        tuple(filter(None, versions)),
        sum(row.is_present[number] for row in accounts),
        len(environment.compiled.files),
        environment.findings,
    )


# --- documents


class _Side(Record):
    """One document in one overlay: its leaves by path, and the paths of its accounts."""

    file: File
    environment: Environment
    leaves: Mapping[str, tuple[Place, Value]]
    accounts: Mapping[str, tuple[str, str]]


class _Document:
    """One file in all overlays, None where an overlay has no such document."""

    def __init__(self, path: str, environments: Sequence[Environment], masker: Masker) -> None:
        self._path = path
        self._masker = masker
        self._sides = [_read_side(path, one) for one in environments]

    def accounts(self) -> Iterator[AccountRow]:
        """Yield every account of the file and the overlays that have it."""
        known = {path: account for side in filter(None, self._sides) for path, account in side.accounts.items()}
        for path, (kind, name) in known.items():
            is_present = tuple(side is not None and path in side.accounts for side in self._sides)
            yield AccountRow(self._path, path, kind, name, is_present)

    def settings(self) -> Iterator[SettingRow]:
        """Yield every setting whose value differs."""
        shown = dict.fromkeys(path for side in filter(None, self._sides) for path in side.leaves)
        for path in shown:
            compared = [side for side in self._sides if side and _is_compared(path, side, self._sides)]
            values = [side.leaves[path][1] if path in side.leaves else MISSING for side in compared]
            if any(not is_same(values[0], value) for value in values[1:]):
                yield SettingRow(self._path, path, tuple(self._cell(path, side) for side in self._sides))

    def _cell(self, path: str, side: _Side | None) -> Cell | None:
        if side is None or path not in side.leaves:
            return None
        place, value = side.leaves[path]
        masked = self._masker.mask(value, place.after, self._path, side.file.data)
        if side.file.trace is None:
            return Cell(masked, side.file.winner.name, side.file.winner.file(self._path))
        origin = side.file.trace.at(place.after).origin
        line = side.environment.locate(origin).line
        location = f"{origin.file}:{line}" if line else origin.file
        origins = [side.file.trace.at((*place.after, *path)).origin for path in _scalar_paths(value)]
        layers = [_setting_layer(one, side.environment.compiled) for one in origins]
        hows = dict.fromkeys(one.how for one in origins if one.how)
        return Cell(masked, ", ".join(dict.fromkeys(layers)), location, ", ".join(hows))


def _setting_layer(origin: Origin, compiled: Compiled) -> str:
    """Return the layer that sets a value: that of its parameters (or the option or variable), else of the value."""
    layers: dict[str, None] = {}
    for name in _parameters(origin):
        parameter = compiled.parameters[name]
        layers[parameter.origin.layer.name if parameter.origin else parameter.set_by] = None
    return ", ".join(layers) or origin.layer.name


def _scalar_paths(value: Value) -> Iterator[Path]:
    """Yield the path of every scalar in a list of mappings and lists; that of the value itself if it is a scalar."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    empty = True
    for step, item in children:
        empty = False
        yield from ((step, *path) for path in _scalar_paths(item))
    if empty:
        yield ()


def _parameters(origin: Origin) -> list[str]:
    """Return the names of the parameters that an origin lists."""
    prefix = "parameter "
    return [part.removeprefix(prefix) for part in origin.how.split(", ") if part.startswith(prefix)]


def _read_side(path: str, environment: Environment) -> _Side | None:
    file = environment.compiled.files.get(path)
    if file is None or file.data is MISSING:
        return None
    leaves: dict[str, tuple[Place, Value]] = {}
    accounts: dict[str, tuple[str, str]] = {}
    for place, value in list_leaves(file.data, merge_keys.build_key_tree(path)):
        leaves[place.shown] = place, value
        whole, kind, name = place.account
        if whole:
            accounts[whole] = kind, name
    return _Side(file, environment, leaves, accounts)


def _is_compared(path: str, side: _Side, sides: Sequence[_Side | None]) -> bool:
    """Return whether a side counts for a path: inside an account, only those count that have the account."""
    places = [one.leaves[path][0] for one in sides if one and path in one.leaves]
    account = next((place.account[0] for place in places if place.account[0]), "")
    return not account or account in side.accounts


# --- whole files


def _file_row(path: str, environments: Sequence[Environment]) -> Iterator[FileRow]:
    """Yield a row for a file that only some overlays have, or whose content is not compared by setting and differs."""
    files = [one.compiled.files.get(path) for one in environments]
    contents = [None if file is None else file.body if file.data is MISSING else MISSING for file in files]
    if all(content is MISSING for content in contents) or (None not in contents and len(set(contents)) == 1):
        return
    distinct = list(dict.fromkeys(content for content in contents if content is not None))
    variants = tuple("" if content is None else chr(ord("A") + distinct.index(content) % 26) for content in contents)
    yield FileRow(path, variants, tuple(file.winner.name if file else "" for file in files))
