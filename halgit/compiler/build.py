"""Layers to one tree: merge, parameters, selection, the files the halconfig names. Then references and rules.

The order is the product's contract: `remove`, merge and `patches` layer by layer, then parameters, then what the
tree holds. References are only looked at once everything above is settled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from halgit.compiler.layers import Sourced, overlays, read_layers
from halgit.compiler.places import Places
from halgit.errors import FindingsError, UsageError
from halgit.operator import OperatorSettings
from halgit.overlay import opsmx, parameters, selection
from halgit.overlay.merge import merge
from halgit.tree import (
    EMPTY,
    MISSING,
    Dialect,
    File,
    Finding,
    Joined,
    Layer,
    LayerId,
    LayerSettings,
    LeftOut,
    Merged,
    RuleSettings,
    Severity,
    Snapshot,
    Value,
)
