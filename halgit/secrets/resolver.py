"""Resolve the references of a plan: read each distinct secret, select values, and place them in the tree.

The redactor learns every value before anything else uses it. All failures are reported together, one line each, with
the place in the layer. Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from halgit import references
from halgit.annotations import TYPE_CHECKING
from halgit.errors import FindingsError, NotFoundError, RefusedError, RemoteError, SecretError, SourceError
from halgit.pipeline import EMPTY, MISSING, Compiled, File, Finding, Path, Reference, Resolved, Severity
from halgit.record import Record, field, replace
from halgit.redaction import Redactor, Secret, SecretText
from halgit.references import ENGINES, describe_reference
from halgit.secrets.plan import Locate, SecretPlan, Use, group_by_address, places

if TYPE_CHECKING:
    from halgit.remotes.engine import SecretData
    from halgit.secrets.engines import Engines
    from halgit.secrets.values import Change, Piece


def resolve_secrets(
    plan: SecretPlan,
    engines: Engines,
    redactor: Redactor,
    *,
    pinned: Mapping[str, str] = EMPTY,
    locate: Locate = tuple,
) -> Resolved:
    """The tree with its references replaced as the plan says; each distinct secret is read once.

    `pinned` are versions by address (`vault://secret/gate`), as `Resolved.versions` gave them: those are read, and
    one that is no more is a SourceError. `locate` places findings in the layers. Raises SecretError with every
    unavailable secret, FindingsError for a plan with errors.
    """
    errors = [finding for finding in plan.findings if finding.severity is Severity.ERROR]
    if errors:
        raise FindingsError(f"{len(errors)} references have errors; no secret was read.", errors)
    if not plan.uses and not plan.escapes:
        return Resolved(plan.compiled.files, plan.compiled, masked=plan.mode == "mask")
    if plan.mode == "mask":
        from halgit.secrets.placeholders import make_placeholders

        return replace(_placed(plan, *make_placeholders(plan)), masked=True)
    from halgit.secrets.engines import ask_engines

    values = _Values(plan.compiled)
    wanted = group_by_address(plan.uses)
    answers = ask_engines(_at_versions(wanted, pinned), engines, lambda engine, reference: engine.read(reference))
    values.take(plan.uses, answers, redactor)
    drifted = dict(_drift(pinned, answers))
    failures = [one for one in values.failures if references.format_address(one.use.reference) not in drifted]
    summary = str(build_error(failures, plan.compiled, locate)) if failures else ""
    if drifted:
        lines = "\n".join(filter(None, (*drifted.values(), summary)))
        raise SourceError(lines, "Run `halgit lock` to accept the new versions.")
    if failures:
        raise SecretError(summary)
    versions = {address: content.version for address, content in values.content.items() if content.version}
    found = tuple(locate(values.warnings))
    return replace(_placed(plan, values.pieces, values.files, values.nulls), versions=versions, findings=found)


class _Values(Record, frozen=False):
    """Values that replace references, the files that are generated, and the failures."""

    compiled: Compiled
    pieces: dict[Use, Piece] = field(default_factory=dict)
    files: dict[str, SecretText] = field(default_factory=dict)
    nulls: list[Use] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    content: dict[str, SecretData] = field(default_factory=dict)
    inserted: dict[str, int] = field(default_factory=dict)

    def take(self, uses: tuple[Use, ...], answers: Mapping[str, SecretData | RemoteError], redactor: Redactor) -> None:
        """Pick every value out of what was read."""
        known: dict[tuple[Reference, str], Secret | RemoteError | None] = {}
        for use in uses:
            if use.action == "leave":
                continue
            answer = answers[references.format_address(use.reference)]
            if isinstance(answer, NotFoundError) and use.reference.has("default"):
                self.locate(use, _default(use, redactor))
                continue
            if isinstance(answer, RemoteError):
                self.failures.append(Failure(use, answer))
                continue
            self.content[references.format_address(use.reference)] = answer
            key = (use.reference, use.action)
            if key not in known:
                known[key] = _picked(answer, use, redactor)
            self.locate(use, known[key])

    def locate(self, use: Use, value: Secret | RemoteError | None) -> None:
        """Put a value at its place; a file's path in the place of its reference."""
        from halgit.secrets.values import halyard_path, name_secret_file, null_error

        if value is None and use.occurrence.found.whole and use.action == "text":
            self.nulls.append(use)
        elif value is None:
            self.failures.append(Failure(use, null_error(use.reference)))
        elif isinstance(value, RemoteError):
            self.failures.append(Failure(use, value))
        elif use.action == "file":
            self._check_empty(use, value)
            name = name_secret_file(use.reference)
            self.files[name] = SecretText((value,))
            self.pieces[use] = halyard_path(self.compiled.hal_home, name)
        else:
            self._check_empty(use, value)
            self._check_newline(use, value)
            self._check_placeholder(use, value)
            if self._is_within_size(use, value):
                self._fit(use, value)

    def _is_within_size(self, use: Use, value: Secret) -> bool:
        """Return whether the secrets still fit into the file; reports the first that does not."""
        from halgit.parameters.substitution import MAX_INSERTED

        file = use.occurrence.file
        before = self.inserted.get(file, 0)
        self.inserted[file] = before + len(value.open_bytes())
        if before <= MAX_INSERTED < self.inserted[file]:
            message = f"Secrets insert more than {MAX_INSERTED} bytes into the file."
            self.failures.append(Failure(use, RefusedError(message, "Use smaller values, or use them less often.")))
        return self.inserted[file] <= MAX_INSERTED

    def _check_empty(self, use: Use, value: Secret) -> None:
        """Report an empty secret, unless the reference has a default, which may be empty."""
        if not value.open_bytes() and not use.reference.has("default"):
            place = use.occurrence.file, use.occurrence.path, use.occurrence.line
            message, hint = f"The secret {value.name} is empty.", "Store a value, or remove the reference."
            self.warnings.append(Finding("reference/empty", Severity.WARNING, message, hint, *place))

    def _check_newline(self, use: Use, value: Secret) -> None:
        """Report a line with newlines at its end, which `echo` and editors add and most readers do not remove.

        A value of several lines, such as a certificate, ends with one on purpose.
        """
        content = value.open_bytes()
        line = content.rstrip(b"\r\n")
        if line != content and not any(end in line for end in b"\r\n"):
            place = use.occurrence.file, use.occurrence.path, use.occurrence.line
            message = f"The secret {value.name} ends with a newline, which becomes part of the value."
            hint = "Store the secret without the newline, such as with printf instead of echo."
            self.warnings.append(Finding("reference/trailing-newline", Severity.WARNING, message, hint, *place))

    def _check_placeholder(self, use: Use, value: Secret) -> None:
        """Report `${` in a secret of a Spring profile: Spring expands it, and fails or changes the value."""
        file = use.occurrence.file
        if "/profiles/" in file and file.endswith((".yml", ".yaml")) and b"${" in value.open_bytes():
            place = file, use.occurrence.path, use.occurrence.line
            message = f"The secret {value.name} contains ${{, which Spring expands in a profile."
            hint = "Store ${none:$}{ in place of ${ in the secret, or use another value."
            self.warnings.append(Finding("reference/placeholder", Severity.WARNING, message, hint, *place))

    def _fit(self, use: Use, value: Secret) -> None:
        """Write a value at its place, escaped or indented if the string is itself a document."""
        from halgit.secrets.embedded import fit_value

        text = _string_of(self.compiled.files[use.occurrence.file], use)
        try:
            self.pieces[use] = fit_value(text, use.occurrence.found, value, use.reference) if text else value
        except RemoteError as reason:
            self.failures.append(Failure(use, reason))


