"""The grammar of every secret reference dialect: find, parse, list. Pure; reads no secret and contacts no server.

`find_references` and `explain_malformed` look at one scalar, `find_references_in_text` at a file that is not YAML,
`scan_files` at all files of a tree. A `Reference` has the same fields in every dialect, so each secret is read once.
"""

from __future__ import annotations

from halgit.references.engines import (
    ENGINES,
    SERVICE_ENGINES,
    MalformedReferenceError,
    describe_reference,
    find_ignored_parameter,
    format_address,
    format_engine_form,
    format_placeholder,
    format_reference,
    is_decrypted_by_services,
)
from halgit.references.grammar import (
    FoundReference,
    explain_malformed,
    find_references,
    find_references_in_text,
    unescape,
)
from halgit.references.scan import InvalidReference, Occurrence, ScanResult, list_occurrences, scan_files

__all__ = [
    "ENGINES",
    "SERVICE_ENGINES",
    "FoundReference",
    "InvalidReference",
    "MalformedReferenceError",
    "Occurrence",
    "ScanResult",
    "describe_reference",
    "explain_malformed",
    "find_ignored_parameter",
    "find_references",
    "find_references_in_text",
    "format_address",
    "format_engine_form",
    "format_placeholder",
    "format_reference",
    "is_decrypted_by_services",
    "list_occurrences",
    "scan_files",
    "unescape",
]
