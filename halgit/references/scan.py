"""Every reference that survives the merge, with its file and path.

YAML is searched through its data, so comments and keys are never references; other files are searched as text. Pure.
`secrets` decides whether a reference is allowed where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from halgit.pipeline import MISSING, File, Path, Value
from halgit.record import Record, field
from halgit.redaction import SecretText
from halgit.references.grammar import (
    FoundReference,
    explain_malformed,
    find_references,
    find_references_in_text,
    has_escape,
    is_engine_form,
    is_misplaced,
    list_malformed_in_text,
)
from halgit.vocabulary import gather_vocabulary


class Occurrence(Record):
    """One reference in one file of the tree: at a path of YAML data, or at a line of a text file (`line` from 1).

    `part` is the index of the part that `found` refers to, in a text with secrets; otherwise 0.
    """

    file: str
    path: Path
    found: FoundReference
    part: int = 0
    line: int = 0


class InvalidReference(Record):
    """A malformed reference, or (`misplaced`) one where nothing reads it."""

    file: str
    path: Path
    reason: str
    line: int = 0
    misplaced: bool = False


class ScanResult(Record):
    """The references of a tree. `escapes` are the YAML scalars with an escaped `$${{ secret(`, by file and path."""

    occurrences: list[Occurrence] = field(default_factory=list)
    faults: list[InvalidReference] = field(default_factory=list)
    escapes: list[tuple[str, Path]] = field(default_factory=list)


def list_occurrences(files: Mapping[str, File]) -> list[Occurrence]:
    """List the well-formed references of files, in order."""
    return scan_files(files).occurrences


def scan_files(files: Mapping[str, File]) -> ScanResult:
    """Find the references of files, and the malformed ones."""
    result = ScanResult()
    for name, file in files.items():
        if file.data is not MISSING:
            words = gather_vocabulary(file.data)
            if SecretText in words.kinds or words.contains("encrypted", "${{"):
                _data(name, file.data, (), result, set())
        elif file.body is not None:
            _text(name, file.body, result)
    return result


_MISPLACED = "a reference of this form is decrypted only as the whole value, so this one stays plain text."
_SPLIT = "the reference is malformed: it must not contain a secret parameter."


def _data(name: str, value: Value, path: Path, result: ScanResult, clean: set[int]) -> bool:
    """Search a node; return whether it contains a reference. Shared nodes without references are searched once."""
    if isinstance(value, str):
        return ("encrypted" in value or "${{" in value) and _scalar(name, value, path, result)
    if isinstance(value, SecretText):
        return _secret_text(name, value, path, result)
    if not isinstance(value, (dict, list)) or id(value) in clean:
        return False
    some = False
    for step, child in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(child, (str, dict, list, SecretText)) and _data(name, child, (*path, step), result, clean):
            some = True
    if not some:
        clean.add(id(value))
    return some


def _scalar(name: str, text: str, path: Path, result: ScanResult) -> bool:
    if has_escape(text):
        result.escapes.append((name, path))
    found = find_references(text)
    result.occurrences.extend(Occurrence(name, path, each) for each in found)
    reason = explain_malformed(text)
    if reason:
        result.faults.append(InvalidReference(name, path, reason))
    elif is_misplaced(text):
        result.faults.append(InvalidReference(name, path, _MISPLACED, misplaced=True))
    return bool(found or reason or has_escape(text))


def _secret_text(name: str, value: SecretText, path: Path, result: ScanResult) -> bool:
    """Search the plain parts of a text with secret parameters; none of them is a whole value."""
    before = len(result.occurrences) + len(result.faults)
    if any(isinstance(part, str) and has_escape(part) for part in value.parts):
        result.escapes.append((name, path))
    for number, part in enumerate(value.parts):
        if not isinstance(part, str):
            continue
        if number == 0 and is_engine_form(part):
            result.faults.append(InvalidReference(name, path, _SPLIT))
            continue
        for each in find_references(part):
            found = FoundReference(each.start, each.end, each.reference, False)
            result.occurrences.append(Occurrence(name, path, found, number))
        reason = explain_malformed(part) if number == 0 or "${{" in part else None
        if reason:
            result.faults.append(InvalidReference(name, path, reason))
    return len(result.occurrences) + len(result.faults) > before


def _text(name: str, body: bytes | SecretText, result: ScanResult) -> None:
    line = 1
    for number, text in _pieces(body):
        for found in find_references_in_text(text):
            here = line + text.count("\n", 0, found.start)
            result.occurrences.append(Occurrence(name, (), found, number, here))
        for at, reason in list_malformed_in_text(text):
            result.faults.append(InvalidReference(name, (), reason, line + text.count("\n", 0, at)))
        line += text.count("\n")


def _pieces(body: bytes | SecretText) -> Iterator[tuple[int, str]]:
    """Iterate over the text parts of a body with their indexes; none for a file that is not UTF-8."""
    if isinstance(body, SecretText):
        yield from ((number, part) for number, part in enumerate(body.parts) if isinstance(part, str))
        return
    if b"encrypted" not in body and b"${{" not in body:
        return
    try:
        yield 0, body.decode("utf-8")
    except UnicodeDecodeError:
        return
