"""Treatment of a layer's files by path: merged or replaced, part of the rendered tree or skipped.

A tree contains what Halyard reads and nothing else: the halconfig, profiles that a service takes by name,
service-settings, local BOMs, and files that local-file fields or `include` name. Pure: it looks at paths and at the
halconfig.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from halgit.halyard import layout, model
from halgit.pipeline import File, Layer, Skipped, Value
from halgit.record import Record
from halgit.text.globs import matches_any, matches_glob

DAEMON_FILES = ("halyard.yaml", "halyard-local.yaml", "halyard-local.yml")
"""A layer's files for the Halyard daemon; `--daemon-config` writes them, they are never in the tree."""

SETTINGS = frozenset({"halgit.yaml", "halgit.lock"})
"""halgit's own files, which never become files of a tree."""

_BOM = "bom"
"""The file of an OpsMx repository that sets versions and images; in the dialect halgit it is skipped."""

_FOLDERS = frozenset({"profiles", "service-settings"})
_MONITORING = "spinnaker-monitoring-local.yml"


# --- globs -----------------------------------------------------------------------------------------------------


def may_match_below(folder: str, pattern: str) -> bool:
    """Whether the glob can match a file at any depth below this folder."""
    steps = pattern.split("/")
    for number, name in enumerate(folder.split("/")):
        if number == len(steps) or steps[number].startswith("**"):
            return number < len(steps)
        if not matches_glob(steps[number], name):
            return False
    return len(steps) > folder.count("/") + 1


# --- how a file is treated -------------------------------------------------------------------------------------


def is_merged(path: str) -> bool:
    """Return whether the file at this path of a layer is merged as YAML.

    These are the halconfig, the daemon's settings, service-settings, and the YAML files directly in a deployment's
    `profiles`. Spring reads no folder below its configuration folder, so deeper files are data of some service.
    """
    if path == "config" or path in DAEMON_FILES:
        return True
    parts = path.split("/")
    return len(parts) == 3 and parts[1] in _FOLDERS and path.endswith((".yml", ".yaml"))


def is_spring(path: str) -> bool:
    """True if Spring binds this document, so that `a.b` and `a: {b: }`, `some-key` and `someKey` are one property.

    True for the daemon's settings and for profiles, except that of the monitoring daemon, which does not use Spring.
    """
    return path in DAEMON_FILES or (is_merged(path) and "/profiles/" in path and not path.endswith(f"/{_MONITORING}"))


def may_have_several_documents(path: str) -> bool:
    """Return whether the file may contain several YAML documents; `config` and service-settings contain one."""
    return is_spring(path)


def may_be_tree_file(path: str, include: Sequence[str] = ()) -> bool:
    """Return whether a file of a layer can belong to a tree by its path alone, whatever the deployments are called."""
    parts = path.split("/")
    return (
        path == "config"
        or path in DAEMON_FILES
        or (len(parts) > 2 and parts[1] in _FOLDERS)
        or parts[0] == ".boms"
        or matches_any(path, include)
    )


# --- the files of the tree -------------------------------------------------------------------------------------


class Selection(Record):
    """The paths that belong in the tree, sorted, and the files that do not."""

    kept: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def deployment_names(config: Value) -> tuple[str, ...]:
    """Return the names of the deployments of a halconfig. One without a name is called default, as in Halyard."""
    deployments = config.get("deploymentConfigurations") if isinstance(config, dict) else None
    items = deployments if isinstance(deployments, list) else ()
    names = ("default" if item.get("name") is None else item["name"] for item in items if isinstance(item, dict))
    return tuple(str(name) for name in names if isinstance(name, str))


def local_paths(config: Value, hal_home: str) -> frozenset[str]:
    """Return the paths inside the tree that local-file fields of the halconfig name (relative, or under `hal_home`)."""
    home = hal_home.rstrip("/") + "/"
    found = set()
    for _, value in model.list_local_files(config):
        if not isinstance(value, str) or value.startswith(("~", "configserver:", "encrypted")):
            continue
        path = value[len(home) :] if value.startswith(home) else value
        if not path.startswith("/"):
            found.add(posixpath.normpath(path))
    return frozenset(found)


def select_files(
    files: Mapping[str, File], layers: Sequence[Layer], config: Value, hal_home: str, with_daemon_files: bool
) -> Selection:
    """Divide the files of the layers into those of the tree and those that are skipped, with the reason."""
    named = local_paths(config, hal_home)
    named |= {path for layer in layers for path in layer.paths if matches_any(path, layer.settings.include)}
    skipped = tuple(_skipped(sorted(set(files) - named), deployment_names(config), with_daemon_files))
    reasons = {one.path for one in skipped}
    return Selection(tuple(path for path in sorted(files) if path not in reasons), skipped)


def _skipped(paths: Iterable[str], deployments: Sequence[str], with_daemon_files: bool) -> Iterator[Skipped]:
    for path in paths:
        if path not in DAEMON_FILES:
            reason = (
                "only the dialect opsmx reads it" if path == _BOM else layout.classify_file(path, deployments).reason
            )
            if reason:
                yield Skipped(path, reason)
        elif not with_daemon_files:
            yield Skipped(path, "it configures the Halyard daemon; --daemon-config writes it")
