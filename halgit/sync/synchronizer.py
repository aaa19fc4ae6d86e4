"""One pass of `sync`: render what the sources hold, publish it, deploy what it reaches, and remember how that ended.

A change that fails validation or lacks a secret never touches the tree. The tree is published only while no task of
Halyard uses it. What has to be deployed is written down before the tree is published, so a pass that is killed anywhere
is finished by the next one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from halgit import publish
from halgit.errors import DeployError, FindingsError, HalgitError, PublishError
from halgit.pipeline import Finding, SourceId
from halgit.record import replace
from halgit.report.differences import summary
from halgit.sync.deployer import Clock, Deployer
from halgit.sync.deployment import Deployment
from halgit.sync.drift import DriftDetector
from halgit.sync.events import EventSender, Report, short_revision, show_services
from halgit.sync.holds import Holds
from halgit.sync.plan import Plan, plan_deploy
from halgit.sync.renderer import Candidate, Renderer
from halgit.sync.settings import SyncSettings
from halgit.sync.state import SyncState
from halgit.sync.state_file import StateFile
from halgit.sync.status import StatusBoard
from halgit.sync.tree import PublishedTree, read_tree


class Synchronizer:
    """Makes the running Spinnaker equal to the sources, one pass at a time. Only one thread may use it.

    `renderer` creates the renderer of one render; `reports` receive what happens.
    """

    def __init__(
        self,
        settings: SyncSettings,
        renderer: Callable[[], Renderer],
        deployer: Deployer,
        holds: Holds,
        board: StatusBoard,
        reports: Sequence[Report],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._renderer = renderer
        self._deployer = deployer
        self._holds = holds
        self._board = board
        self._sender = EventSender([lambda event: board.set(message=event.summary), *reports], board.clean)
        self._file = StateFile(settings.state_file, board)
        self._drift = DriftDetector(settings.target)
        self._deployment = Deployment(settings, deployer, holds, self._file, board, self._sender, clock)
        self._deployment.find_drift = self.check_drift
        self._deployment.roll_back = self._roll_back
        self._is_checked_later = False
        self._refusal = ""
        self._rendered: tuple[SourceId, ...] = ()

    # --- one pass

    def advance(self) -> None:
        """Do all that is to be done now. Raises the HalgitError of what failed; the rest is done nevertheless."""
        failure: HalgitError | None = self._deployment.adopt()
        hold = ""
        try:
            hold = self._update_tree()
        except HalgitError as reason:
            failure = reason
            self._refuse(reason)
        hold = self._deployment.deploy_due() or hold
        self._board.set(held=hold)
        if failure is not None and (self.is_waiting or not isinstance(failure, DeployError)):
            raise failure
        self._refusal = ""
        self._board.set_ready()
        if not hold:
            self._board.succeed()

    @property
    def is_waiting(self) -> bool:
        """True if a published tree waits to be deployed."""
        return self._state.pending is not None

    @property
    def is_held_by_check(self) -> bool:
        """True if only a check of the commit holds the last revision back: it may turn green without a change."""
        return self._is_checked_later

    @property
    def hold(self) -> str:
        """Return why nothing may be published or deployed now, checks of commits apart; an empty string if it may."""
        return self._holds.reason()

    def check_drift(self) -> tuple[str, ...]:
        """Return what differs from what was written and deployed; reported once for each change."""
        found = self._drift.find(self._state)
        if found and list(found) != self._board.snapshot()["drift"]:
            self._sender.send("drift", f"Drift: {'; '.join(found[:5])}.")
        self._board.set(drift=list(found))
        return found

    def reload(self) -> None:
        """Read the state file again: another replica may have acted since."""
        self._file.reload()

    @property
    def _state(self) -> SyncState:
        return self._file.state

    # --- the tree

    def _update_tree(self) -> str:
        """Render, and publish what differs; the hold that prevented it, if any."""
        with self._renderer() as renderer:
            with self._board.step("render"):
                candidate = self._render(renderer)
                tree = read_tree(self._settings.target)
                plan = self._plan(tree, candidate)
            self._deployment.candidate = candidate.without_files()
            reason = self._reason(candidate)
            if reason:
                self._deployment.report_hold(reason, candidate.sources, plan.services)
            else:
                self._publish(candidate, plan, tree, renderer)
            return reason

    def _render(self, renderer: Renderer) -> Candidate:
        self._rendered = ()
        try:
            candidate = renderer.render(
                self._settings.locked, self._deployment.candidate, is_tree_enough=self._settings.daemon_config is None
            )
        finally:
            self._rendered = renderer.sources
        self._board.set(desiredRevision=candidate.revision)
        self._board.set_findings(candidate.findings)
        return candidate

    def _plan(self, tree: PublishedTree | None, candidate: Candidate) -> Plan:
        before = tree.files if tree is not None and not tree.changed else None
        plan = plan_deploy(before, candidate.files, secrets.token_bytes(32))
        text = summary([plan.difference]) if plan.difference else "everything"
        self._board.set(plan={"services": show_services(plan.services), "stopped": list(plan.stopped), "summary": text})
        return plan

    def _reason(self, candidate: Candidate) -> str:
        """Return why the candidate may not be published now; an empty string if it may."""
        own = self._holds.reason()
        if not own and candidate.revision and candidate.revision == self._state.rejected:
            own = f"revision {short_revision(candidate.revision)} was rolled back; commit a change"
        reason = own or self._holds.reason(candidate.sources)
        self._is_checked_later = bool(reason) and not own
        return reason

    def _publish(self, candidate: Candidate, plan: Plan, tree: PublishedTree | None, renderer: Renderer) -> None:
        drifted = tree is not None and bool(tree.changed)
        options = publish.Options(
            force=drifted and self._settings.self_heal,
            group_access=self._settings.group_access,
            wait=self._settings.wait,
            secrets=candidate.has_secrets,
            is_ignored=renderer.is_ignored,
        )
        found = publish.compare(candidate.files, candidate.manifest, self._settings.target, options)
        self._write_daemon_config(candidate)
        self._board.set(publishedRevision=tree.revision if tree else "")
        if found.same:
            return
        if tree is not None and drifted and not self._settings.self_heal:
            raise PublishError(
                f"{self._settings.target}: changed since halgit wrote it: {', '.join(tree.changed[:5])}.",
                "Use --self-heal to replace it, or move the change into the repository.",
            )
        with self._board.step("publish"):
            self._deployer.wait_until_unused()
            self._file.save(self._state_of(candidate, plan, tree))
            outcome = publish.publish(candidate.files, candidate.manifest, self._settings.target, options)
        for warning in outcome.warnings:
            self._sender.send("warning", warning, candidate.sources)
        self._board.set(publishedRevision=candidate.revision)

    def _state_of(self, candidate: Candidate, plan: Plan, tree: PublishedTree | None) -> SyncState:
        """The state once the candidate is published in place of the tree."""
        before = tree.digest if tree else ""
        state = replace(self._state, deployment=candidate.deployment, rejected="")
        if tree is not None and tree.changed and before == candidate.digest:
            return state
        services = None if self._settings.full else plan.services
        return state.with_published(before, candidate.digest, services, candidate.revision, candidate.lock)

    def _write_daemon_config(self, candidate: Candidate) -> None:
        if self._settings.daemon_config is not None:
            publish.write_daemon_config(
                candidate.daemon, self._settings.daemon_config, group_access=self._settings.group_access
            )

    def _refuse(self, reason: HalgitError) -> None:
        """Report that there is no new tree, once for each reason."""
        findings = reason.findings if isinstance(reason, FindingsError) else ()
        if findings:
            self._board.set_findings(findings)
        if str(reason) != self._refusal:
            self._sender.send("refused", str(reason), self._rendered, findings=findings)
        self._refusal = str(reason)

    # --- rollback

    def _roll_back(self, text: str, findings: Sequence[Finding]) -> None:
        """Render the last good revision from its lock and deploy it, if that is due; then raise DeployError."""
        bad, good = self._state.pending, self._state.deployed
        if bad is None or good is None or not self._settings.rollback or not good.lock:
            return
        if good.digest == bad.digest or bad.attempts < self._settings.attempts:
            return
        try:
            self._publish_again(good.lock)
            self._file.save(replace(self._state, rejected=bad.revision))
            self._deployment.deploy_back()
        except HalgitError as reason:
            text = f"{text}; the rollback failed: {reason.message}"
            raise DeployError(text, "Fix the findings listed above and commit.", findings) from None
        done = f"{text}; rolled back to {short_revision(good.revision)}"
        self._sender.send("rolled-back", f"{done}.", self._rendered, bad.services, findings)
        raise DeployError(f"{done}.", "Fix the findings listed above and commit.", findings)

    def _publish_again(self, text: str) -> None:
        """Render what a lock describes, and publish it."""
        with self._renderer() as renderer:
            candidate = renderer.render_again(text)
            tree = read_tree(self._settings.target)
            self._publish(candidate, self._plan(tree, candidate), tree, renderer)
        self._deployment.candidate = candidate.without_files()
