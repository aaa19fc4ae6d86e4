"""The files that a `kustomization.yml` names, in its order: resources first, then patches.

Reads what stands for SpinnakerService resources only: `resources`, `bases`, `components`, `patchesStrategicMerge` and
`patches` that are strategic merges. Everything else is reported; `kubectl kustomize` can build it before the import.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from halgit import yaml as hyaml
from halgit.pipeline import Value
from halgit.record import Record, field
from halgit.report.summaries import Decision

NAMES = ("kustomization.yml", "kustomization.yaml")
_BUILD = "Import the output of `kubectl kustomize` instead."
_READ = ("resources", "bases", "components", "patchesStrategicMerge", "patches", "apiVersion", "kind")


class Kustomization(Record, frozen=False):
    """The texts of resources and patches by the name of their file, and what is not imported.

    `folders` are those that were read already: each counts once, also in a cycle.
    """

    resources: dict[str, bytes] = field(default_factory=dict)
    patches: dict[str, bytes] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)


def read_kustomization(files: Mapping[str, bytes]) -> Kustomization | None:
    """Read the kustomization at the root of these files; None if there is none."""
    result = Kustomization()
    return result if _read_folder(files, "", result) else None


def _read_folder(files: Mapping[str, bytes], folder: str, result: Kustomization) -> bool:
    name = next((path for each in NAMES if (path := posixpath.join(folder, each)) in files), None)
    content = hyaml.read(files[name], name).data if name is not None else None
    if name is None or not isinstance(content, dict):
        return False
    if folder in result.folders:
        return True
    result.folders.add(folder)
    for key in ("resources", "bases", "components"):
        for one in _items(content.get(key)):
            _add_resource(files, folder, name, one, result)
    for one in _items(content.get("patchesStrategicMerge")):
        _add_patch(files, folder, name, one, result)
    for number, one in enumerate(_items(content.get("patches"))):
        _add_patch_entry(files, folder, f"{name}: patches.{number}", one, result)
    for key, value in content.items():
        if key not in _READ and value not in (None, {}, []):
            result.decisions.append(Decision(f"{name}: {key}", f"The import does not apply it. {_BUILD}"))
    return True


def _add_resource(files: Mapping[str, bytes], folder: str, name: str, one: Value, result: Kustomization) -> None:
    path = posixpath.normpath(posixpath.join(folder, str(one)))
    if path in files:
        result.resources[path] = files[path]
    elif not _read_folder(files, path, result):
        result.decisions.append(Decision(f"{name}: {one}", f"It is not a file or folder of the source. {_BUILD}"))


def _add_patch(files: Mapping[str, bytes], folder: str, name: str, one: Value, result: Kustomization) -> None:
    path = posixpath.normpath(posixpath.join(folder, str(one)))
    if isinstance(one, str) and "\n" in one:
        result.patches[f"{name.replace(': ', '-')}.yml"] = one.encode()
    elif path in files:
        result.patches[path] = files[path]
    else:
        result.decisions.append(Decision(f"{name}: {one}", f"It is not a file of the source. {_BUILD}"))


def _add_patch_entry(files: Mapping[str, bytes], folder: str, place: str, one: Value, result: Kustomization) -> None:
    found = one.get("path", one.get("patch")) if isinstance(one, dict) else None
    path = posixpath.normpath(posixpath.join(folder, str(found)))
    data = hyaml.read(files[path] if path in files else str(found).encode(), path).data
    target = one.get("target") if isinstance(one, dict) else None
    kind = target.get("kind") if isinstance(target, dict) else None
    if isinstance(data, list) and kind in (None, "SpinnakerService"):
        message = "It is a JSON patch of a SpinnakerService, which the import does not apply."
        result.decisions.append(Decision(f"{place}: {found if path in files else 'patch'}", f"{message} {_BUILD}"))
    elif not isinstance(data, list):
        _add_patch(files, folder, place, found, result)


def _items(value: Value) -> Iterator[Value]:
    return iter(value if isinstance(value, list) else ())
