"""What is to be done with each reference, and what is wrong with it, before any secret is read.

Pure, and needs no credential: `validate` runs it too. A reference may reach only what the operator allows, and
stands only where its value can take its place. Reading and replacing are done elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from halgit import references
from halgit.halyard import layout, model
from halgit.operator import Trust
from halgit.references import Occurrence
from halgit.reveal.trust import distrust
from halgit.tree import MISSING, Finding, Merged, Path, Reference, SecretsMode, Severity, Value

Action = Literal["leave", "text", "file"]


@dataclass(frozen=True, slots=True)
class Use:
    """One reference at one place, and what becomes of it: left, a text in place, or a file of its own."""

    occurrence: Occurrence
    action: Action

    @property
    def reference(self) -> Reference:
        return self.occurrence.found.reference


@dataclass(frozen=True, slots=True)
class Survey:
    """Every reference of a merged tree with its verdict. Only a survey without errors can be revealed."""

    merged: Merged
    mode: SecretsMode
    uses: tuple[Use, ...]
    findings: tuple[Finding, ...]
    escapes: tuple[tuple[str, Path], ...] = ()


def reference_findings(merged: Merged, trust: Trust, mode: SecretsMode = "resolve") -> tuple[Finding, ...]:
    """What is wrong with the references of a tree, by file and path of the tree. Reads nothing."""
    return survey(merged, trust, mode).findings


def survey(merged: Merged, trust: Trust, mode: SecretsMode) -> Survey:
    """The verdict on every reference that survived the merge. `mode` is `--secrets`."""
    scan = references.scan(merged.files)
    places = _Places(merged)
    uses: list[Use] = []
    findings = [_fault(fault) for fault in scan.faults]
    for occurrence in scan.occurrences:
        reference = occurrence.found.reference
        action, why = _verdict(occurrence, places, mode)
        if why is None and action != "leave":
            why = distrust(reference, trust)
        if why is not None:
            rule, message, mend = why
            message = f"{message} ({references.shown(reference)})."
            findings.append(
                Finding(rule, Severity.ERROR, message, mend, occurrence.file, occurrence.path, occurrence.line)
            )
        uses.append(Use(occurrence, action if why is None else "leave"))
    return Survey(merged, mode, tuple(uses), tuple(findings), tuple(scan.escapes))


def _fault(fault: references.Fault) -> Finding:
    if fault.misplaced:
        rule, severity, mend = "reference/inside-text", Severity.WARNING, "Use ${{ secret('...') }} inside a text."
    else:
        rule, severity, mend = "reference/malformed", Severity.ERROR, "Correct the reference."
    message = fault.why[0].upper() + fault.why[1:]
    return Finding(rule, severity, message, mend, fault.file, fault.path, fault.line)


Why = tuple[str, str, str]
"""The rule, the message without its end, and the next step."""

_DECK: Final[Why] = (
    "reference/deck",
    "Deck serves this file to every browser, so a secret cannot stand in it",
    "Take the reference out; keep the secret in the profile of the service that needs it.",
)
_SEVERAL: Final[Why] = (
    "reference/several-documents",
    "This file holds several YAML documents, and nothing is replaced in such a file",
    "Split the file, one document in each.",
)
_NOT_WHOLE: Final[Why] = (
    "reference/file-place",
    "A secret file must be the whole value of its field",
    "Write the reference alone, or use encrypted: for a secret inside a text.",
)
_NO_FILE: Final[Why] = (
    "reference/file-place",
    "A secret file can only be made for a field of the halconfig that takes a local file",
    "Use encrypted: or secret() for a text; for a file keep it in s3, secrets-manager, gcs or google-secrets-manager, "
    "which the service decrypts itself, or mount it as a volume by kubernetes.volumes of the service-settings.",
)


class _Places:
    """What is known of the places of one tree."""

    def __init__(self, merged: Merged) -> None:
        self.merged = merged
        config = merged.files.get("config")
        self.config: Value = config.data if config else MISSING
        given = self.config if self.config is not MISSING else {}
        self.local_files = frozenset(path for path, _ in model.local_files(given))
        listed = given.get("deploymentConfigurations") if isinstance(given, dict) else None
        items = listed if isinstance(listed, list) else []
        names = tuple(str(item.get("name")) for item in items if isinstance(item, dict))
        self._kinds: dict[str, layout.Place] = {}
        self._deployments = names or (merged.deployment,)

    def of(self, file: str) -> layout.Place:
        if file not in self._kinds:
            self._kinds[file] = layout.place(file, self._deployments)
        return self._kinds[file]

    def is_deck(self, file: str) -> bool:
        place = self.of(file)
        return place.kind == "profile" and file.partition("/profiles/")[2] in {"settings.js", "settings-local.js"}

    def is_many(self, file: str) -> bool:
        named_yaml = file == "config" or file.endswith((".yml", ".yaml"))
        return named_yaml and self.merged.files[file].data is MISSING

    def decrypts(self, file: str, path: Path) -> bool:
        """Whether what reads this place decrypts kork's references in it: a Spring service, or Halyard for it.

        Halyard decrypts `env` and `password` of service-settings and the secret fields of a halconfig, and hands on
        the rest of the halconfig to services that do (`DecryptingObjectMapper`, `ServiceSettings`).
        """
        place = self.of(file)
        if place.kind == "service-settings":
            return bool(path) and path[0] in {"env", "password"}
        if place.kind == "profile":
            name = file.partition("/profiles/")[2]
            return "/" not in name and file.endswith((".yml", ".yaml")) and not (_NOT_SPRING & {*place.services})
        return place.kind == "config"


_NOT_SPRING = frozenset({"deck", "monitoring-daemon", "redis", "consul-server", "consul-client", "vault-server"})


def _verdict(occurrence: Occurrence, places: _Places, mode: SecretsMode) -> tuple[Action, Why | None]:
    found, file, path = occurrence.found, occurrence.file, occurrence.path
    ours = references.service_decrypts(found.reference)
    if places.is_deck(file):
        return "leave", _DECK
    if mode == "keep":
        return "leave", None
    if places.is_many(file):
        return ("leave", None) if ours and mode == "native" else ("leave", _SEVERAL)
    if file == "config" and path in places.local_files:
        return _local_file(occurrence, places, mode)
    if found.reference.file:
        if ours and found.whole:
            return "leave", None
        return "leave", _NO_FILE
    if mode == "native" and ours and found.whole and places.decrypts(file, path):
        return "leave", None
    return "text", None


def _local_file(occurrence: Occurrence, places: _Places, mode: SecretsMode) -> tuple[Action, Why | None]:
    """In a local-file field kork decrypts to a file whichever prefix is used (`SecretAwarePropertySource`)."""
    found = occurrence.found
    if not found.reference.file and found.reference.dialect == "halgit":
        return "text", None
    if not found.whole:
        return "leave", _NOT_WHOLE
    if mode == "native" and references.service_decrypts(found.reference):
        field = model.field(occurrence.path, places.config)
        if field is not None and field.secret_file:
            return "leave", None
    return "file", None


def by_address(uses: tuple[Use, ...]) -> Mapping[str, Reference]:
    """What is to be read for these uses: one reference for each distinct secret, whatever its keys and dialects."""
    found: dict[str, Reference] = {}
    for use in uses:
        if use.action == "leave":
            continue
        address = references.address(use.reference)
        if address not in found or (use.reference.get("mount") and not found[address].get("mount")):
            found[address] = use.reference
    return found
