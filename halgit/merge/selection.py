"""What belongs in the rendered tree, and why the rest was left out.

A tree holds what Halyard reads and nothing else: the halconfig, profiles some service takes by name,
service-settings, local BOMs, files that local-file fields or `include` name. Pure: it looks at names and at the
halconfig, never at a disk.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from halgit.halyard import layout, model
from halgit.pipeline import File, Layer, Skipped, Value

DAEMON_FILES = ("halyard.yaml", "halyard-local.yaml", "halyard-local.yml")
"""A layer's own files for the daemon; they go to `--daemon-config`, never into the tree."""

_FOLDERS = frozenset({"profiles", "service-settings"})


@lru_cache(maxsize=256)
def glob(pattern: str) -> re.Pattern[str]:
    """A glob over whole POSIX paths: `*` and `?` stay in one folder, `**` crosses folders."""
    out = ""
    for part in re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", pattern):
        out += {"**/": r"(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part)
    return re.compile(out, re.DOTALL)


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether one of the globs names this path."""
    return any(glob(pattern).fullmatch(path) for pattern in patterns)


def is_candidate(path: str, include: Sequence[str] = ()) -> bool:
    """Whether a file of a layer can belong to a tree by its name alone, whatever the deployments are called."""
    parts = path.split("/")
    return (
        path == "config"
        or path in DAEMON_FILES
        or (len(parts) > 2 and parts[1] in _FOLDERS)
        or parts[0] == ".boms"
        or matches(path, include)
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """The paths that belong in the tree, sorted, and the files that do not."""

    kept: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def deployments(config: Value) -> tuple[str, ...]:
    """The names of the deployments of a halconfig."""
    listed = config.get("deploymentConfigurations") if isinstance(config, dict) else None
    items = listed if isinstance(listed, list) else ()
    return tuple(str(item["name"]) for item in items if isinstance(item, dict) and isinstance(item.get("name"), str))


def local_paths(config: Value, hal_home: str) -> frozenset[str]:
    """The paths inside the tree that local-file fields of the halconfig name (relative, or under `hal_home`)."""
    home = hal_home.rstrip("/") + "/"
    named = set()
    for _, value in model.list_local_files(config):
        if not isinstance(value, str) or value.startswith(("~", "configserver:", "encrypted")):
            continue
        path = value[len(home) :] if value.startswith(home) else value
        if not path.startswith("/"):
            named.add(posixpath.normpath(path))
    return frozenset(named)


def select(files: Mapping[str, File], layers: Sequence[Layer], config: Value, hal_home: str, daemon: bool) -> Selection:
    """Part the files of the layers into those of the tree and those left out. `daemon`: --daemon-config is given."""
    names = deployments(config)
    local = local_paths(config, hal_home)
    included = {path for layer in layers for path in layer.paths if matches(path, layer.settings.include)}
    kept: list[str] = []
    left: list[Skipped] = []
    for path in sorted(files):
        if path in local or path in included:
            kept.append(path)
        elif path in DAEMON_FILES:
            if daemon:
                kept.append(path)
            else:
                left.append(Skipped(path, "it is the daemon's own; --daemon-config writes it"))
        else:
            reason = layout.classify_file(path, names).reason
            kept.append(path) if not reason else left.append(Skipped(path, reason))
    return Selection(tuple(kept), tuple(left))


SETTINGS = frozenset({"halgit.yaml", "halgit.lock"})
"""halgit's own files; they are read elsewhere and never become files of a tree."""

_MONITORING = "spinnaker-monitoring-local.yml"


def is_merged(path: str) -> bool:
    """Whether the file at this path of a layer is merged as YAML.

    The halconfig, the daemon's own settings, service-settings, and the YAML files right in a deployment's `profiles`:
    Spring reads no folder below its configuration folder, so what lies deeper is some service's template or data.
    """
    if path == "config" or path in DAEMON_FILES:
        return True
    parts = path.split("/")
    return len(parts) == 3 and parts[1] in {"profiles", "service-settings"} and path.endswith((".yml", ".yaml"))


def is_spring(path: str) -> bool:
    """Whether Spring binds this document, so that `a.b` and `a: {b: }`, `some-key` and `someKey` are one property.

    Profiles, but the monitoring daemon's, which is no Spring service, and the Halyard daemon's own settings.
    """
    return path in DAEMON_FILES or (is_merged(path) and "/profiles/" in path and not path.endswith(f"/{_MONITORING}"))


def may_hold_several(path: str) -> bool:
    """Whether a file of this path may hold several YAML documents; `config` and service-settings hold one."""
    return is_spring(path)
