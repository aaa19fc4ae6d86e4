"""A secret inside a string that is itself a YAML or JSON document: written so that the document means the same."""

from __future__ import annotations

from halgit import references
from halgit.errors import CorruptError
from halgit.parameters.embedded import fit_text
from halgit.pipeline import Reference
from halgit.redaction import Secret
from halgit.references import FoundReference


def fit_value(text: str, found: FoundReference, value: Secret, reference: Reference) -> Secret:
    """Return the value as it must be written at `found` in `text`.

    Raises CorruptError for a value of several lines that cannot be written there.
    """
    if found.whole:
        return value
    places = [(one.start, one.end) for one in references.find_references(text)]
    fitted = fit_text(text, places, found.start, value.open())
    if fitted is None:
        raise CorruptError(
            f"{references.describe_reference(reference)} has several lines, which cannot be written at its place in a "
            "string that is a YAML document.",
            "Put the reference alone on a line below `key: |`, or in double quotes.",
        )
    return value if fitted == value.open() else Secret(fitted, value.name)
