"""Builds the parts of `halgit sync` from its options, and prints what they report."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from halgit import sources
from halgit.cli.output import Output
from halgit.cli.settings import access_settings, operator_settings, read_file, source_specs
from halgit.cli.sync_reports import SyncReports
from halgit.errors import DeployError, HalgitError, UsageError
from halgit.operator_settings import Access
from halgit.pipeline import Finding
from halgit.remotes.halyard import Halyard
from halgit.report.findings import finding_line, summary_line
from halgit.sync.deployer import Deployer, Limits, SystemClock
from halgit.sync.events import SyncEvent
from halgit.sync.holds import Holds
from halgit.sync.leadership import LeaseLeadership
from halgit.sync.loop import Loop, Wake
from halgit.sync.renderer import Renderer
from halgit.sync.settings import SyncSettings
from halgit.sync.status import StatusBoard
from halgit.sync.synchronizer import Synchronizer
from halgit.sync.windows import parse_window


class _BeatingClock(SystemClock):
    """The machine's clock; each pause shows that the loop is alive."""

    def __init__(self, board: StatusBoard) -> None:
        self._board = board

    def sleep(self, seconds: float) -> None:
        self._board.beat()
        time.sleep(seconds)


class SyncParts:
    """The parts of one `halgit sync`, from its options. A context manager."""

    def __init__(self, options: Mapping[str, Any], output: Output) -> None:
        output.json = options["format"] == "json"
        output.log_json = options["log_format"] == "json"
        gc.enable()
        self._options = dict(options)
        self._output = output
        self._specs = source_specs(options, sources.parse_spec)
        self._shown: dict[str, tuple[Finding, ...]] = {}
        self._closing = ExitStack()
        self.settings = sync_settings(options)
        self.board = StatusBoard(time.time, output.redactor.clean)
        self._clock = _BeatingClock(self.board)
        self._reports = SyncReports(options, self._new_access, self._clock, self._complain, self._closing)
        self._leadership: LeaseLeadership | None = None
        self.access = access_settings(options, output)
        self._closing.callback(self.access.cache.close)
        self.synchronizer = self._synchronizer()

    def __enter__(self) -> SyncParts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def _synchronizer(self) -> Synchronizer:
        options = self._options
        halyard = Halyard(self.access, options["halyard_url"])
        self._closing.callback(halyard.close)
        limits = Limits(options["halyard_wait"], options["deploy_timeout"], options["poll"])
        deployer = Deployer(halyard, limits, self._clock, self._progress)
        suspended = self._reports.suspended()

        def hold() -> str:
            leads = self._leadership is None or self._leadership.is_leader()
            return suspended() if leads else "another replica is the leader"

        holds = Holds(self.settings, self._clock, hold, self._reports.checks)
        reports = [self._print_event, *self._reports.reports(self.board)]
        return Synchronizer(self.settings, self._renderer, deployer, holds, self.board, reports, self._clock)

    def _renderer(self) -> Renderer:
        """The renderer of one render, with logins and parameter files as they are now."""
        operator = operator_settings(self._options)
        return Renderer(self._specs, operator, self._new_access(), self.settings.target, self._print_findings)

    # --- runs

    def run_once(self) -> None:
        """Do what is due, with `--attempts` deploys at most. Raises the HalgitError of what failed."""
        self._leadership = self._reports.leadership()
        try:
            self._advance()
        finally:
            if self._output.json:
                self._output.answer(dict(self.board.snapshot()))

    def run(self) -> None:
        """Run the loop until a signal ends the process."""
        watches = [sources.watch_source(spec, self._new_access) for spec in self._specs]
        for watch in watches:
            self._closing.callback(watch.close)
        wake = Wake()
        signal.signal(signal.SIGUSR1, lambda number, frame: wake.call_from_signal())
        self._leadership = self._reports.leadership()
        self._listen(wake)
        loop = Loop(
            self.settings, self.synchronizer, watches, self.board, wake, self._clock, self._print_failure,
            self._leadership,
        )  # fmt: skip
        self._output.message(f"Watching {', '.join(spec.url for spec in self._specs)}.", level="info")
        loop.run()

    def _listen(self, wake: Wake) -> None:
        """Serve at --listen, if it is set. Raises UsageError."""
        if not self._options["listen"]:
            return
        address = self._address("listen")
        webhooks = self._address("webhook_listen") if self._options["webhook_listen"] else None
        from halgit.server.sync_api import SyncServer

        server = SyncServer(self.board, wake.call, self._webhook_secrets)
        self._closing.callback(server.close)
        server.start(address, webhooks)

    def _address(self, name: str) -> tuple[str, int]:
        text = self._options[name]
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise UsageError(f"--{name.replace('_', '-')} {text} is not HOST:PORT.", "Write 0.0.0.0:9105.")
        return host.strip("[]"), int(port)

    def _webhook_secrets(self) -> tuple[bytes, ...]:
        path = self._options["webhook_secret_file"]
        text = read_file(path, "--webhook-secret-file") if path else b""
        return tuple(line.strip() for line in text.splitlines() if line.strip())

    def _complain(self, text: str) -> None:
        self._output.message(text, level="warning")

    def _new_access(self) -> Access:
        return access_settings(self._options, self._output)

    def _advance(self) -> None:
        for attempt in range(1, self.settings.attempts + 1):
            try:
                return self.synchronizer.advance()
            except DeployError as reason:
                self.board.fail(reason)
                self._print_findings(reason.findings, "deploy")
                if attempt == self.settings.attempts or not self.synchronizer.is_waiting:
                    raise
                self._output.message(f"{reason.message} Deploying again in {self.settings.retry * attempt:g} seconds.")
                self._clock.sleep(self.settings.retry * attempt)
        return None

    # --- output

    def _progress(self, text: str) -> None:
        self.board.beat()
        self._output.progress(text)

    def _print_event(self, event: SyncEvent) -> None:
        if event.kind != "refused":
            level = {"failed": "error", "rolled-back": "error", "warning": "warning"}.get(event.kind, "info")
            self._output.message(event.summary, level=level, event=event.kind, revision=event.revision)

    def _print_failure(self, reason: HalgitError) -> None:
        if isinstance(reason, DeployError):
            self._print_findings(reason.findings, "deploy")
        self._output.message(str(reason), level="error", code=reason.exit_code)

    def _print_findings(self, findings: Sequence[Finding], kind: str = "render") -> None:
        """Print findings, unless the same ones of their kind were printed last."""
        if tuple(findings) == self._shown.get(kind, ()):
            return
        self._shown[kind] = tuple(findings)
        for finding in findings:
            text = finding_line(finding, self._output.paint_message)
            self._output.message(text, level=str(finding.severity), rule=finding.rule)
        if findings:
            self._output.message(summary_line(findings) + ".")


def sync_settings(options: Mapping[str, Any]) -> SyncSettings:
    """The settings of the loop. Raises UsageError."""
    target: Path = options["out"]
    return SyncSettings(
        target=target,
        state_file=options["state_file"] or target.with_name(f"{target.name}.sync.json"),
        daemon_config=options["daemon_config"],
        group_access=options["group_access"],
        wait=options["wait"],
        deployment=options["deployment"],
        tolerated=options["severity"],
        full=options["full"],
        delete_orphaned=options["delete_orphaned_services"],
        completion_minutes=options["completion_minutes"],
        rollback=options["rollback"],
        attempts=options["attempts"],
        self_heal=options["self_heal"],
        plan_only=options["plan_only"],
        suspend_file=options["suspend_file"],
        windows=tuple(parse_window(text) for text in options["windows"]),
        locked=options["locked"],
        interval=options["interval"],
        retry=options["retry"],
        refresh=options["refresh"],
        required_checks=options["required_checks"],
    )
