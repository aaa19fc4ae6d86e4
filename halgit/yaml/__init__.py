"""YAML 1.1 exactly as Halyard's parser, SnakeYAML 1.31 with its SafeConstructor, reads it. Pure.

The only package that imports a YAML library. It reads bytes into plain data with all findings, writes data so that
Halyard reads the same data, replaces single scalars in place, and finds the position of a value on request.
"""

from halgit.yaml.editor import EditError, edit, replace_scalars
from halgit.yaml.emitter import dump
from halgit.yaml.locator import Scalar, list_scalars, locate, locate_all
from halgit.yaml.reader import ReadResult, read
from halgit.yaml.resolver import to_java_string

__all__ = [
    "EditError",
    "ReadResult",
    "Scalar",
    "dump",
    "edit",
    "list_scalars",
    "locate",
    "locate_all",
    "read",
    "replace_scalars",
    "to_java_string",
]
