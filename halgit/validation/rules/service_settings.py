"""Rules on service-settings: addresses Halyard cannot read, settings that reach no service.

Keys and types are the business of the schema.
"""

from __future__ import annotations

from collections.abc import Iterator

from halgit import references
from halgit.halyard import layout, services
from halgit.text.phrases import join_words
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import STILL_OPEN, address, has_port, skipped_file, word
from halgit.validation.view import View

_SPLIT = ("clouddriver", "echo")
"""The services that high availability splits into parts."""


def _no_content(view: View) -> Iterator[Hit]:
    for file, node in view.documents("service-settings"):
        place = layout.classify_file(file.path, tuple(view.running))
        if node.value is None and file.body and place.services and place.deployment == view.compiled.deployment:
            yield Hit(
                (),
                f"There is nothing in the settings of {place.services[0]} but comments.",
                file.path,
                line=1,
                column=1,
            )


def _not_an_address(view: View) -> Iterator[Hit]:
    for file, node in view.documents("service-settings"):
        if file.path.split("/", 1)[0] != view.compiled.deployment:
            continue
        for key in ("overrideBaseUrl", "baseUrl"):
            value = node.get(key)
            hidden = not isinstance(value, str) or "${{" in value or references.find_references(value)
            if not hidden and value and address(value) is None:
                yield Hit((key,), f"{key} is not an address that Halyard accepts.", file.path)


def _no_scheme(view: View) -> Iterator[Hit]:
    """Addresses that Halyard passes on and no service can use. Of an empty one nothing is recorded."""
    for file, node in view.documents("service-settings"):
        for key in ("overrideBaseUrl", "baseUrl") if file.path.startswith(f"{view.compiled.deployment}/") else ():
            value = word(node.get(key))
            split = address(value) if value and not value.startswith("/") and not STILL_OPEN.search(value) else None
            if value and split is not None and "://" not in value:
                yield Hit((key,), f"{key} has no scheme, so services cannot use it.", file.path)
            elif split is not None and not has_port(split):
                hint = "Write scheme://host:port, with a port from 1 to 65535."
                yield Hit((key,), f"{key} has a port that does not exist, so services cannot use it.", file.path, hint)


def _other_mode(view: View) -> Iterator[Hit]:
    for deployment, running in view.running.items():
        start = f"{deployment}/service-settings/"
        written = {path[len(start) : -4] for path in view.files if path.startswith(start) and path.endswith(".yml")}
        for whole in _SPLIT:
            parts = [
                part
                for part in services.list_family(whole)
                if part in services.list_services_of_mode(services.KUBERNETES_MODE)
            ]
            bare = [part for part in parts if part != whole and part in running and part not in written]
            unread = sorted(part for part in parts if part != whole and part in written)
            if whole in written and whole not in running and bare:
                message = f"The settings of {whole} do not apply to its parts: {join_words(bare)} get none of them."
                hint = f"Write {join_words([f'{part}.yml' for part in bare])} beside it."
                yield Hit((), message, f"{start}{whole}.yml", hint)
            elif whole in running and whole not in written and unread:
                message = f"High availability of {whole} is off: no service reads the settings of {join_words(unread)}."
                hint = f"Rename the file to {whole}.yml, or enable haServices.{whole}."
                yield Hit((), message, f"{start}{unread[0]}.yml", hint)


def _not_taken(view: View) -> Iterator[Hit]:
    for left in view.compiled.skipped:
        place = layout.classify_file(left.path, tuple(view.running))
        if place.kind == "service-settings" and left.reason.startswith(("no service", "config has no")):
            yield skipped_file(view, left)


RULES = (
    Rule("service-settings/no-content", _no_content),
    Rule("service-settings/not-an-address", _not_an_address),
    Rule("service-settings/no-scheme", _no_scheme),
    Rule("service-settings/unused", _not_taken),
    Rule("service-settings/other-mode", _other_mode),
)
