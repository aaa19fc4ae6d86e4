"""The secret engines: the parameters of their references, required parts, and one canonical form for all dialects.

A table with one row per engine, and the checks of its parts. Decides whether a reference is well-formed and how
messages name it; reads no secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from halgit.annotations import Final
from halgit.lazy import lazy_pattern
from halgit.pipeline import EMPTY, Reference, ReferenceDialect
from halgit.record import Record

SERVICE_ENGINES: Final = frozenset({"s3", "secrets-manager", "gcs", "google-secrets-manager", "noop"})
"""The engines in Halyard and in Spinnaker's Java services (kork-secrets and its cloud modules)."""

_SAFE = "/@._-~+=,"
_NO_COLON = frozenset({"vault", "s3", "gcs"})
"""Engines whose first segment must not look like a server: a colon in it must be written %3A."""

_PATHS = frozenset({"file", "s3", "gcs"})
"""Engines for which a file system or gateway may normalize the path."""

_CONTROL = lazy_pattern(r"[\x00-\x1f\x7f]")
_DNS_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_DNS_NAME = lazy_pattern(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")


class MalformedReferenceError(ValueError):
    """A malformed reference. The message is the reason."""


class EngineSyntax(Record):
    """The syntax of one engine. `letters` are the parameters of `encrypted:ENGINE!`, `places` the URI segments.

    The last of `places` takes all remaining segments. `required` and `optional` are further fields.
    """

    dialect: ReferenceDialect
    letters: Mapping[str, str]
    places: tuple[str, ...]
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    required_letters: frozenset[str] = frozenset()
    whole_file_only: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields in canonical order."""
        extra = ("mount", "namespace", "region", "version", "key", "encoding", "type")
        return self.places + tuple(name for name in extra if name in self.required | self.optional)


_VERSIONED = frozenset({"key", "version", "encoding"})

ENGINES: Final[Mapping[str, EngineSyntax]] = {
    "vault": EngineSyntax(
        "armory",
        {"e": "mount", "p": "path", "n": "path", "k": "key", "b": "encoding"},
        ("path",),
        required=frozenset({"key"}),
        optional=frozenset({"mount", "version", "encoding"}),
        required_letters=frozenset({"e"}),
    ),
    "k8s": EngineSyntax(
        "operator",
        {"n": "name", "k": "key", "ns": "namespace"},
        ("name",),
        required=frozenset({"key"}),
        optional=frozenset({"namespace", "encoding"}),
    ),
    "s3": EngineSyntax(
        "spinnaker",
        {"b": "bucket", "r": "region", "f": "path", "k": "key"},
        ("bucket", "path"),
        optional=_VERSIONED | {"region"},
        required_letters=frozenset({"r"}),
    ),
    "secrets-manager": EngineSyntax(
        "spinnaker",
        {"s": "name", "r": "region", "k": "key"},
        ("name",),
        optional=_VERSIONED | {"region"},
        required_letters=frozenset({"r"}),
        whole_file_only=True,
    ),
    "gcs": EngineSyntax("spinnaker", {"b": "bucket", "f": "path", "k": "key"}, ("bucket", "path"), optional=_VERSIONED),
    "google-secrets-manager": EngineSyntax(
        "spinnaker",
        {"p": "project", "s": "name", "k": "key", "v": "version"},
        ("project", "name"),
        optional=_VERSIONED,
        whole_file_only=True,
    ),
    "noop": EngineSyntax("spinnaker", {"v": "value"}, ("value",)),
    "env": EngineSyntax("halgit", EMPTY, ("name",), optional=frozenset({"encoding"})),
    "file": EngineSyntax("halgit", EMPTY, ("path",), optional=frozenset({"key", "encoding"})),
    "sops": EngineSyntax("halgit", EMPTY, ("path",), required=frozenset({"key"}), optional=frozenset({"type"})),
}


def parse_parameters(engine: str, pairs: list[tuple[str, str]], text: str, *, file: bool) -> Reference:
    """Parse the parameters of `encrypted:ENGINE!k:v!...`. Raises MalformedReferenceError."""
    shape = ENGINES.get(engine)
    if shape is None or not shape.letters:
        known = ", ".join(name for name, each in ENGINES.items() if each.letters)
        raise MalformedReferenceError(f"unknown engine {engine} (engines: {known})")
    unknown = [letter for letter, _ in pairs if letter not in shape.letters]
    if unknown and shape.dialect != "spinnaker":
        raise MalformedReferenceError(
            f"{engine} has no parameter {unknown[0]} (parameters: {', '.join(shape.letters)})"
        )
    parameters = dict(pairs)
    for letter in shape.required_letters - parameters.keys():
        raise MalformedReferenceError(f"the parameter {letter} ({shape.letters[letter]}) is missing")
    fields = {shape.letters[letter]: value for letter, value in parameters.items() if letter in shape.letters}
    _require_parts(engine, shape, fields)
    if engine == "vault":
        _join_vault(fields)
    if file and shape.whole_file_only and "key" in fields:
        raise MalformedReferenceError(f"encryptedFile reads the whole secret of {engine}, so k is not allowed")
    return _reference(engine, shape, fields, shape.dialect, text, file=file)


def _require_parts(engine: str, shape: EngineSyntax, fields: Mapping[str, str]) -> None:
    """Name the parameter of a required part that is missing, also where it was written behind a colon."""
    letters = {field: letter for letter, field in shape.letters.items()}
    for name in (*shape.places, *sorted(shape.required)):
        if name in fields:
            continue
        first = next((key for key, value in fields.items() if ":" in value), "")
        begin, _, rest = fields.get(first, "").partition(":")
        hint = f": write {letters[first]}:{begin}!{letters[name]}:{rest}" if first and engine == "k8s" else ""
        raise MalformedReferenceError(f"the parameter {letters[name]} ({name}) is missing{hint}")


def _join_vault(fields: dict[str, str]) -> None:
    """Join mount and path as in `vault://`, and convert Armory's base64 flag to an encoding."""
    mount = fields["mount"] = fields["mount"].strip("/")
    if "path" in fields:
        fields["path"] = f"{mount}/{fields['path'].strip('/')}"
    flag = fields.pop("encoding", "false").lower()
    if flag not in {"true", "false"}:
        raise MalformedReferenceError("expected true or false for b (whether the value is base64)")
    if flag == "true":
        fields["encoding"] = "base64"


def parse_uri(uri: str, text: str, *, file: bool) -> Reference:
    """Parse `scheme://place?options#key`. Raises MalformedReferenceError."""
    from urllib.parse import unquote

    engine, separator, rest = uri.partition("://")
    shape = ENGINES.get(engine)
    if not separator or shape is None:
        raise MalformedReferenceError(f"expected one of {', '.join(name + '://' for name in ENGINES)}")
    rest, _, key = rest.partition("#")
    rest, _, query = rest.partition("?")
    fields = _options(engine, shape, query)
    if key:
        fields["key"] = unquote(key)
    if engine == "file":
        if not rest.startswith("/"):
            raise MalformedReferenceError("file:// expects an absolute path: file:///path")
        fields["path"] = unquote(rest)
    else:
        _places(engine, shape, rest, fields)
    return _reference(engine, shape, fields, "halgit", text, file=file)


def _options(engine: str, shape: EngineSyntax, query: str) -> dict[str, str]:
    from urllib.parse import parse_qsl

    allowed = (shape.required | shape.optional) & {"version", "encoding", "region", "type"} | {"default"}
    fields: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in allowed:
            offered = ", ".join(sorted(allowed)) or "none"
            raise MalformedReferenceError(f"{engine}:// has no option {name} (options: {offered})")
        if name in fields:
            raise MalformedReferenceError(f"duplicate option {name}")
        fields[name] = value
    return fields


def _places(engine: str, shape: EngineSyntax, rest: str, fields: dict[str, str]) -> None:
    from urllib.parse import unquote

    segments = rest.rstrip("/").split("/")
    if engine == "k8s" and len(segments) == 2:
        fields["namespace"], fields["name"] = map(unquote, segments)
        return
    if ":" in segments[0] and engine in _NO_COLON:
        raise MalformedReferenceError("a server is not allowed here; only the operator sets servers")
    if len(segments) < len(shape.places):
        raise MalformedReferenceError(f"{engine}:// requires {'/'.join(shape.places)}")
    last = len(shape.places) - 1
    for number, name in enumerate(shape.places[:last]):
        fields[name] = unquote(segments[number])
    fields[shape.places[last]] = unquote("/".join(segments[last:]))


def _reference(
    engine: str, shape: EngineSyntax, fields: Mapping[str, str], dialect: ReferenceDialect, text: str, *, file: bool
) -> Reference:
    for name, value in fields.items():
        _check(engine, name, value)
    for name in shape.places + tuple(sorted(shape.required)):
        if not fields.get(name):
            hint = ": write #KEY at the end" if name == "key" else ""
            raise MalformedReferenceError(f"the {name} is missing{hint}")
    if "key" in fields and "key" not in shape.required | shape.optional:
        raise MalformedReferenceError(f"{engine} does not support keys")
    kept = tuple((name, fields[name]) for name in shape.fields if fields.get(name))
    if "default" in fields:
        kept += (("default", fields["default"]),)
    return Reference(engine, dialect, kept, text, file)


_PATTERNS: Final[Mapping[tuple[str, str], tuple[re.Pattern[str], str]]] = {
    ("k8s", "name"): (_DNS_NAME, "is not a valid name of a Kubernetes Secret"),
    ("k8s", "namespace"): (lazy_pattern(_DNS_LABEL), "is not a valid namespace"),
    ("k8s", "key"): (lazy_pattern(r"[-._A-Za-z0-9]+"), "is not a valid key of a Kubernetes Secret"),
    ("s3", "bucket"): (lazy_pattern(r"[A-Za-z0-9._-]{3,255}"), "is not a valid bucket name"),
    ("gcs", "bucket"): (lazy_pattern(r"[A-Za-z0-9._-]{3,222}"), "is not a valid bucket name"),
    ("gcs", "version"): (lazy_pattern(r"[0-9]{1,20}"), "is not a generation (an integer)"),
    ("vault", "version"): (lazy_pattern(r"[0-9]{1,9}"), "is not a version (an integer)"),
    ("env", "name"): (lazy_pattern(r"[A-Za-z_][A-Za-z0-9_]*"), "is not a valid name of a variable"),
    ("google-secrets-manager", "project"): (lazy_pattern(r"[a-z0-9:.-]+"), "is not a valid project"),
    ("google-secrets-manager", "name"): (lazy_pattern(r"[A-Za-z0-9_-]+"), "is not a valid name of a secret"),
    ("google-secrets-manager", "version"): (lazy_pattern(r"[A-Za-z0-9_-]+"), "is not a valid version"),
    ("secrets-manager", "name"): (lazy_pattern(r"[A-Za-z0-9/_+=.@:-]+"), "is not a valid name of a secret"),
    ("", "region"): (lazy_pattern(r"[a-z0-9-]{1,40}"), "is not a valid region"),
    ("sops", "type"): (lazy_pattern("int|float|bool"), "is not a type (types: int, float, bool)"),
    ("", "encoding"): (lazy_pattern("base64"), "is not a supported encoding (encodings: base64)"),
}


def _check(engine: str, name: str, value: str) -> None:
    if _CONTROL.search(value) or len(value) > 1024:
        raise MalformedReferenceError(f"the {name} contains a control character or is longer than 1024 characters")
    pattern, words = _PATTERNS.get((engine, name)) or _PATTERNS.get(("", name)) or (None, "")
    if pattern is not None and not pattern.fullmatch(value):
        raise MalformedReferenceError(f"{value} {words}")
    if engine in _PATHS and name == "path" and {".", ".."} & {*value.split("/")}:
        raise MalformedReferenceError(f"{value} contains . or .., which could escape what the operator allows")
    if engine == "vault" and name == "path":
        segments = value.split("/")
        if len(segments) < 2 or any(part in {"", ".", ".."} for part in segments):
            raise MalformedReferenceError(
                f"{value} is not a valid secret path: write mount/path without empty parts, . or .."
            )


def parse_opsmx(name: str, key: str, text: str, *, file: bool) -> Reference | None:
    """The reference `encrypted:SECRET:KEY`; None where SECRET is no DNS-1123 name, and the text no reference."""
    if len(name) > 253 or len(key) > 253 or not _DNS_NAME.fullmatch(name):
        return None
    return Reference("k8s", "opsmx", (("name", name), ("key", key)), text, file)


def format_address(reference: Reference) -> str:
    """Format what one request reads: the secret without key and encoding. Equal in every dialect."""
    from urllib.parse import quote

    shape = ENGINES[reference.engine]
    safe = _SAFE + ("" if reference.engine in _NO_COLON else ":")
    parts = [quote(reference.get(name), safe=safe) for name in shape.places]
    if reference.get("namespace"):
        parts.insert(0, reference.get("namespace"))
    options = [f"{name}={quote(reference.get(name))}" for name in ("version", "region") if reference.get(name)]
    return f"{reference.engine}://" + "/".join(parts) + ("?" + "&".join(options) if options else "")


def format_reference(reference: Reference) -> str:
    """Format a reference in halgit's dialect, which messages show and `--allow-reference` patterns match."""
    from urllib.parse import quote

    key = reference.get("key")
    return format_address(reference) + (f"#{quote(key, safe=_SAFE)}" if key else "")


def format_engine_form(reference: Reference) -> str:
    """Format a reference as `encrypted:ENGINE!k:v`, as Spinnaker, Armory or the operator read it; "" if they cannot."""
    letters = {field: letter for letter, field in ENGINES[reference.engine].letters.items()}
    fields = _engine_fields(reference)
    required = {ENGINES[reference.engine].letters[one] for one in ENGINES[reference.engine].required_letters}
    is_known = fields.keys() <= letters.keys() and required <= fields.keys()
    if not letters or not is_known or any("!" in value for value in fields.values()):
        return ""
    parts = "!".join(f"{letters[name]}:{value}" for name, value in fields.items())
    return f"encrypted{'File' if reference.file else ''}:{reference.engine}!{parts}"


def _engine_fields(reference: Reference) -> dict[str, str]:
    """Return the fields of a reference as the engine form has them."""
    fields = dict(reference.fields)
    if reference.engine == "vault":
        path = fields.pop("path", "")
        mount = fields.pop("mount", "") or path.partition("/")[0]
        is_base64 = fields.pop("encoding", "") == "base64"
        rest = {"path": path.removeprefix(f"{mount}/"), **fields, **({"encoding": "true"} if is_base64 else {})}
        return {"mount": mount, **rest}
    return fields


def describe_reference(reference: Reference) -> str:
    """Format a reference for messages: its canonical form, without the value of noop."""
    return "noop" if reference.engine == "noop" else format_reference(reference)


def is_decrypted_by_services(reference: Reference) -> bool:
    """Return whether Spinnaker's Java services (and Halyard) decrypt this form: kork's engines in kork's dialect."""
    return reference.dialect == "spinnaker" and reference.engine in SERVICE_ENGINES


def find_ignored_parameter(reference: Reference) -> str:
    """Return the first parameter that kork ignores, or ""."""
    if reference.dialect != "spinnaker":
        return ""
    letters = (segment.partition(":")[0] for segment in reference.text.split("!")[1:])
    return next((letter for letter in letters if letter and letter not in ENGINES[reference.engine].letters), "")


def format_placeholder(reference: Reference) -> str:
    """Return the placeholder value of a secret for `--secrets mask`: constant, and derived from its name alone."""
    if reference.engine == "noop":
        return "masked-noop"
    return "masked-" + re.sub(r"[^A-Za-z0-9]+", "-", format_reference(reference)).strip("-")
