"""One render for `sync`: sources into files that can be published, in memory, with everything checked.

The same sequence as `halgit render`. A new renderer is created for each render, so that rotated logins and parameter
files are read again. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from halgit import lock, publish, secrets, sources
from halgit.compiler import (
    Locator,
    collect_findings,
    compile_tree,
    filter_findings,
    is_late,
    require_below,
    split_daemon_files,
)
from halgit.errors import SourceError
from halgit.operator_settings import Access, OperatorSettings, SourceSpec
from halgit.pipeline import EMPTY, Compiled, Finding, Resolved, Snapshot, SourceId
from halgit.record import Record, replace
from halgit.sync.state import revision_of, tree_digest
from halgit.sync.tree import read_tree


class Candidate(Record):
    """A rendered tree that is not published yet. `lock` is the text of a lock file that renders it again.

    `findings` are all that validation reported; `place` puts findings of the tree into the files of the layers.
    `digest` is of the marks of the tree's files.
    """

    files: Mapping[str, bytes]
    daemon: Mapping[str, bytes]
    manifest: publish.Manifest
    has_secrets: bool
    deployment: str
    sources: tuple[SourceId, ...]
    findings: tuple[Finding, ...]
    lock: str
    place: Callable[[Sequence[Finding]], Sequence[Finding]]
    digest: str

    @property
    def revision(self) -> str:
        return revision_of(self.sources)

    def without_files(self) -> Candidate:
        """The same without the files, which hold secrets: what is remembered of it once it is published."""
        return replace(self, files=EMPTY, daemon=EMPTY)


class Renderer:
    """Renders once. A context manager; what it opened is closed at its end.

    `report` receives all findings as soon as they are known, also those after which there is no tree. `sources` are
    those that were opened, also after a render that failed.
    """

    def __init__(
        self,
        specs: Sequence[SourceSpec],
        operator: OperatorSettings,
        access: Access,
        target: Path,
        report: Callable[[Sequence[Finding]], None] = lambda findings: None,
    ) -> None:
        self._specs = tuple(specs)
        self._operator = operator
        self._access = access
        self._target = target
        self._report = report
        self.sources: tuple[SourceId, ...] = ()
        self._closing = ExitStack()
        self._closing.callback(access.cache.close)

    def __enter__(self) -> Renderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def render(self, locked: bool = False, last: Candidate | None = None, *, is_tree_enough: bool = False) -> Candidate:
        """The tree of the sources as they are now; with `locked`, as `halgit.lock` in them says.

        If nothing that `last` was rendered from has changed, it is not validated again: only its secrets are read, in
        one pass. If it has none and `is_tree_enough`, the published tree is the result.
        Raises FindingsError, SourceError, SecretError, UsageError.
        """
        snapshots = self._open(self._specs)
        if not locked:
            known = last if last is not None and self._is_unchanged(last, snapshots) else None
            published = self._published(known, snapshots) if known and is_tree_enough else None
            return published or self._candidate(snapshots, None, known)
        entry, specs = lock.locked_specs(snapshots, self._specs, self._operator.overlay)
        return self._candidate(self._at(snapshots, specs), entry)

    def render_again(self, text: str) -> Candidate:
        """The tree that the text of a lock file describes, from the sources at the revisions it holds.

        Raises SourceError if a source no longer has that revision, or holds other files.
        """
        entry = lock.entry_of(lock.parse(text.encode()), self._operator.overlay)
        specs = [
            replace(spec, commit=one.revision) if lock.is_commit(one) else spec
            for spec, one in zip(self._specs, entry.sources, strict=True)
        ]
        return self._candidate(self._open(specs), entry)

    def _at(self, snapshots: Sequence[Snapshot], specs: Mapping[int, SourceSpec]) -> tuple[Snapshot, ...]:
        again = dict(zip(specs, self._open(tuple(specs.values())), strict=True))
        return tuple(again.get(number, snapshot) for number, snapshot in enumerate(snapshots))

    def _open(self, specs: Sequence[SourceSpec]) -> tuple[Snapshot, ...]:
        opened: list[Snapshot] = []
        failures: list[str] = []
        for spec in specs:
            try:
                snapshot = sources.open_source(spec, self._access)
            except SourceError as reason:
                failures.append(str(reason))
                continue
            self._closing.callback(snapshot.close)
            opened.append(snapshot)
        if failures:
            raise SourceError("\n".join(failures))
        return tuple(opened)

    def _is_unchanged(self, last: Candidate, snapshots: Sequence[Snapshot]) -> bool:
        inputs = last.manifest.inputs
        return inputs is not None and publish.has_inputs(inputs, snapshots, self._operator)

    def _published(self, known: Candidate, snapshots: Sequence[Snapshot]) -> Candidate | None:
        """Return the candidate with the files of the published tree; None if that differs, or has secrets."""
        tree = read_tree(self._target) if known.manifest.inputs and not known.manifest.inputs.secrets else None
        if tree is None or tree.changed or tree.digest != known.digest:
            return None
        self.sources = tuple(snapshot.source for snapshot in snapshots)
        return replace(known, files=tree.files)

    def _candidate(
        self, snapshots: Sequence[Snapshot], entry: lock.Entry | None, known: Candidate | None = None
    ) -> Candidate:
        self.sources = tuple(snapshot.source for snapshot in snapshots)
        recorded = [publish.RecordedSnapshot(snapshot) for snapshot in snapshots]
        compiled = compile_tree(recorded, self._operator)
        if entry:
            lock.hold(entry, lock.entry(compiled, {}, secrets.hide_plain_secrets(compiled)))
        secrets.learn_plain_secrets(compiled, self._access.redactor)
        plan = secrets.plan_secrets(compiled, self._operator.trust, self._operator.secrets)
        locator = Locator(compiled.files, compiled.layers, compiled.accounts, compiled.parameters)
        findings = known.findings if known else self._validate(compiled, plan, locator)
        from halgit.secrets.engines import engines

        resolved = secrets.resolve_secrets(
            plan,
            engines(self._access, compiled.encrypted),
            self._access.redactor,
            pinned=entry.secrets if entry else EMPTY,
            locate=locator.locate_findings,
        )
        late = filter_findings(resolved.findings, compiled, self._operator, locator)
        new = [one for one in late if one not in findings]
        if new:
            self._report_new(new)
        findings = (*(one for one in findings if not is_late(one)), *late)
        reads_secrets = any(use.action != "leave" for use in plan.uses)
        inputs = publish.record_inputs(recorded, self._operator, compiled, len(findings), reads_secrets)
        return self._finished(
            compiled,
            resolved,
            findings,
            lambda some: filter_findings(locator.locate_findings(some), compiled, self._operator, locator),
            None if entry else inputs,
        )

    def _validate(self, compiled: Compiled, plan: secrets.SecretPlan, locator: Locator) -> tuple[Finding, ...]:
        findings = collect_findings(compiled, plan, self._operator, locator)
        self._report_new(findings)
        return findings

    def _report_new(self, findings: Sequence[Finding]) -> None:
        """Report findings. Raises FindingsError if one of them fails the run."""
        self._report(findings)
        require_below(findings, self._operator.fail_on)

    def _finished(
        self,
        compiled: Compiled,
        resolved: Resolved,
        findings: tuple[Finding, ...],
        place: Callable[[Sequence[Finding]], Sequence[Finding]],
        inputs: publish.Inputs | None,
    ) -> Candidate:
        tree, daemon = split_daemon_files(resolved, self._operator.halyard_address)
        hide = secrets.hide_plain_secrets(compiled)
        entry = {self._operator.overlay: lock.entry(compiled, resolved.versions, hide)}
        files = publish.serialize(tree)
        plain = secrets.files_with_plain_secrets(tree.files)
        manifest = publish.mark(files, publish.Manifest.of(tree, self._operator.secrets, inputs, plain), self._target)
        return Candidate(
            files=files,
            daemon=publish.serialize(daemon),
            manifest=manifest,
            has_secrets=publish.has_secrets(tree),
            deployment=compiled.deployment,
            sources=compiled.sources,
            findings=findings,
            lock=lock.encode(entry).decode(),
            place=place,
            digest=tree_digest(manifest.marks),
        )

    def is_ignored(self, path: Path) -> bool | None:
        """Return whether git ignores this path of a work tree; None where git cannot say."""
        from halgit.remotes.git.program import is_ignored

        return is_ignored(path, self._access)
