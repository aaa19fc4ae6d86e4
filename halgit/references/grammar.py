"""References in a string, in every dialect.

Spinnaker's, Armory's and the operator's form (`encrypted:ENGINE!k:v`) is a whole value; OpsMx's
(`encrypted:SECRET:KEY`) and halgit's (`${{ secret('...') }}`) may also be part of a string. Pure, and linear in the
length of the string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from halgit.lazy import lazy_pattern
from halgit.pipeline import Reference
from halgit.record import Record
from halgit.references.engines import MalformedReferenceError, parse_opsmx, parse_parameters, parse_uri

_HEAD = lazy_pattern(r"encrypted(File)?:")
_ENGINE = lazy_pattern(r"encrypted(?:File)?:[^:!]*!")
_OPSMX = lazy_pattern(r"(?<![A-Za-z0-9])encrypted(File)?:([a-z0-9][-.a-z0-9]*):([-._A-Za-z0-9]+)")
_CALL = lazy_pattern(r"""(?<!\$)\$\{\{[ \t]*secret(File)?[ \t]*\([ \t]*(?:'([^'\n]*)'|"([^"\n]*)")[ \t]*\)[ \t]*\}\}""")
_CALL_HEAD = lazy_pattern(r"(?<!\$)\$\{\{[ \t]*secret(?:File)?[ \t]*\(")
_ESCAPED = lazy_pattern(r"\$\$\{\{(?=[ \t]*secret(?:File)?[ \t]*\()")
_IN_TEXT = lazy_pattern(
    r"""(?<![A-Za-z0-9])encrypted(?:File)?:[^\s:!"'`]+(?:![a-zA-Z0-9]+:[^\s!"'`,;<>{}\[\]()\\]+)+"""
)

_WHERE = (
    "Write encrypted:ENGINE!k:v, encrypted:SECRET:KEY or ${{ secret('vault://mount/path#key') }}; "
    "a value that is not a reference must not begin with encrypted:."
)
_QUOTES = "write ${{ secret('engine://place#key') }}, with single quotes"


class FoundReference(Record):
    """A reference at `start` to `end` of a string; `whole` if it is all of the string."""

    start: int
    end: int
    reference: Reference
    whole: bool


def find_references(text: str) -> list[FoundReference]:
    """Find the well-formed references of a scalar, in order. `explain_malformed` reports the others."""
    if "encrypted" not in text and "${{" not in text:
        return []
    start = len(text) - len(text.lstrip())
    if _ENGINE.match(text, start):
        end = len(text.rstrip())
        try:
            return [FoundReference(start, end, _engine_form(text[start:end]), end - start == len(text))]
        except MalformedReferenceError:
            return []
    return sorted(_inside(text), key=lambda found: found.start)


def find_references_in_text(text: str) -> list[FoundReference]:
    """Find the references in a file that is not YAML, in order, never `whole`.

    The engine form ends at a space, quote, comma or bracket. Comment lines (`#`, `//`) are ignored.
    """
    if "encrypted" not in text and "${{" not in text:
        return []
    found = list(_inside(text))
    for match in _IN_TEXT.finditer(text):
        try:
            found.append(FoundReference(*match.span(), _engine_form(match.group()), False))
        except MalformedReferenceError:
            continue
    kept = (FoundReference(f.start, f.end, f.reference, False) for f in found if not _is_comment(text, f.start))
    return sorted(kept, key=lambda each: each.start)


def explain_malformed(text: str) -> str | None:
    """Return why a reference in a scalar is malformed, or None."""
    if "encrypted" not in text and "${{" not in text:
        return None
    start = len(text) - len(text.lstrip())
    if _ENGINE.match(text, start):
        try:
            _engine_form(text.strip())
        except MalformedReferenceError as reason:
            return f"the reference is malformed: {reason}."
        return None
    if _HEAD.match(text, start) and not any(found.start == start for found in _inside(text)):
        return f"the reference is malformed: unknown form. {_WHERE}"
    return next((reason for _, reason in _list_malformed_calls(text)), None)


def list_malformed_in_text(text: str) -> list[tuple[int, str]]:
    """List the malformed references of a file that is not YAML: start index and reason."""
    malformed = list(_list_malformed_calls(text)) if "${{" in text else []
    for match in _IN_TEXT.finditer(text) if "encrypted" in text else ():
        try:
            _engine_form(match.group())
        except MalformedReferenceError as reason:
            malformed.append((match.start(), f"the reference is malformed: {reason}."))
    return [(at, reason) for at, reason in sorted(malformed) if not _is_comment(text, at)]


def is_misplaced(text: str) -> bool:
    """Return whether a scalar contains an engine form beside other text, where nothing decrypts it."""
    if "encrypted" not in text or _ENGINE.match(text.lstrip()):
        return False
    return _IN_TEXT.search(text) is not None


def is_engine_form(text: str) -> bool:
    """Return whether a string begins with `encrypted:ENGINE!`, well-formed or not."""
    return bool(_ENGINE.match(text.lstrip()))


def has_escape(text: str) -> bool:
    """Return whether a string contains an escaped `$${{ secret(`."""
    return "$${{" in text and bool(_ESCAPED.search(text))


def unescape(text: str) -> str:
    """Replace `$${{ secret(` with `${{ secret(`. Call this after references are replaced."""
    return _ESCAPED.sub("${{", text) if "$${{" in text else text


def _engine_form(text: str) -> Reference:
    head, *segments = text.split("!")
    file, _, engine = head.partition(":")
    while segments and not segments[-1]:
        segments.pop()
    if engine == "noop" and (len(segments) != 1 or not segments[0].startswith("v:")):
        raise MalformedReferenceError("noop accepts only v:VALUE, and the value must not contain !")
    pairs = []
    for segment in segments:
        letter, separator, value = segment.partition(":")
        if not separator or not (letter.isascii() and letter.isalnum()):
            raise MalformedReferenceError(f"{segment or 'an empty part'} is not NAME:VALUE")
        if not value:
            raise MalformedReferenceError(f"the parameter {letter} has no value")
        pairs.append((letter, value))
    if not engine or not pairs:
        raise MalformedReferenceError("expected an engine and at least one NAME:VALUE")
    return parse_parameters(engine, pairs, text, file=file == "encryptedFile")


def _inside(text: str) -> Iterator[FoundReference]:
    for match in _OPSMX.finditer(text) if "encrypted" in text else ():
        reference = parse_opsmx(match.group(2), match.group(3), match.group(), file=bool(match.group(1)))
        if reference is not None:
            yield _found_reference(text, match, reference)
    if "${{" not in text:
        return
    for match in _CALL.finditer(text):
        try:
            reference = _call(match)
        except MalformedReferenceError:
            continue
        yield _found_reference(text, match, reference)


def _found_reference(text: str, match: re.Match[str], reference: Reference) -> FoundReference:
    return FoundReference(*match.span(), reference, match.end() - match.start() == len(text))


def _call(match: re.Match[str]) -> Reference:
    uri = match.group(2) if match.group(2) is not None else match.group(3)
    return parse_uri(uri.strip(), match.group(), file=bool(match.group(1)))


def _list_malformed_calls(text: str) -> Iterator[tuple[int, str]]:
    for head in _CALL_HEAD.finditer(text):
        match = _CALL.match(text, head.start())
        if match is None:
            yield head.start(), f"the reference is malformed: {_QUOTES}."
            continue
        try:
            _call(match)
        except MalformedReferenceError as reason:
            yield head.start(), f"the reference is malformed: {reason}."


def _is_comment(text: str, at: int) -> bool:
    line = text[text.rfind("\n", 0, at) + 1 : at].lstrip()
    return line.startswith(("#", "//"))
