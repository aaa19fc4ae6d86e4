"""Which files of a layer are merged as YAML, and what is known of each by its path alone.

All other files (scripts, templates, kubeconfigs, local BOMs, keys) are replaced whole by the highest layer that has
them. Looks at names only.
"""

from __future__ import annotations

from halgit.merge.selection import DAEMON_FILES

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
