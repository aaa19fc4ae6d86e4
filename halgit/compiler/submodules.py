"""Submodules that are not fetched although layers or files of the tree are expected in them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from halgit.merge import selection
from halgit.merge.order import resolve_base
from halgit.pipeline import EMPTY, Finding, Layer, LayerSettings, Severity, Snapshot
from halgit.record import Record, replace

_TREE_FOLDERS = ("profiles", "service-settings")
_ACCOUNTS = "accounts"


class SkippedSubmodule(Record):
    """A submodule that is not fetched. `reason` completes "submodule PATH ..."."""

    path: str
    reason: str
    hint: str


def explain_bases(
    snapshot: Snapshot, findings: Iterable[Finding], settings: Callable[[str], LayerSettings | None]
) -> tuple[Finding, ...]:
    """Return the findings about bases; for a missing base that is in a submodule, with the submodule and its hint."""
    return tuple(_explain_base(snapshot, one, settings) for one in findings)


def _explain_base(snapshot: Snapshot, finding: Finding, settings: Callable[[str], LayerSettings | None]) -> Finding:
    if finding.rule != "merge/base-missing":
        return finding
    folder = finding.file.rpartition("/")[0]
    number, own = finding.path[-1], settings(folder)
    target = resolve_base(folder, own.bases[number]) if own and isinstance(number, int) else None
    module = _find_module(snapshot, target) if target else None
    if module is None:
        return finding
    message = f"Base {target} is in submodule {module.path}, which {module.reason}"
    return replace(finding, message=message, hint=module.hint)


def find_missing(snapshot: Snapshot, layers: Sequence[Layer], deployment: str | None) -> Iterator[Finding]:
    """Find the submodules in which files of the tree, or of dynamic accounts, are expected."""
    names = {"default", deployment or "default"}
    for module in _modules(snapshot):
        if module.path == _ACCOUNTS or any(_is_expected(layer, module.path, names) for layer in layers):
            yield _missing(module)


def find_named(snapshot: Snapshot, layers: Sequence[Layer], paths: Iterable[str]) -> Iterator[tuple[str, Finding]]:
    """Find the submodules that would contain these files of the tree, which the halconfig names; each with the file."""
    for module in _modules(snapshot):
        inside = {_below(layer.id.folder, module.path) for layer in layers} - {""}
        for path in paths:
            if any(path.startswith(f"{one}/") for one in inside):
                yield path, _missing(module)


def _missing(module: SkippedSubmodule) -> Finding:
    message = f"Files of the tree are expected in submodule {module.path}, which {module.reason}"
    return Finding("source/submodule", Severity.ERROR, message, module.hint, module.path)


def _is_expected(layer: Layer, path: str, deployments: set[str]) -> bool:
    """Whether a submodule would contain files of a tree of this layer, by their names or by `include`."""
    inside = _below(layer.id.folder, path)
    if not inside:
        return False
    included = any(selection.may_match_below(inside, pattern) for pattern in layer.settings.include)
    return included or _may_hold_tree_files(inside, deployments)


def _below(folder: str, path: str) -> str:
    """Return the path relative to a layer's folder; empty if it is not below the folder."""
    start = f"{folder}/" if folder else ""
    return path.removeprefix(start) if path.startswith(start) else ""


def _may_hold_tree_files(path: str, deployments: set[str]) -> bool:
    """Return whether a submodule at this path of a layer would contain files of a tree."""
    parts = path.split("/")
    if len(parts) == 1:
        return path in deployments or path == ".boms"
    return (parts[1] in _TREE_FOLDERS and parts[0] != "overlays") or selection.may_be_tree_file(f"{path}/x")


def hint_at(snapshot: Snapshot, path: str = "") -> str:
    """Return what to do about the submodule that contains this path, or about the only one; empty if there is none."""
    modules = _modules(snapshot)
    found = _find_module(snapshot, path) if path else (modules[0] if len(modules) == 1 else None)
    return f"Submodule {found.path} {found.reason} {found.hint}" if found else ""


def _find_module(snapshot: Snapshot, path: str) -> SkippedSubmodule | None:
    return next((one for one in _modules(snapshot) if f"{path}/".startswith(f"{one.path}/")), None)


def _modules(snapshot: Snapshot) -> tuple[SkippedSubmodule, ...]:
    """Return the submodules that are not fetched; only git sources have some."""
    modules: Mapping[str, tuple[str, str]] = getattr(snapshot, "submodules", EMPTY)
    return tuple(SkippedSubmodule(path, reason, hint) for path, (reason, hint) in modules.items())
