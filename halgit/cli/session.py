"""One run of a command that reads sources: open them side by side, compile, close them again whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from halgit import lock, secrets, sources
from halgit import yaml as hyaml
from halgit.cli import options as given
from halgit.cli.output import Output
from halgit.compiler import Places, Remembering, compile_tree, overlays, settle, together
from halgit.errors import SourceError, UsageError
from halgit.lock import Entry
from halgit.merge.layers import Reader
from halgit.operator_settings import Access, OperatorSettings, SourceSpec
from halgit.pipeline import Compiled, Finding, Snapshot
from halgit.remotes.engine import Engine
from halgit.remotes.git import stop_git
from halgit.report.findings import finding_line, summary_line
from halgit.secrets import SecretPlan

_LAST_WAIT = 5.0
"""In seconds: how long a stopped run waits for its fetches to clean up after themselves."""


@dataclass(frozen=True, slots=True)
class Compilation:
    """A merged tree, its findings with their places, and the finder of places."""

    compiled: Compiled
    plan: SecretPlan
    findings: tuple[Finding, ...]
    places: Places


class Session:
    """The open sources of one run. A context manager; every snapshot is closed at its end."""

    def __init__(self, options: Mapping[str, Any], output: Output) -> None:
        output.json = options.get("format", "text") == "json"
        output.log_json = options.get("log_format", "text") == "json"
        self.output = output
        self.specs = given.specs(options, sources.parse_spec)
        self.operator: OperatorSettings = given.operator(options)
        self.access: Access = given.access(options, output)
        self._closing = ExitStack()
        self._closing.callback(self.access.kept.close)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def open(self, specs: Sequence[SourceSpec] = ()) -> tuple[Snapshot, ...]:
        """The snapshots of these sources (of --repo where none are named), fetched in parallel, in order.

        Raises SourceError with a line for each that cannot be had, UsageError where one is named wrongly.
        """
        wanted = specs or self.specs
        self.output.progress(f"Fetching {', '.join(spec.url for spec in wanted)}")
        pool = ThreadPoolExecutor(max_workers=8)
        waiting = [pool.submit(sources.open_source, spec, self.access) for spec in wanted]
        try:
            wait(waiting)
        except BaseException:
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

    def open_locked(self) -> tuple[tuple[Snapshot, ...], Entry]:
        """The snapshots at the revisions that `halgit.lock` holds, and what it holds for this overlay.

        The last source that has a lock file gives it. Raises SourceError where none does.
        """
        snapshots = self.open()
        locked, specs = lock.locked_specs(snapshots, self.specs, self.operator.overlay)
        again = dict(zip(specs, self.open(list(specs.values())) if specs else (), strict=True))
        return tuple(again.get(number, snapshot) for number, snapshot in enumerate(snapshots)), locked

    def compile(
        self, snapshots: Sequence[Snapshot], settings: OperatorSettings | None = None, read: Reader = hyaml.read
    ) -> Compilation:
        """Layers to a merged tree, with all findings in their places."""
        self.output.progress("Merging")
        operator = settings or self.operator
        compiled = compile_tree(snapshots, operator, read)
        secrets.learn_plain(compiled, self.output.redactor)
        plan = secrets.plan_secrets(compiled, operator.trust, operator.secrets)
        places = Places(compiled.files, compiled.layers, compiled.accounts, compiled.parameters)
        return Compilation(compiled, plan, settle(compiled, plan, operator, places), places)

    def compile_all(self, snapshots: Sequence[Snapshot]) -> tuple[tuple[Finding, ...], Callable[[str, int], str]]:
        """The findings of every overlay, each once, and the function that gives a line of a layer's file.

        Raises UsageError where there are no overlays.
        """
        names = sorted({name for snapshot in snapshots for name in overlays(snapshot)})
        if not names:
            raise UsageError("There are no overlays.", "Leave --all-overlays out, or put layers in overlays/NAME.")
        read = Remembering()
        with ThreadPoolExecutor(max_workers=4) as pool:
            every = list(
                pool.map(lambda name: self.compile(snapshots, replace(self.operator, overlay=name), read), names)
            )
        findings = together([(one.compiled, one.findings) for one in every])

        def line(file: str, number: int) -> str:
            return next((text for text in (one.places.line(file, number) for one in every) if text), "")

        return findings, line

    def tell(self, findings: Sequence[Finding], shown: Callable[[Finding], bool] = lambda finding: True) -> None:
        """Say the findings on stderr, the worst first, and count them."""
        visible = [finding for finding in findings if shown(finding)]
        for finding in visible:
            self.output.say(
                finding_line(finding, lambda text, name: self.output.colour(text, name, err=True)),
                level=str(finding.severity),
                rule=finding.rule,
            )
        if visible:
            self.output.say(summary_line(visible) + ".")

    def engine(self, name: str) -> Engine:
        """The secret engine of this name, with the operator's server and login; loaded when it is first needed."""
        from halgit.secrets.engines import engines

        return engines(self.access)(name)

    def ignored(self, path: Path) -> bool | None:
        """Whether git ignores this path of a work tree; None where git cannot say."""
        from halgit.remotes.git.program import ignored

        return ignored(path, self.access)


def _fail_together(failures: Sequence[BaseException]) -> None:
    """Raise what went wrong with the sources, all of it where that is ours to tell; a bug comes first."""
    told = [reason for reason in failures if isinstance(reason, (SourceError, UsageError))]
    for reason in failures:
        if reason not in told or len(failures) == 1:
            raise reason
    if told:
        kind = UsageError if any(isinstance(reason, UsageError) for reason in told) else SourceError
        raise kind("\n".join(str(reason) for reason in told))