def _string_of(file: File, use: Use) -> str:
    """Return the string of YAML data with the reference; empty for a text file."""
    if file.data is MISSING:
        return ""
    value = file.data
    for step in use.occurrence.path:
        value = value[step]
    part = value.parts[use.occurrence.part] if isinstance(value, SecretText) else value
    return part if isinstance(part, str) else ""


def _picked(content: SecretData, use: Use, redactor: Redactor) -> Secret | RemoteError | None:
    """Select a value. The redactor learns the whole secret before any message about it can exist."""
    from halgit.secrets.values import decode_text, select_value

    if content.keys is None:
        redactor.learn(content.whole)
    try:
        secret = select_value(content, use.reference)
        if secret is None:
            return None
        redactor.learn(secret)
        return secret if use.action == "file" else decode_text(secret, use.reference)
    except NotFoundError as reason:
        return _default(use, redactor) if use.reference.has("default") else reason
    except RemoteError as reason:
        return reason


def _default(use: Use, redactor: Redactor) -> Secret:
    """Return the default of a reference whose secret or key does not exist."""
    secret = Secret(use.reference.get("default"), describe_reference(use.reference))
    redactor.learn(secret)
    return secret


def _at_versions(wanted: Mapping[str, Reference], pinned: Mapping[str, str]) -> dict[str, Reference]:
    """The references with their pinned versions, where their engine can read one."""
    found: dict[str, Reference] = {}
    for address, reference in wanted.items():
        version = pinned.get(address, "")
        shape = ENGINES[reference.engine]
        if version and ":" not in version and "version" in shape.optional and not reference.get("version"):
            reference = replace(reference, fields=(*reference.fields, ("version", version)))
        found[address] = reference
    return found


