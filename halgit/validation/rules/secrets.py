"""Rules on secrets that stand in the open; `open_secrets` finds them. No message shows a value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from halgit.pipeline import Severity
from halgit.validation.open_secrets import Open
from halgit.validation.rule import Hit, Rule
from halgit.validation.view import View

_SERVED = "Write it as a {cipher} value, and change the secret."


def _hits(view: View, *, public: bool) -> Iterator[Hit]:
    served: dict[str, list[Open]] = defaultdict(list)
    for found in view.open_secrets:
        if found.public == public and found.document is None:
            yield Hit(found.path, _message(found, public), found.file)
        elif found.public == public:
            served[found.file].append(found)
    for file in view.account_files:
        for document in file.documents:
            here = [found for found in served[file.path] if found.document is document]
            for found, spot in zip(here, document.places(found.path for found in here), strict=True):
                yield Hit(found.path, _message(found, public), found.file, _SERVED, spot.line, spot.column)


def _message(found: Open, public: bool) -> str:
    where = f"The address in {found.name}" if found.inside else found.name
    if public:
        return f"{where} holds a default password or key that everybody can read."
    return f"{where} holds {'a password' if found.inside else 'a secret'} in plain text."


def _plain_text(view: View) -> Iterator[Hit]:
    return _hits(view, public=False)


def _public_default(view: View) -> Iterator[Hit]:
    return _hits(view, public=True)


RULES = (
    Rule(
        id="secrets/plain-text",
        severity=Severity.WARNING,
        summary="A secret stands in plain text.",
        halyard="Halyard and the services take it as it is.",
        impact="Whoever can read the repository, its copies or its history has the secret.",
        fix="Put a reference in its place, such as encrypted:ENGINE!k:v, and change the secret.",
        check=_plain_text,
    ),
    Rule(
        id="secrets/public-default",
        severity=Severity.WARNING,
        summary="A secret is a default that is published with the ISD charts and repositories.",
        halyard="Halyard and the services take it as it is.",
        impact="It protects nothing: everybody can look it up.",
        fix="Change the secret, and put a reference in its place.",
        check=_public_default,
    ),
)
