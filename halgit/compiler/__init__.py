"""The sequence from snapshots to a tree that can be published. No I/O of its own.

Gets open snapshots and secret stores as arguments and calls one package after the other. All findings of a step are
collected; a step that needs the result of a failed one is skipped.
"""

from __future__ import annotations

from halgit.annotations import TYPE_CHECKING
from halgit.lazy import lazy_exports

_MODULES = {
    "compile_tree": "build",
    "split_daemon_files": "daemon",
    "is_unreadable": "consequences",
    "check_rule_names": "findings",
    "collect_findings": "findings",
    "combine_findings": "findings",
    "filter_findings": "findings",
    "find_commands": "findings",
    "is_late": "findings",
    "require_below": "findings",
    "CachingReader": "layers",
    "CachingSnapshot": "layers",
    "folders_without_layer": "layers",
    "overlays": "layers",
    "Locator": "locator",
    "sort_findings": "locator",
}

if TYPE_CHECKING:
    from halgit.compiler.build import compile_tree
    from halgit.compiler.consequences import is_unreadable
    from halgit.compiler.daemon import split_daemon_files
    from halgit.compiler.findings import (
        check_rule_names,
        collect_findings,
        combine_findings,
        filter_findings,
        find_commands,
        is_late,
        require_below,
    )
    from halgit.compiler.layers import CachingReader, CachingSnapshot, folders_without_layer, overlays
    from halgit.compiler.locator import Locator, sort_findings
else:
    __getattr__ = lazy_exports(__name__, _MODULES)

__all__ = [
    "CachingReader",
    "CachingSnapshot",
    "Locator",
    "check_rule_names",
    "collect_findings",
    "combine_findings",
    "compile_tree",
    "filter_findings",
    "find_commands",
    "folders_without_layer",
    "is_late",
    "is_unreadable",
    "overlays",
    "require_below",
    "sort_findings",
    "split_daemon_files",
]
