"""The files of a tree that are made of secrets: how they are named, and where Halyard sees them. Pure."""

from __future__ import annotations

import hashlib
import re

from halgit import references
from halgit.pipeline import Reference


def file_name(reference: Reference, kind: str = "") -> str:
    """Where a secret file stands in the tree; its name never tells the value.

    The digest is of the reference, so that names never collide; `kind` tells two files of one reference apart.
    """
    named = references.canonical(reference)
    digest = hashlib.sha256(f"{named} {reference.get('encoding')}{kind}".encode()).hexdigest()[:12]
    last = reference.get("key") or reference.get("path") or reference.get("name") or "secret"
    plain = re.sub(r"[^-._A-Za-z0-9]+", "-", last.rstrip("/").rpartition("/")[2])[-60:]
    return f"files/{digest}-{plain}"


def seen_path(hal_home: str, name: str) -> str:
    """The path of a file of the tree as Halyard sees it."""
    return f"{hal_home.rstrip('/')}/{name}"
