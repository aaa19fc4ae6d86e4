"""YAML 1.1 exactly as Halyard's parser, SnakeYAML 1.31 with its SafeConstructor, reads it. Pure.

The only room that imports a YAML library. Reads texts into plain data with all their faults, writes data so that
Halyard reads the same, replaces single scalars in place, and finds the place of a value when it is asked for.
"""

from halgit.yaml.editor import CannotEditError, edit, splice
from halgit.yaml.emitter import dump
from halgit.yaml.locator import Scalar, locate, locate_all, scalars
from halgit.yaml.reader import Read, read
from halgit.yaml.resolver import java_text

__all__ = [
    "CannotEditError",
    "Read",
    "Scalar",
    "dump",
    "edit",
    "java_text",
    "locate",
    "locate_all",
    "read",
    "scalars",
    "splice",
]
