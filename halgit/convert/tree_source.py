"""A tree in the layout of `.hal` that was converted from another format, as a source for the import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from halgit import yaml as hyaml
from halgit.pipeline import EMPTY, Path, SourceId, Value
from halgit.record import Record
from halgit.report.summaries import Decision


class ConvertedTree(Record):
    """The files of a tree, the files of each patch layer by name, and what a person must decide.

    `used` are the files of the source that the tree was converted from; the others are skipped.
    """

    files: Mapping[str, bytes]
    patches: Mapping[str, Mapping[str, bytes]] = EMPTY
    decisions: tuple[Decision, ...] = ()
    used: frozenset[str] = frozenset()


class MemorySnapshot(Record):
    """A `Snapshot` of files in memory."""

    source: SourceId
    content: Mapping[str, bytes]

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self.content)

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        return {path: self.content[path] for path in paths}

    def close(self) -> None:
        """Nothing is open."""


def wrap_deployment(body: bytes, name: str = "default") -> bytes:
    """Return the body of one deployment as a halconfig, with its comments."""
    lines = body.decode("utf-8").splitlines(keepends=True)
    indented = "".join(f"  {line}" if line.strip() else line for line in lines)
    return f"currentDeployment: {name}\ndeploymentConfigurations:\n- name: {name}\n{indented}".encode()


DEPLOYMENT: Path = ("deploymentConfigurations", 0)
"""The path of the deployment in a wrapped halconfig."""


def set_missing(config: bytes, values: Mapping[Path, Value]) -> bytes:
    """Set values of the deployment that the config does not have."""
    for path, value in values.items():
        data = hyaml.read(config, "").data
        if get(data, (*DEPLOYMENT, *path)) is None:
            config = hyaml.edit(config, (*DEPLOYMENT, *path), value)
    return config


def set_first(config: bytes, section: str, values: Mapping[str, Value]) -> bytes:
    """Set values of a section of the deployment that it does not have, before those that it has."""
    path: Path = (*DEPLOYMENT, section)
    old = get(hyaml.read(config, "").data, path) or {}
    missing = {key: value for key, value in values.items() if old.get(key) is None}
    if not missing:
        return config
    if any(key in old for key in missing) or not old:
        return hyaml.edit(config, path, {**missing, **{key: old[key] for key in old if key not in missing}})
    return hyaml.prepend_keys(config, path, missing)


def get(data: Value, path: Path) -> Value:
    """Return the value at a path; None if there is none."""
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def leaf_paths(data: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Yield every leaf with its path."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from leaf_paths(value, (*path, key))
    elif isinstance(data, list) and data:
        for number, value in enumerate(data):
            yield from leaf_paths(value, (*path, number))
    else:
        yield path, data
