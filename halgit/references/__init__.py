"""The grammar of every secret reference dialect: find, parse, list. Pure; it reads no secret and knows no server.

`find` and `malformed` look at one scalar, `find_in_text` at a file that is no YAML, `scan` at all files of a tree.
A `Reference` has the same fields whichever dialect it was written in, so that one secret is read once.
"""

from __future__ import annotations

from halgit.references.engines import (
    ENGINES,
    SERVICE_ENGINES,
    Malformed,
    address,
    canonical,
    ignored_parameter,
    service_decrypts,
    shown,
    stand_in,
)
from halgit.references.grammar import Found, find, find_in_text, malformed, unescape
from halgit.references.scan import Fault, Occurrence, Scan, occurrences, scan

__all__ = [
    "ENGINES",
    "SERVICE_ENGINES",
    "Fault",
    "Found",
    "Malformed",
    "Occurrence",
    "Scan",
    "address",
    "canonical",
    "find",
    "find_in_text",
    "ignored_parameter",
    "malformed",
    "occurrences",
    "scan",
    "service_decrypts",
    "shown",
    "stand_in",
    "unescape",
]
