"""YAML 1.1 exactly as Halyard's parser, SnakeYAML 1.31 with its SafeConstructor, reads it. Pure.

The only package that imports a YAML library. It reads bytes into plain data with all findings, writes data so that
Halyard reads the same data, replaces single scalars in place, and finds the position of a value on request.
"""

from __future__ import annotations

from halgit.annotations import TYPE_CHECKING
from halgit.lazy import lazy_exports

_MODULES = {
    "EditError": "scalar_writer",
    "apply_change": "editor",
    "can_replace": "editor",
    "edit": "editor",
    "edit_all": "editor",
    "edit_parsed": "editor",
    "replace_in_documents": "editor",
    "replace_scalars": "editor",
    "dump": "emitter",
    "is_plain": "emitter",
    "quote_double": "emitter",
    "quote_single": "emitter",
    "Scalar": "locator",
    "list_scalars": "locator",
    "extract": "extraction",
    "list_comments": "extraction",
    "prepend_item": "extraction",
    "prepend_keys": "extraction",
    "rename_key": "extraction",
    "rewrite": "rewriting",
    "find_offset": "locator",
    "locate": "locator",
    "locate_all": "locator",
    "ReadResult": "reader",
    "read": "reader",
    "read_texts": "node_reader",
    "to_java_string": "resolver",
}

if TYPE_CHECKING:
    from halgit.yaml.editor import (
        apply_change,
        can_replace,
        edit,
        edit_all,
        edit_parsed,
        replace_in_documents,
        replace_scalars,
    )
    from halgit.yaml.emitter import dump, is_plain, quote_double, quote_single
    from halgit.yaml.extraction import extract, list_comments, prepend_item, prepend_keys, rename_key
    from halgit.yaml.locator import Scalar, find_offset, list_scalars, locate, locate_all
    from halgit.yaml.node_reader import read_texts
    from halgit.yaml.reader import ReadResult, read
    from halgit.yaml.resolver import to_java_string
    from halgit.yaml.rewriting import rewrite
    from halgit.yaml.scalar_writer import EditError
else:
    __getattr__ = lazy_exports(__name__, _MODULES)

__all__ = [
    "EditError",
    "ReadResult",
    "Scalar",
    "apply_change",
    "can_replace",
    "dump",
    "edit",
    "edit_all",
    "edit_parsed",
    "extract",
    "find_offset",
    "is_plain",
    "list_comments",
    "list_scalars",
    "locate",
    "locate_all",
    "prepend_item",
    "prepend_keys",
    "quote_double",
    "quote_single",
    "read",
    "read_texts",
    "rename_key",
    "replace_in_documents",
    "replace_scalars",
    "rewrite",
    "to_java_string",
]