def _drift(pinned: Mapping[str, str], answers: Mapping[str, SecretData | RemoteError]) -> Iterator[tuple[str, str]]:
    """The secrets that are not what was locked, by address, each with what is known of it."""
    from halgit.remotes.engine import SecretData

    for address, answer in answers.items():
        then = pinned.get(address)
        if then is None:
            continue
        if isinstance(answer, NotFoundError):
            yield address, f"{address} is locked at version {then}, which is unavailable: {answer.message}"
        elif isinstance(answer, SecretData) and answer.version and answer.version != then:
            yield address, f"{address} is locked at version {then}, but the server has {answer.version}."


def _placed(
    plan: SecretPlan, pieces: Mapping[Use, Piece], made: Mapping[str, bytes | SecretText], nulls: Iterable[Use] = ()
) -> Resolved:
    """Replace the references of every file, and add the files that are made of secrets."""
    from halgit.secrets.values import replace_references

    compiled = plan.compiled
    changes: dict[str, list[Change]] = defaultdict(list)
    for use, piece in pieces.items():
        changes[use.occurrence.file].append((use.occurrence, piece))
    escapes, empty = _paths_by_file(plan.escapes), _paths_by_file((u.occurrence.file, u.occurrence.path) for u in nulls)
    files = {
        name: replace_references(file, changes.get(name, ()), escapes.get(name, ()), empty.get(name, ()))
        for name, file in compiled.files.items()
    }
    for name, body in made.items():
        files[name] = File(name, "generated", compiled.files["config"].layers, body=body)
    return Resolved(files, compiled)


def _paths_by_file(places: Iterable[tuple[str, Path]]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for name, path in places:
        found[name].append(path)
    return found


_NAMED = 5


class Failure(Record):
    """One use of a secret, and why it has no value."""

    use: Use
    reason: RemoteError


def build_error(failures: Sequence[Failure], compiled: Compiled, locate: Locate) -> SecretError:
    """One error with a line for each distinct trouble, at its first place; further places are named after it."""
    lines = [_line(group, compiled, locate) for group in _grouped(failures)]
    return SecretError("\n".join(lines))


def _grouped(failures: Sequence[Failure]) -> list[list[Failure]]:
    groups: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        groups.setdefault((str(failure.reason), describe_reference(failure.use.reference)), []).append(failure)
    by_trouble: dict[str, list[Failure]] = {}
    for (trouble, name), group in groups.items():
        key = trouble if len({n for t, n in groups if t == trouble}) > 1 else f"{trouble}\0{name}"
        by_trouble.setdefault(key, []).extend(group)
    return list(by_trouble.values())


def _line(group: Sequence[Failure], compiled: Compiled, locate: Locate) -> str:
    first = places([each.use for each in group[: _NAMED + 1]], compiled, locate)
    line = f"{first[0]}: {group[0].reason.message}"
    if len(group) > 1:
        rest = first[1 : 1 + _NAMED]
        more = f" and {len(group) - 1 - len(rest)} more places" if len(group) - 1 > len(rest) else ""
        line += f" (Also at {'; '.join(rest)}{more}.)"
    return f"{line} {group[0].reason.hint}".rstrip()
