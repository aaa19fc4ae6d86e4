"""A layer's file that SOPS encrypted, with references in place of its encrypted values.

The reference names the file and the place of the value, and its type where that is no string. The `sops` mapping and
encrypted comments are dropped; lines before the mapping keep their numbers in block style.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from halgit import yaml as hyaml
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, Path, UnquotedScalar, Value
from halgit.sops.metadata import KEY, read_metadata

ENCRYPTED: Final = lazy_pattern(r"ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]")
_COMMENT: Final = lazy_pattern(r"(?m)(?:(?<=[ \t])|^)[ \t]*#ENC\[AES256_GCM,[^\]\n]*\][ \t]*$")
COMMENT: Final = "comment"
"""The type of an encrypted comment."""

_SAFE: Final = "/._-~"


def replace_values(text: bytes, file: str) -> bytes | None:
    """Return the file with references in place of its encrypted values; None if SOPS did not encrypt it.

    None also for flow style that is not JSON, which SOPS does not write. `file` names the file in references and must
    be unique among the sources of a run.
    """
    if read_metadata(text, file) is None:
        return None
    try:
        return _replace(text, file)
    except (hyaml.EditError, ValueError):
        return None


def _replace(text: bytes, file: str) -> bytes:
    places = _find_places(text, file)
    comments = _find_comment_items(text)
    if text.lstrip().startswith(b"{"):
        return _replace_in_json(text, places, comments)
    plain = _drop_comments(hyaml.replace_scalars(text, places))
    for path in reversed(comments):
        plain = hyaml.edit(plain, path, MISSING)
    return hyaml.edit(plain, (KEY,), MISSING)


def format_key(path: Path) -> str:
    """Format the path of a value as the key of its reference: an RFC 6901 pointer without its first slash."""
    return "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _find_places(text: bytes, file: str) -> Mapping[Path, UnquotedScalar]:
    """Return the reference for each encrypted value; one that the rules leave open has no value at decryption."""
    places: dict[Path, UnquotedScalar] = {}
    for scalar in hyaml.list_scalars(text):
        match = None if scalar.key or scalar.path[0] == KEY else ENCRYPTED.fullmatch(scalar.text)
        if match is not None and match.group(4) != COMMENT:
            kind = match.group(4)
            option = f"?type={kind}" if kind in ("int", "float", "bool") else ""
            address = f"sops://{quote(file, safe=_SAFE + ':')}{option}#{quote(format_key(scalar.path), safe=_SAFE)}"
            places[scalar.path] = UnquotedScalar("${{ secret('" + address + "') }}")
    return places


def _replace_in_json(text: bytes, places: Mapping[Path, str], comments: list[Path]) -> bytes:
    """Do as `replace_values` for JSON, which SOPS indents by tabs; the result is indented by spaces."""
    data: Value = json.loads(text)
    for path, value in places.items():
        data = hyaml.apply_change(data, path, str(value))
    for path in [*reversed(comments), (KEY,)]:
        data = hyaml.apply_change(data, path, MISSING)
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _find_comment_items(text: bytes) -> list[Path]:
    """Return the items of lists that are encrypted comments: SOPS makes a comment in a list an item."""
    found = ((one.path, ENCRYPTED.fullmatch(one.text)) for one in hyaml.list_scalars(text) if not one.key)
    return [path for path, match in found if match and match.group(4) == COMMENT and path[0] != KEY]


def _drop_comments(text: bytes) -> bytes:
    """Remove encrypted comments, unless what looks like one is part of a value."""
    dropped = _COMMENT.sub("", text.decode("utf-8")).encode("utf-8")
    return dropped if hyaml.read(dropped, "").data == hyaml.read(text, "").data else text
