"""Decide what happens to each reference, and report invalid ones, before any secret is read. Pure.

`validate` uses it too; it needs no credential. A reference may access only what the operator allows, and only at a
place where its value can be inserted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from halgit import references
from halgit.annotations import TYPE_CHECKING, Final, Literal, TypeAlias
from halgit.halyard import model
from halgit.operator_settings import Trust
from halgit.pipeline import Compiled, Finding, Path, Reference, SecretsMode, Severity
from halgit.record import Record
from halgit.references import Occurrence
from halgit.text import paths

if TYPE_CHECKING:
    from halgit.secrets.policy import PlaceReaders


Action = Literal["leave", "text", "file"]


class Use(Record):
    """One reference at one place, and what becomes of it: left, a text in place, or a file of its own."""

    occurrence: Occurrence
    action: Action

    @property
    def reference(self) -> Reference:
        return self.occurrence.found.reference


class SecretPlan(Record):
    """Every reference of a compiled tree with its action. Only a plan without errors can be resolved."""

    compiled: Compiled
    mode: SecretsMode
    uses: tuple[Use, ...]
    findings: tuple[Finding, ...]
    escapes: tuple[tuple[str, Path], ...] = ()


def check_references(compiled: Compiled, trust: Trust, mode: SecretsMode = "resolve") -> tuple[Finding, ...]:
    """Return the findings about the references of a tree, by file and path of the tree. Reads nothing."""
    return plan_secrets(compiled, trust, mode).findings


def plan_secrets(compiled: Compiled, trust: Trust, mode: SecretsMode) -> SecretPlan:
    """The verdict on every reference that survived the merge. `mode` is `--secrets`.

    With `mask` nothing is read, so what may not be read is a warning: the tree of the other modes would not be made.
    """
    scan = references.scan_files(compiled.files)
    if not scan.occurrences and not scan.faults:
        return SecretPlan(compiled, mode, (), (), tuple(scan.escapes))
    from halgit.secrets.policy import PlaceReaders, check_policy

    readers = PlaceReaders(compiled)
    uses: list[Use] = []
    findings = [_fault(fault) for fault in scan.faults]
    for occurrence in scan.occurrences:
        reference = occurrence.found.reference
        action, reason = _decide_action(occurrence, readers, mode)
        severity = Severity.ERROR
        if reason is None and action != "leave":
            reason = check_policy(reference, trust)
            severity = Severity.WARNING if mode == "mask" else severity
        if reason is not None:
            rule, message, hint = reason
            message = f"{message} ({references.describe_reference(reference)})."
            findings.append(Finding(rule, severity, message, hint, occurrence.file, occurrence.path, occurrence.line))
        findings.extend(_ignored(occurrence))
        uses.append(Use(occurrence, action if reason is None or severity is Severity.WARNING else "leave"))
    return SecretPlan(compiled, mode, tuple(uses), tuple(findings), tuple(scan.escapes))


def _ignored(occurrence: Occurrence) -> Iterator[Finding]:
    """A warning where the reference has a parameter that nothing reads."""
    reference = occurrence.found.reference
    letter = references.find_ignored_parameter(reference)
    if letter:
        known = ", ".join(references.ENGINES[reference.engine].letters)
        message = f"{reference.engine} has no parameter {letter}, which is ignored (parameters: {known})."
        place = occurrence.file, occurrence.path, occurrence.line
        yield Finding("reference/ignored-parameter", Severity.WARNING, message, "Fix or remove it.", *place)


def _fault(fault: references.InvalidReference) -> Finding:
    if fault.misplaced:
        rule, severity, hint = "reference/inside-text", Severity.WARNING, "Use ${{ secret('...') }} inside a string."
    else:
        rule, severity, hint = "reference/malformed", Severity.ERROR, "Fix the reference."
    message = fault.reason[0].upper() + fault.reason[1:]
    return Finding(rule, severity, message, hint, fault.file, fault.path, fault.line)


Problem = tuple[str, str, str]
"""The rule, the message without its end, and the next step."""

_DECK: Final[Problem] = (
    "reference/deck",
    "Deck serves this file to every browser, so it cannot contain a secret",
    "Remove the reference; put the secret in the profile of the service that needs it.",
)
_SEVERAL: Final[Problem] = (
    "reference/several-documents",
    "References are not resolved in a file with several YAML documents",
    "Split the file into one file per document.",
)
_NOT_WHOLE: Final[Problem] = (
    "reference/file-place",
    "A secret file must be the whole value of its field",
    "Write only the reference, or use encrypted: for a secret inside a string.",
)
_NO_FILE: Final[Problem] = (
    "reference/file-place",
    "A secret file is possible only in a local-file field of the halconfig",
    "Use encrypted: or secret() for a string; for a file use s3, secrets-manager, gcs or google-secrets-manager, "
    "which the service decrypts itself, or mount the file with kubernetes.volumes in service-settings.",
)
_NO_FILE_HERE: Final[Problem] = (
    "reference/file-place",
    "The reader of this file does not decrypt secrets, so no secret file is possible here",
    "Use encrypted: or secret() for a string, use a Spinnaker version whose service decrypts, or mount the file "
    "with kubernetes.volumes in service-settings.",
)


def _decide_action(occurrence: Occurrence, readers: PlaceReaders, mode: SecretsMode) -> tuple[Action, Problem | None]:
    found, file, path = occurrence.found, occurrence.file, occurrence.path
    ours = references.is_decrypted_by_services(found.reference)
    if readers.is_deck(file):
        return "leave", _DECK
    if mode == "keep" or readers.is_unreadable(file):
        return "leave", None
    if readers.has_several_documents(file):
        left = ours and mode == "native" and readers.decrypts(file, path) is not False
        return ("leave", None) if left else ("leave", _SEVERAL)
    if file == "config" and path in readers.local_files:
        return _local_file(occurrence, readers, mode)
    if found.reference.file:
        if not ours or not found.whole:
            return "leave", _NO_FILE
        return "leave", _NO_FILE_HERE if readers.decrypts(file, path) is False else None
    if mode == "native" and ours and found.whole and readers.decrypts(file, path):
        return "leave", None
    return "text", None


def _local_file(occurrence: Occurrence, readers: PlaceReaders, mode: SecretsMode) -> tuple[Action, Problem | None]:
    """In a local-file field kork decrypts to a file whichever prefix is used (`SecretAwarePropertySource`)."""
    found = occurrence.found
    if not found.reference.file and found.reference.dialect == "halgit":
        return "text", None
    if not found.whole:
        return "leave", _NOT_WHOLE
    if mode == "native" and references.is_decrypted_by_services(found.reference):
        field = model.find_field(occurrence.path, readers.config)
        if field is not None and field.secret_file:
            return "leave", None
    return "file", None


def group_by_address(uses: tuple[Use, ...]) -> Mapping[str, Reference]:
    """Return the secrets to read: one reference for each distinct secret, whatever its keys and dialects."""
    found: dict[str, Reference] = {}
    for use in uses:
        if use.action == "leave":
            continue
        address = references.format_address(use.reference)
        if address not in found or (use.reference.get("mount") and not found[address].get("mount")):
            found[address] = use.reference
    return found


Locate: TypeAlias = Callable[[Iterable[Finding]], Sequence[Finding]]
"""Puts findings of the tree at their place in a layer: file, line and column; in any order."""


def places(uses: Sequence[Use], compiled: Compiled, locate: Locate) -> list[str]:
    """The place of each use, in their order, looked up together."""
    asked = [
        Finding("", Severity.INFO, str(number), "", use.occurrence.file, use.occurrence.path, use.occurrence.line)
        for number, use in enumerate(uses)
    ]
    found = {int(finding.message): finding for finding in locate(asked)}
    return [_shown(use, found[number], compiled) for number, use in enumerate(uses)]


def _shown(use: Use, found: Finding, compiled: Compiled) -> str:
    where = f"{found.file}:{found.line}" if found.line else found.file
    path = use.occurrence.path
    return f"{where}: {paths.format_path(path, compiled.files[use.occurrence.file].data)}" if path else where
