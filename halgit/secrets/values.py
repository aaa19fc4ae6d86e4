"""Select a value from a secret, and put values in place of references in documents and text files.

Selection is by key, or by a dotted path in JSON or YAML, optionally decoded from base64. Errors name keys, never
values. Documents are never changed in place, and no value is opened except to escape it for JSON or JavaScript.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from halgit import references
from halgit import yaml as hyaml
from halgit.annotations import TypeAlias
from halgit.errors import CorruptError, NotFoundError
from halgit.lazy import lazy_pattern
from halgit.parameters import escaping
from halgit.pipeline import MISSING, File, Path, Reference, Value
from halgit.record import replace
from halgit.redaction import Secret, SecretText, join_parts
from halgit.references import Occurrence, describe_reference, unescape
from halgit.remotes.engine import SecretData

_NAME = lazy_pattern(r"[\w./-]{1,100}")


def select_value(content: SecretData, reference: Reference) -> Secret | None:
    """Select the value of a reference from its secret; None for a null.

    Raises NotFoundError for a missing key, CorruptError for a value that is invalid for the reference.
    """
    key = reference.get("key")
    whole: Value = content.whole if content.keys is None else dict(content.keys)
    value = _find_key(content, key, reference) if key else whole
    if value is None:
        return None
    raw = value if isinstance(value, (str, bytes)) else _text(value)
    if isinstance(raw, str) and any("\ud800" <= letter <= "\udfff" for letter in raw):
        raise CorruptError(f"{_describe(reference)} is not valid Unicode.", "Store the value as valid UTF-8.")
    if reference.get("encoding") == "base64":
        raw = _decoded(raw, key, reference)
    return Secret(raw, describe_reference(reference))


def null_error(reference: Reference) -> CorruptError:
    """Build the error for a null where a string or file is required."""
    return CorruptError(f"{_describe(reference)} is null.", "Store a value, or use the reference as the whole value.")


def decode_text(secret: Secret, reference: Reference) -> Secret:
    """The secret as a text. OpsMx's decoder put values through a shell, so its form loses line ends at the end.

    Raises Corrupt where it is no UTF-8.
    """
    if secret.is_plain:
        return secret
    try:
        text = secret.open_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise CorruptError(
            f"{_describe(reference)} is not text.", "Use encryptedFile: or secretFile() in a local-file field."
        ) from None
    if "\0" in text:
        raise CorruptError(f"{_describe(reference)} is not text: it contains a zero byte.", "Use a local-file field.")
    return Secret(text.rstrip("\r\n") if reference.dialect == "opsmx" else text, secret.name)


def _document(whole: bytes, reference: Reference) -> Value:
    read = hyaml.read(whole, "")
    if read.findings or not isinstance(read.data, dict):
        raise CorruptError(
            f"{_describe(reference)} is not a JSON or YAML mapping, so it has no key {reference.get('key')}.",
            "Omit the key to use the whole secret.",
        )
    return read.data


def _find_key(content: SecretData, key: str, reference: Reference) -> Value:
    values: Value = _document(content.whole, reference) if content.keys is None else dict(content.keys)
    if key in values:
        return values[key]
    here = values
    for step in key.split("."):
        if isinstance(here, dict) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdecimal() and len(step) < 10 and int(step) < len(here):
            here = here[int(step)]
        else:
            raise NotFoundError(
                f"{_describe(reference)} has no key {key}{_listed(content, values)}.",
                "Add the key or fix the reference.",
            )
    return here


def _listed(content: SecretData, values: Value) -> str:
    """List the keys of an engine that has keys, or of a JSON object. "Keys" of other text may be the secret itself."""
    if content.keys is None and not _is_json_object(content.whole):
        return ""
    names = sorted(name for name in map(str, values) if _NAME.fullmatch(name))
    return f" (keys: {', '.join(names[:20]) + (', ...' if len(names) > 20 else '') if names else 'none'})"


def _is_json_object(whole: bytes) -> bool:
    try:
        return isinstance(json.loads(whole), dict)
    except (ValueError, RecursionError):
        return False


def _describe(reference: Reference) -> str:
    """The secret without its key, as messages name it."""
    engine, get = reference.engine, reference.get
    if engine == "vault":
        return f"Vault secret {get('path')}"
    if engine == "k8s":
        return f"Kubernetes Secret {get('namespace') + '/' if get('namespace') else ''}{get('name')}"
    if engine in {"s3", "gcs"}:
        return f"{engine} object {get('bucket')}/{get('path')}"
    return f"{engine} secret {get('name') or get('path')}".rstrip()


def _text(value: Value) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return hyaml.to_java_string(value)


def _decoded(raw: str | bytes, key: str, reference: Reference) -> bytes:
    try:
        return base64.b64decode(b"".join((raw.encode() if isinstance(raw, str) else raw).split()), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise CorruptError(
            f"{_describe(reference)} is not base64{f' under key {key}' if key else ''}.",
            "Store the value in base64, or omit the encoding.",
        ) from None


Piece: TypeAlias = str | Secret
Change: TypeAlias = tuple[Occurrence, Piece]


def replace_references(
    file: File, changes: Sequence[Change], escapes: Iterable[Path] = (), nulls: Iterable[Path] = ()
) -> File:
    """Replace references of a file, and unescape `$${{ secret(`; the values at `nulls` become null."""
    if file.data is MISSING:
        return _replace_in_text(file, changes)
    by_path: dict[Path, list[Change]] = defaultdict(list, {path: [] for path in escapes})
    for change in changes:
        by_path[change[0].path].append(change)
    values: dict[Path, Value] = {path: _scalar(_at(file.data, path), some) for path, some in by_path.items()}
    values.update(dict.fromkeys(nulls))
    if not values:
        return file
    from halgit.merge.scalars import replace_values, with_values

    return with_values(file, replace_values(file.data, values), values)


def _at(data: Value, path: Path) -> Value:
    for step in path:
        data = data[step]
    return data


def _scalar(value: Value, changes: Sequence[Change]) -> str | Secret | SecretText:
    return join_parts(_pieces(value.parts if isinstance(value, SecretText) else (value,), changes))


def _pieces(parts: Sequence[Piece], changes: Sequence[Change]) -> list[Piece]:
    by_part: dict[int, list[Change]] = defaultdict(list)
    for change in changes:
        by_part[change[0].part].append(change)
    pieces: list[Piece] = []
    for number, part in enumerate(parts):
        if not isinstance(part, str):
            pieces.append(part)
            continue
        at = 0
        for occurrence, value in sorted(by_part[number], key=lambda change: change[0].found.start):
            pieces += [unescape(part[at : occurrence.found.start]), value]
            at = occurrence.found.end
        pieces.append(unescape(part[at:]))
    return pieces


def _replace_in_text(file: File, changes: Sequence[Change]) -> File:
    if file.body is None or (not changes and not _may_be_escaped(file.body)):
        return file
    parts: tuple[Piece, ...] = file.body.parts if isinstance(file.body, SecretText) else (file.body.decode("utf-8"),)
    if file.path.endswith((".json", ".js")):
        changes = _escape_changes(file.path, parts, changes)
    pieces = _pieces(parts, changes)
    if all(isinstance(piece, str) for piece in pieces):
        return replace(file, body="".join(map(str, pieces)).encode("utf-8"), how="merged")
    return replace(file, body=SecretText(tuple(pieces)), how="merged")


def _may_be_escaped(body: bytes | SecretText) -> bool:
    if isinstance(body, SecretText):
        return any(isinstance(part, str) and unescape(part) != part for part in body.parts)
    if b"$${{" not in body:
        return False
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return unescape(text) != text


def _escape_changes(path: str, parts: Sequence[Piece], changes: Sequence[Change]) -> list[Change]:
    """The values escaped for the strings of JSON or JavaScript they go into."""
    before = [0]
    for part in parts:
        before.append(before[-1] + (len(part) if isinstance(part, str) else 0))
    offsets = [before[change[0].part] + change[0].found.start for change in changes]
    whole = "".join(part for part in parts if isinstance(part, str))
    contexts = escaping.find_contexts(whole, sorted(offsets), javascript=path.endswith(".js"))
    return [
        (occurrence, _escaped(value, contexts[offset]))
        for (occurrence, value), offset in zip(changes, offsets, strict=True)
    ]


def _escaped(value: Piece, context: escaping.Context) -> Piece:
    text = value.open() if isinstance(value, Secret) else value
    fit = escaping.format_literal(text) if context == "code" else escaping.escape_in(text, context)
    return Secret(fit, value.name) if isinstance(value, Secret) else fit


def name_secret_file(reference: Reference, kind: str = "") -> str:
    """Return the path of a secret file in the tree; its name never tells the value.

    The digest is of the reference, so that names never collide; `kind` tells two files of one reference apart.
    """
    named = references.format_reference(reference)
    digest = hashlib.sha256(f"{named} {reference.get('encoding')}{kind}".encode()).hexdigest()[:12]
    last = reference.get("key") or reference.get("path") or reference.get("name") or "secret"
    plain = re.sub(r"[^-._A-Za-z0-9]+", "-", last.rstrip("/").rpartition("/")[2])[-60:]
    return f"files/{digest}-{plain}"


def halyard_path(hal_home: str, name: str) -> str:
    """The path of a file of the tree as Halyard sees it."""
    return f"{hal_home.rstrip('/')}/{name}"
