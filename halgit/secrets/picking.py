"""One value out of a secret that was read: by key, by a dotted path in JSON or YAML, decoded from base64. Pure.

Errors name keys, never values.
"""

from __future__ import annotations

import base64
import binascii
import json
import re

from halgit import yaml as hyaml
from halgit.errors import Corrupt, Missing
from halgit.pipeline import Reference, Value
from halgit.redaction import Secret
from halgit.references import shown
from halgit.remotes.held import Held

_NAME = re.compile(r"[\w./-]{1,100}")


def pick(held: Held, reference: Reference) -> Secret:
    """The value a reference names. Raises Missing with the keys there are, Corrupt for a value that cannot be it."""
    key = reference.get("key")
    value: Value = held.whole if held.keys is None else dict(held.keys)
    if key:
        value = _dig(value if held.keys is not None else _document(held.whole, reference), key, reference)
    raw = value if isinstance(value, (str, bytes)) else _text(value)
    if reference.get("encoding") == "base64":
        raw = _decoded(raw, key, reference)
    return Secret(raw, shown(reference))


def text_of(secret: Secret, reference: Reference) -> Secret:
    """The secret as a text. OpsMx's decoder put values through a shell, so its form loses line ends at the end.

    Raises Corrupt where it is no UTF-8.
    """
    try:
        text = secret.open_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise Corrupt(
            f"{_named(reference)} is no text.", "Use encryptedFile: or secretFile() in a field that takes a file."
        ) from None
    if "\0" in text:
        raise Corrupt(f"{_named(reference)} is no text: it holds a zero byte.", "Use a field that takes a file.")
    return Secret(text.rstrip("\r\n") if reference.dialect == "opsmx" else text, secret.name)


def _document(whole: bytes, reference: Reference) -> Value:
    read = hyaml.read(whole, "")
    if read.faults or not isinstance(read.data, dict):
        raise Corrupt(
            f"{_named(reference)} is no JSON or YAML with keys, so it has no key {reference.get('key')}.",
            "Leave the key out to take the whole secret.",
        )
    return read.data


def _dig(values: Value, key: str, reference: Reference) -> Value:
    if key in values:
        return values[key]
    here = values
    for step in key.split("."):
        if isinstance(here, dict) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        else:
            raise Missing(
                f"{_named(reference)} has no key {key} (keys: {_listed(values)}).",
                "Add the key or correct the reference.",
            )
    return here


def _listed(values: Value) -> str:
    """The keys there are; of a text that only happens to be YAML they are no names, and may be the secret."""
    names = sorted(name for name in map(str, values) if _NAME.fullmatch(name)) if isinstance(values, dict) else []
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "") if names else "none"


def _named(reference: Reference) -> str:
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
    return hyaml.java_text(value)


def _decoded(raw: str | bytes, key: str, reference: Reference) -> bytes:
    try:
        return base64.b64decode(b"".join((raw.encode() if isinstance(raw, str) else raw).split()), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Corrupt(
            f"{_named(reference)} holds no base64{f' under key {key}' if key else ''}.",
            "Store the value in base64, or leave the encoding out.",
        ) from None
