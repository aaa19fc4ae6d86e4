"""One run of a command that reads sources: open them in parallel, compile, and close them in any case."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from halgit import sources
from halgit import yaml as hyaml
from halgit.annotations import TYPE_CHECKING, Any
from halgit.cli.output import Output
from halgit.cli.process import silence_libraries
from halgit.cli.settings import access_settings, operator_settings, source_specs
from halgit.errors import SourceError, UsageError
from halgit.operator_settings import Access, OperatorSettings, SourceSpec
from halgit.pipeline import Compiled, Finding, Reference, Snapshot
from halgit.record import Record, replace

if TYPE_CHECKING:
    from halgit.compiler import Locator
    from halgit.lock import Entry
    from halgit.merge.layers import DocumentReader
    from halgit.remotes.engine import Engine, Presence, SecretData
    from halgit.secrets import Engines, SecretPlan


_HEAD_START = 0.05
"""In seconds: how long only the fetches run. Imports of theirs take longer while other modules are imported."""

_LAST_WAIT = 5.0
"""In seconds: how long a stopped run waits until its fetches have removed their files."""


class Counter:
    """Shows the progress of work whose steps are counted: `Reading secrets: 3 of 7`."""

    def __init__(self, output: Output, doing: str, total: int) -> None:
        self._output, self._doing, self._total = output, doing, total
        self._done = 0
        self._lock = allocate_lock()
        if total:
            output.progress(f"{doing}: 0 of {total}")

    def step(self, _: object = None) -> None:
        """Count one step."""
        with self._lock:
            self._done += 1
            self._output.progress(f"{self._doing}: {self._done} of {self._total}")


class _CountedEngine:
    """A secret engine that counts its reads and checks."""

    def __init__(self, engine: Engine, count: Counter) -> None:
        self._engine, self._count = engine, count

    def read(self, reference: Reference) -> SecretData:
        try:
            return self._engine.read(reference)
        finally:
            self._count.step()

    def check(self, reference: Reference) -> Presence:
        try:
            return self._engine.check(reference)
        finally:
            self._count.step()


class Compilation(Record):
    """A merged tree, its findings with their places, and the finder of places."""

    compiled: Compiled
    plan: SecretPlan
    findings: tuple[Finding, ...]
    locator: Locator


class Session:
    """The open sources of one run. A context manager; every snapshot is closed at its end."""

    def __init__(self, options: Mapping[str, Any], output: Output) -> None:
        output.json = options.get("format", "text") == "json"
        output.log_json = options.get("log_format", "text") == "json"
        self.output = output
        self.specs = source_specs(options, sources.parse_spec)
        self.operator: OperatorSettings = operator_settings(options)
        self.access: Access = access_settings(options, output)
        self._closing = ExitStack()
        self._closing.callback(self.access.cache.close)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def open(self, specs: Sequence[SourceSpec] = (), *, compiles: bool = True) -> tuple[Snapshot, ...]:
        """Fetch these sources (default: those of --repo) in parallel; returns their snapshots in order.

        The compiler is loaded while a server is slow, unless the sources are probably not compiled (`compiles`).
        Raises SourceError with a line for each unavailable source, UsageError for a wrong name.
        """
        wanted = specs or self.specs
        if all(sources.is_directory(spec.url) for spec in wanted):
            return self._open_directories(wanted)
        from concurrent.futures import ThreadPoolExecutor, wait

        silence_libraries()
        count = Counter(self.output, "Fetching sources", len(wanted))
        pool = ThreadPoolExecutor(max_workers=8)
        waiting = [pool.submit(sources.open_source, spec, self.access) for spec in wanted]
        for future in waiting:
            future.add_done_callback(count.step)
        try:
            if compiles and wait(waiting, timeout=_HEAD_START).not_done:
                _load_compiler()
            wait(waiting)
        except BaseException:
            from halgit.remotes.git import stop_git

            stop_git(self.access)
            wait(waiting, timeout=_LAST_WAIT)
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for future in waiting:
                if future.done() and not future.cancelled() and future.exception() is None:
                    self._closing.callback(future.result().close)
        _fail_together([reason for future in waiting if (reason := future.exception()) is not None])
        return tuple(future.result() for future in waiting)

    def _open_directories(self, specs: Sequence[SourceSpec]) -> tuple[Snapshot, ...]:
        """Open directories one after the other: no waiting, so no threads."""
        snapshots, failures = [], []
        for spec in specs:
            try:
                snapshot = sources.open_source(spec, self.access)
            except (SourceError, UsageError) as reason:
                failures.append(reason)
                continue
            self._closing.callback(snapshot.close)
            snapshots.append(snapshot)
        _fail_together(failures)
        return tuple(snapshots)

    def open_locked(self) -> tuple[tuple[Snapshot, ...], Entry]:
        """Fetch the sources at the revisions of `halgit.lock`; returns the snapshots and the lock of this overlay.

        The lock file is read from the last source that has one. Raises SourceError if none has.
        """
        from halgit import lock

        snapshots = self.open()
        locked, specs = lock.locked_specs(snapshots, self.specs, self.operator.overlay)
        again = dict(zip(specs, self.open(list(specs.values())) if specs else (), strict=True))
        return tuple(again.get(number, snapshot) for number, snapshot in enumerate(snapshots)), locked

    def compile(
        self,
        snapshots: Sequence[Snapshot],
        settings: OperatorSettings | None = None,
        read: DocumentReader | None = None,
    ) -> Compilation:
        """Compile an overlay; returns the tree and all findings with their locations."""
        from halgit import secrets
        from halgit.compiler import Locator, collect_findings, compile_tree

        operator = settings or self.operator
        self.output.progress(f"Merging overlay {operator.overlay}" if operator.overlay else "Merging")
        compiled = compile_tree(snapshots, operator, read or hyaml.read)
        secrets.learn_plain_secrets(compiled, self.output.redactor)
        plan = secrets.plan_secrets(compiled, operator.trust, operator.secrets)
        locator = Locator(compiled.files, compiled.layers, compiled.accounts, compiled.parameters)
        return Compilation(compiled, plan, collect_findings(compiled, plan, operator, locator), locator)

    def filter(self, found: Sequence[Finding], compilation: Compilation) -> tuple[Finding, ...]:
        """Apply the users' decisions to findings about the secrets of a compilation."""
        from halgit.compiler import filter_findings

        return filter_findings(found, compilation.compiled, self.operator, compilation.locator)

    def compile_all(self, snapshots: Sequence[Snapshot]) -> tuple[tuple[Finding, ...], Callable[[str, int], str]]:
        """Compile every overlay; returns all findings, each once, and a function that reads a line of a layer's file.

        Raises UsageError if there are no overlays.
        """
        from halgit.compiler import combine_findings, overlays

        names = sorted({name for snapshot in snapshots for name in overlays(snapshot)})
        if not names:
            raise UsageError("There are no overlays.", "Omit --all-overlays, or add layers as overlays/NAME.")
        every = self.compile_overlays(snapshots, names)
        findings = combine_findings([(one.compiled, one.findings) for one in every])

        def line(file: str, number: int) -> str:
            return next((text for text in (one.locator.line(file, number) for one in every) if text), "")

        return findings, line

    def compile_overlays(self, snapshots: Sequence[Snapshot], names: Sequence[str]) -> list[Compilation]:
        """Compile these overlays, reading each file once. Names the folders that are no layer."""
        from halgit.compiler import CachingReader, CachingSnapshot, folders_without_layer

        for folder in sorted({folder for snapshot in snapshots for folder in folders_without_layer(snapshot)}):
            self.output.message(f"Skipped {folder}: it contains no file of a layer.")
        read, cached = CachingReader(), [CachingSnapshot(snapshot) for snapshot in snapshots]
        count = Counter(self.output, "Compiling overlays", len(names))

        def one(name: str) -> Compilation:
            compilation = self.compile(cached, replace(self.operator, overlay=name), read)
            count.step()
            return compilation

        if all(sources.is_directory(spec.url) for spec in self.specs):
            return [one(name) for name in names]  # nothing waits, and rules share what they found for the last overlay
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(max_workers=4) as pool:
            return list(pool.map(one, names))

    def report(self, findings: Sequence[Finding], shown: Callable[[Finding], bool] = lambda finding: True) -> None:
        """Write findings to stderr, the worst first, and their count."""
        visible = [finding for finding in findings if shown(finding)]
        if not visible:
            return
        from halgit.report.findings import finding_line, summary_line

        for finding in visible:
            self.output.message(
                finding_line(finding, self.output.paint_message),
                level=str(finding.severity),
                rule=finding.rule,
            )
        self.output.message(summary_line(visible) + ".")

    def engines(self, plan: SecretPlan, doing: str) -> Engines:
        """Return the table of secret engines with the operator's servers and logins, which count their reads."""
        from halgit.references import format_address
        from halgit.secrets.engines import engines

        distinct = {format_address(use.reference) for use in plan.uses if use.action != "leave"}
        count = Counter(self.output, doing, len(distinct))

        def engine(name: str) -> Engine:
            silence_libraries()
            return _CountedEngine(engines(self.access, plan.compiled.encrypted)(name), count)

        return engine

    def is_ignored(self, path: Path) -> bool | None:
        """Return whether git ignores this path of a work tree; None if git cannot tell."""
        from halgit.remotes.git.program import is_ignored

        return is_ignored(path, self.access)


def _load_compiler() -> None:
    from halgit.compiler import build, findings  # noqa: F401 - they are needed next, and import what they need
    from halgit.secrets import plan  # noqa: F401


def _fail_together(failures: Sequence[BaseException]) -> None:
    """Raise the failures of sources as one error; a bug is raised first, alone."""
    expected = [reason for reason in failures if isinstance(reason, (SourceError, UsageError))]
    for reason in failures:
        if reason not in expected or len(failures) == 1:
            raise reason
    if expected:
        kind = UsageError if any(isinstance(reason, UsageError) for reason in expected) else SourceError
        raise kind("\n".join(str(reason) for reason in expected))
