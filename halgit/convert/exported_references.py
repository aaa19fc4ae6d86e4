"""References of an exported tree in the form that its target reads: `encrypted:ENGINE!k:v` as a whole value.

halgit's and OpsMx's own forms mean nothing to the operator or to kleat. One that has no other form is reported.
"""

from __future__ import annotations

from collections.abc import Mapping

from halgit import references
from halgit import yaml as hyaml
from halgit.pipeline import Path, Reference, Value
from halgit.references import FoundReference
from halgit.report.summaries import Decision

_OWN_DIALECTS = ("halgit", "opsmx")
_READ_BY_OPERATOR = "k8s"


def convert_references(files: Mapping[str, bytes], target: str, decisions: list[Decision]) -> dict[str, bytes]:
    """Return the files with the references that the target reads; the others stay and are reported."""
    return {path: _convert_file(path, text, target, decisions) for path, text in files.items()}


def _convert_file(path: str, text: bytes, target: str, decisions: list[Decision]) -> bytes:
    if b"${{" not in text and b"encrypted" not in text:
        return text
    if path != "config" and not path.endswith((".yml", ".yaml")):
        _report_text(path, text, decisions)
        return text
    if len(hyaml.read(text, path, many=True).documents) != 1:
        _report_text(path, text, decisions)
        return text
    changes: dict[Path, Value] = {}
    for scalar in hyaml.list_scalars(text):
        for found in references.find_references(scalar.text) if not scalar.key else ():
            form = _form(found)
            if form and form != scalar.text:
                changes[scalar.path] = form
            _report(f"{path}:{scalar.line}", found.reference, form, target, decisions)
    return hyaml.replace_scalars(text, changes) if changes else text


def _form(found: FoundReference) -> str:
    """Return the reference as its target reads it; empty if there is no such form."""
    is_own = found.reference.dialect in _OWN_DIALECTS
    form = references.format_engine_form(found.reference) if is_own and found.whole else ""
    return form or ("" if is_own else found.reference.text)


def _report(place: str, reference: Reference, form: str, target: str, decisions: list[Decision]) -> None:
    name = references.describe_reference(reference)
    if not form:
        hint = "No form of this reference is read by the target. Mount the secret, or use another store."
        decisions.append(Decision(f"{place}: {name}", hint))
    elif target == "kleat" and reference.engine == _READ_BY_OPERATOR:
        hint = "Only the operator reads this reference. Mount the Secret, or use a store that Spinnaker reads."
        decisions.append(Decision(f"{place}: {name}", hint))


def _report_text(path: str, text: bytes, decisions: list[Decision]) -> None:
    """Report halgit's references in a file that is not one YAML document."""
    for found in references.find_references_in_text(text.decode("utf-8", "replace")):
        if found.reference.dialect in _OWN_DIALECTS:
            hint = "References in this file are not converted. Write them in a form that the target reads."
            decisions.append(Decision(f"{path}: {references.describe_reference(found.reference)}", hint))
