"""The sequence from snapshots to a tree that can be published, readable as a list. No I/O of its own.

It is handed open snapshots and secret stores, and calls one room after the other. All faults of a step are
collected; a step that cannot go on without the one before it ends the compilation there.
"""

from __future__ import annotations

from halgit.compiler.build import compile_tree
from halgit.compiler.daemon import part
from halgit.compiler.findings import check_names, refuse, settle, together
from halgit.compiler.layers import Remembering, overlays
from halgit.compiler.locator import Places, in_order

__all__ = [
    "Places",
    "Remembering",
    "check_names",
    "compile_tree",
    "in_order",
    "overlays",
    "part",
    "refuse",
    "settle",
    "together",
]
