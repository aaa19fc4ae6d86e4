"""Secret types that hide their values, and the redactor that filters all output.

`Secret` and `SecretText` hold values that must not be printed; only `publish/` opens them. `Redactor` knows every
resolved value and removes it from any text: plain, base64, URL-encoded and escaped. No I/O.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from halgit.lazy import lazy_pattern
from halgit.record import Record

MASK = "********"

_SHORTEST = 4
"""Values shorter than this are not searched for in texts: they would blank out ordinary words."""

_SHORTEST_LOGIN = 8


class Secret:
    """A value that masks itself. `name` says where it comes from and may be shown; `open()` returns the value.

    The value is a text, or bytes where a whole file is the secret. Two secrets are equal when their values are.
    """

    __slots__ = ("_value", "name")

    def __init__(self, value: str | bytes, name: str) -> None:
        self._value = value
        self.name = name

    def open(self) -> str:
        """The value as a text; bytes that are not UTF-8 raise UnicodeDecodeError without showing them."""
        if isinstance(self._value, str):
            return self._value
        try:
            return self._value.decode("utf-8")
        except UnicodeDecodeError:
            raise UnicodeDecodeError("utf-8", b"?", 0, 1, f"secret {self.name} is not UTF-8 text") from None

    @property
    def is_plain(self) -> bool:
        """True if the value is a number or boolean, written without quotes (`pipeline.PlainScalar`)."""
        return isinstance(self._value, str) and type(self._value) is not str

    def open_bytes(self) -> bytes:
        """The value as bytes, a text encoded as UTF-8."""
        return self._value if isinstance(self._value, bytes) else self._value.encode("utf-8")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret({self.name})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled or copied out of the process")

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __copy__(self) -> Secret:
        return self


class SecretText(Record):
    """A text with secrets in it: `redis://:<secret>@host`. Shown with each secret masked."""

    parts: tuple[str | Secret, ...]

    def open(self) -> str:
        return "".join(part if isinstance(part, str) else part.open() for part in self.parts)

    def open_bytes(self) -> bytes:
        """The text as bytes, secrets that are no UTF-8 as they are."""
        return b"".join(part.encode("utf-8") if isinstance(part, str) else part.open_bytes() for part in self.parts)

    def __str__(self) -> str:
        return "".join(str(part) for part in self.parts)


def join_parts(parts: Iterable[str | Secret]) -> str | Secret | SecretText:
    """The simplest value that holds these parts: a string, one secret, or a text with secrets."""
    kept: list[str | Secret] = []
    for part in parts:
        if part == "":
            continue
        if isinstance(part, str) and kept and isinstance(kept[-1], str):
            kept[-1] += part
        else:
            kept.append(part)
    if not kept:
        return ""
    return kept[0] if len(kept) == 1 else SecretText(tuple(kept))


def opened(value: object) -> object:
    """The value itself, or the content of a secret or of a text with secrets. For `publish/` only."""
    return value.open() if isinstance(value, (Secret, SecretText)) else value


_FIXED = frozenset(
    {"rule", "ruleId", "severity", "level", "how", "state", "change", "kind", "mode", "dialect", "format", "checked"}
)
"""Keys of JSON output whose values come from a list in halgit; a password that equals one does not change them."""


class Redactor:
    """Takes known secret values out of texts. One per run; grows as secrets are resolved."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._by_start: dict[str, list[str]] = {}

    def learn(self, secret: Secret | str | bytes) -> None:
        """Remember a value, so that it and its encoded forms are masked from now on."""
        raw = secret.open_bytes() if isinstance(secret, Secret) else secret
        data = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
        for form in _forms(data):
            if len(form) >= _SHORTEST and form not in self._known:
                self._known.add(form)
                self._by_start.setdefault(form[:_SHORTEST], []).append(form)

    def learn_credential(self, login: str | bytes) -> None:
        """Remember a login of the operator's, which a server may repeat.

        Those of development servers (`root`) are words that messages need.
        """
        if len(login.strip()) >= _SHORTEST_LOGIN:
            self.learn(login)

    def clean(self, text: str) -> str:
        """The text with every known value replaced by the mask. To be called before a text is shortened."""
        if not self._known:
            return text
        pieces: list[str] = []
        at = 0
        for start, end in self._spans(text):
            pieces += (text[at:start], MASK)
            at = end
        return "".join((*pieces, text[at:]))

    def clean_data(self, value: object, key: str = "") -> object:
        """Mask the strings of JSON data one by one; keys, and values of keys with a fixed vocabulary, do not change."""
        if isinstance(value, str):
            return value if key in _FIXED else self.clean(value)
        if isinstance(value, dict):
            return {name: self.clean_data(child, name) for name, child in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.clean_data(child, key) for child in value]
        return value

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Return the positions of known values, overlapping ones merged."""
        open_: tuple[int, int] | None = None
        for start in range(len(text) - _SHORTEST + 1):
            forms = self._by_start.get(text[start : start + _SHORTEST], ())
            found = max((form for form in forms if text.startswith(form, start)), key=len, default=None)
            if found is None:
                continue
            end = start + len(found)
            if open_ is not None and start < open_[1]:
                open_ = open_[0], max(open_[1], end)
                continue
            if open_ is not None:
                yield open_
            open_ = start, end
        if open_ is not None:
            yield open_


def _forms(data: bytes) -> Iterator[str]:
    text = data.decode("utf-8", "replace")
    for plain in {text, text.strip(), *_maskable_lines(text)}:
        yield from _spellings(plain)
    for raw in {data, data.strip()}:
        yield from _base64_forms(raw)


def _maskable_lines(text: str) -> Iterator[str]:
    """The lines of a longer text that are worth masking alone; of `key: value` the value, of PEM no border."""
    lines = text.strip().splitlines()
    for line in lines if len(lines) > 1 else ():
        value = _KEY_VALUE.sub("", line).strip().strip("\"',")
        if len(value) >= 2 * _SHORTEST and not value.startswith("-----") and not value.endswith(":"):
            yield value


_KEY_VALUE = lazy_pattern(r"^[\s-]*[\"']?[\w./-]+[\"']?\s*[:=]\s")


def _spellings(plain: str) -> Iterator[str]:
    """The text as JSON, YAML, URLs, HTML and XML, GitHub's commands, Markdown tables and Python write it."""
    from urllib.parse import quote, quote_plus

    yield plain
    if plain.isascii() and plain.isalnum():  # every spelling is this one
        return
    for quoted in (
        quote(plain, safe="", errors="replace"),
        quote(plain, errors="replace"),
        quote_plus(plain, errors="replace"),
    ):
        yield quoted
        yield _ESCAPE.sub(lambda match: match.group().lower(), quoted)
    yield json.dumps(plain)[1:-1]
    yield json.dumps(plain, ensure_ascii=False)[1:-1]
    yield plain.replace("'", "''")
    escaped = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield escaped.replace('"', "&quot;").replace("'", "&#x27;")
    yield escaped
    yield escaped.replace('"', "&quot;").replace("\n", "&#10;")
    command = plain.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    yield command
    yield command.replace(":", "%3A").replace(",", "%2C")
    yield plain.replace("|", "\\|").replace("\n", " ")
    yield repr(plain)[1:-1]


_ESCAPE = lazy_pattern("%[0-9A-F]{2}")


def _base64_forms(raw: bytes) -> Iterator[str]:
    """The part of each base64 text that this value decides, at all three alignments."""
    import base64

    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode("ascii")
        body = encoded.rstrip("=")[(0, 2, 3)[shift] :]
        if (len(raw) + shift) % 3:
            body = body[:-1]
        if len(body) > _SHORTEST:
            yield body
            yield body.replace("+", "-").replace("/", "_")
