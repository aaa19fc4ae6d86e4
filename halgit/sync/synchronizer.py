"""One pass of `sync`: render what the sources hold, publish it, deploy what it reaches, and remember how that ended.

A change that fails validation or lacks a secret never touches the tree. The tree is published only while no task of
Halyard uses it, and deployed only after it was checked on the disk. What has to be deployed is written down before the
tree is published, so a pass that is killed anywhere is finished by the next one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from halgit import publish
from halgit import yaml as hyaml
from halgit.errors import DeployError, FindingsError, HalgitError, PublishError
from halgit.pipeline import Finding, SourceId
from halgit.record import replace
from halgit.remotes.halyard import DeployRequest
from halgit.report.differences import summary
from halgit.sync.deployer import Clock, Deployer, DeployResult
from halgit.sync.drift import FOREIGN_DEPLOY, DriftDetector
from halgit.sync.events import EventKind, Report, SyncEvent, name_services, short_revision, show_services
from halgit.sync.holds import Holds
from halgit.sync.plan import Plan, plan_deploy
from halgit.sync.problems import task_findings
from halgit.sync.renderer import Candidate, Renderer
from halgit.sync.settings import SyncSettings
from halgit.sync.state import Pending, Services, SyncState, revision_of
from halgit.sync.state_file import StateFile
from halgit.sync.status import StatusBoard
from halgit.sync.tree import PublishedTree, backup_digest, deployment_of, read_tree, tree_problem


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
        self._reports = reports
        self._clock = clock
        self._file = StateFile(settings.state_file, board)
        self._drift = DriftDetector(settings.target)
        self._candidate: Candidate | None = None
        self._is_checked_later = False
        self._rendered: tuple[SourceId, ...] = ()
        self._previous = self._state.deployed.revision if self._state.deployed else ""
        self._forced = settings.full

    # --- one pass

    def advance(self) -> None:
        """Do all that is to be done now. Raises the HalgitError of what failed; the rest is done nevertheless."""
        failure: HalgitError | None = self._adopt()
        hold = ""
        try:
            hold = self._update_tree()
        except HalgitError as reason:
            failure = reason
            self._refused(reason)
        hold = self._deploy_pending() or hold
        self._board.set(held=hold)
        if failure is not None and (self.is_waiting or not isinstance(failure, DeployError)):
            raise failure
        if not hold:
            self._board.succeed()

    @property
    def is_waiting(self) -> bool:
        """Whether a published tree waits to be deployed."""
        return self._state.pending is not None

    @property
    def is_held_by_check(self) -> bool:
        """Whether only a check of the commit holds the last revision back: it may turn green without a change."""
        return self._is_checked_later

    def check_drift(self) -> tuple[str, ...]:
        """What differs from what was written and deployed; reported once for each change."""
        found = self._drift.find(self._state)
        if found and list(found) != self._board.snapshot()["drift"]:
            self._report("drift", f"Drift: {'; '.join(found[:5])}.")
        self._board.set(drift=list(found))
        return found

    @property
    def hold(self) -> str:
        """Why nothing may be published or deployed now, checks of commits apart; empty where it may."""
        return self._holds.reason()

    # --- the tree

    def _update_tree(self) -> str:
        """Render, and publish what differs; the hold that prevented it, if any."""
        with self._renderer() as renderer:
            with self._board.step("render"):
                self._rendered = ()
                try:
                    candidate = renderer.render(self._settings.locked)
                finally:
                    self._rendered = renderer.sources
                self._board.set(desiredRevision=candidate.revision)
                self._board.set_findings(candidate.findings)
                tree = read_tree(self._settings.target)
                plan = self._plan(tree, candidate)
            self._candidate = candidate.without_files()
            reason = self._holds.reason(candidate.sources) or self._rejection(candidate)
            self._is_checked_later = bool(reason) and not self._holds.reason() and not self._rejection(candidate)
            if reason:
                self._report_hold(reason, candidate.sources, plan.services)
            else:
                self._publish(candidate, plan, tree, renderer)
            return reason

    def _plan(self, tree: PublishedTree | None, candidate: Candidate) -> Plan:
        before = tree.files if tree is not None and not tree.changed else None
        plan = plan_deploy(before, candidate.files, secrets.token_bytes(32))
        text = summary([plan.difference]) if plan.difference else "everything"
        self._board.set(plan={"services": show_services(plan.services), "stopped": list(plan.stopped), "summary": text})
        return plan

    def _rejection(self, candidate: Candidate) -> str:
        if candidate.revision and candidate.revision == self._state.rejected:
            return f"revision {short_revision(candidate.revision)} was rolled back; commit a change"
        return ""

    def _report_hold(self, reason: str, sources: tuple[SourceId, ...], services: Services) -> None:
        if self._board.snapshot()["held"] != reason:
            self._report("held", f"Held: {reason}.", sources, services)
        self._board.set(held=reason)

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
        if drifted and not self._settings.self_heal:
            assert tree is not None
            raise PublishError(
                f"{self._settings.target}: changed since halgit wrote it: {', '.join(tree.changed[:5])}.",
                "Use --self-heal to replace it, or move the change into the repository.",
            )
        with self._board.step("publish"):
            self._deployer.wait_until_unused()
            self._file.save(self._state_of(candidate, plan, tree))
            outcome = publish.publish(candidate.files, candidate.manifest, self._settings.target, options)
        for warning in outcome.warnings:
            self._report("warning", warning, candidate.sources)
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

    def _refused(self, reason: HalgitError) -> None:
        findings = reason.findings if isinstance(reason, FindingsError) else ()
        if findings:
            self._board.set_findings(findings)
        self._report("refused", str(reason), self._rendered, findings=findings)

    # --- the deploy

    def _adopt(self) -> DeployError | None:
        """Wait for the deploy that an earlier run started, if the daemon still knows it; how it failed, if it did."""
        pending = self._state.pending
        if pending is None or not pending.task:
            return None
        try:
            result = self._deployer.adopt(pending.task)
            if result is None:
                self._file.save(self._state.with_task(""))
            else:
                self._ended(result)
        except DeployError as reason:
            return reason
        return None

    def _deploy_pending(self) -> str:
        """Deploy the tree on the disk where that is due; the hold that prevented it, if any. Raises DeployError."""
        tree = read_tree(self._settings.target)
        pending = self._due(tree)
        if tree is None or pending is None:
            return ""
        reason = self._holds.reason(tree.sources)
        if reason:
            self._report_hold(reason, tree.sources, pending.services)
            return reason
        deployment = self._deployment(tree)
        problem = tree_problem(tree, deployment)
        if problem:
            raise DeployError(f"{self._settings.target}: {problem}.", "Render the tree again, or use --self-heal.")
        self._file.save(replace(self._state, pending=pending, deployment=deployment))
        self._forced = False
        self._deploy(pending)
        return ""

    def _deployment(self, tree: PublishedTree) -> str:
        """The deployment of a tree: what the operator says, else what it was rendered with, else what it names."""
        candidate, pending = self._candidate, self._state.pending
        if self._settings.deployment:
            return self._settings.deployment
        if candidate is not None and candidate.digest == tree.digest:
            return candidate.deployment
        if pending is not None and pending.digest == tree.digest:
            return self._state.deployment
        return deployment_of(tree)

    def _due(self, tree: PublishedTree | None) -> Pending | None:
        """What has to be deployed of the tree on the disk; None where that runs already."""
        if tree is None:
            return None
        pending, deployed = self._state.pending, self._state.deployed
        if self._forced:
            return Pending(tree.digest, None, tree.revision, lock=self._lock_of(tree))
        if pending is not None and pending.digest == tree.digest:
            return pending
        if self._settings.self_heal and FOREIGN_DEPLOY in self.check_drift():
            return Pending(tree.digest, None, tree.revision, lock=self._lock_of(tree))
        if deployed is not None and deployed.digest == tree.digest:
            return None
        services = pending.services if pending else None
        return Pending(tree.digest, services, tree.revision, lock=self._lock_of(tree))

    def _lock_of(self, tree: PublishedTree) -> str:
        candidate = self._candidate
        return candidate.lock if candidate is not None and candidate.digest == tree.digest else ""

    def _deploy(self, pending: Pending) -> None:
        services = pending.services
        if services == ():
            self._succeeded()
            return
        self._previous = self._state.deployed.revision if self._state.deployed else ""
        self._deployer.wait_until_up()
        self._report("deploying", f"Deploying {name_services(services)}.", self._sources(pending), services)
        with self._board.step("deploy"):
            try:
                result = self._deployer.deploy(self._request(services), self._started)
            except DeployError as reason:
                self._failed(str(reason), ())
                raise
        self._ended(result)

    def _request(self, services: Services) -> DeployRequest:
        settings = self._settings
        orphaned = ("DELETE_ORPHANED_SERVICES",) if settings.delete_orphaned and services is None else ()
        options = (*orphaned, "WAIT_FOR_COMPLETION") if settings.completion_minutes else orphaned
        return DeployRequest(
            self._state.deployment, services or (), settings.tolerated, options, settings.completion_minutes
        )

    def _started(self, task: str) -> None:
        self._file.save(self._state.with_task(task))

    def _ended(self, result: DeployResult) -> None:
        self._board.count_deploy(result.task.state)
        self._board.set(services=dict(result.services))
        findings = self._placed(task_findings(result.task, self._config()))
        self._board.set_findings(findings)
        if result.succeeded:
            self._succeeded(result.seconds)
            return
        text = f"Halyard failed the deploy ({result.task.state})"
        self._failed(text, findings)
        if self._may_roll_back():
            self._roll_back(text, findings)
        raise DeployError(f"{text}.", "Fix the findings listed above.", findings)

    def _config(self) -> object:
        tree = read_tree(self._settings.target)
        return hyaml.read(tree.files.get("config", b""), "config").data if tree else None

    def _placed(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        return tuple(self._candidate.place(findings)) if self._candidate is not None else tuple(findings)

    def _succeeded(self, seconds: float = 0.0) -> None:
        pending = self._state.pending
        assert pending is not None
        self._file.save(self._state.with_success(self._clock.now(), backup_digest(self._settings.target)))
        text = (
            f"Deployed {name_services(pending.services)} in {seconds:.0f} s."
            if seconds
            else "Nothing had to be deployed."
        )
        self._report("deployed", text, self._sources(pending), pending.services)

    def _failed(self, text: str, findings: Sequence[Finding]) -> None:
        pending = self._state.pending
        assert pending is not None
        self._file.save(self._state.with_failure())
        self._report("failed", f"{text}.".replace("..", "."), self._sources(pending), pending.services, findings)

    # --- rollback

    def _may_roll_back(self) -> bool:
        state = self._state
        assert state.pending is not None
        good = state.deployed is not None and state.deployed.lock and state.deployed.digest != state.pending.digest
        return bool(self._settings.rollback and good and state.pending.attempts >= self._settings.attempts)

    def _roll_back(self, text: str, findings: Sequence[Finding]) -> None:
        """Render the last good revision from its lock, and deploy it. Always raises DeployError."""
        assert self._state.deployed is not None
        assert self._state.pending is not None
        bad, good = self._state.pending, self._state.deployed
        try:
            self._publish_again(good.lock)
            self._file.save(replace(self._state, rejected=bad.revision))
            self._deploy_back()
        except HalgitError as reason:
            text = f"{text}; the rollback failed: {reason.message}"
            raise DeployError(text, "Fix the findings listed above and commit.", findings) from None
        done = f"{text}; rolled back to {short_revision(good.revision)}"
        self._report("rolled-back", f"{done}.", self._sources(bad), bad.services, findings)
        raise DeployError(f"{done}.", "Fix the findings listed above and commit.", findings)

    def _publish_again(self, text: str) -> None:
        """Render what a lock describes, and publish it."""
        with self._renderer() as renderer:
            candidate = renderer.render_again(text)
            tree = read_tree(self._settings.target)
            self._publish(candidate, self._plan(tree, candidate), tree, renderer)
        self._candidate = candidate.without_files()

    def _deploy_back(self) -> None:
        assert self._state.pending is not None
        result = self._deployer.deploy(self._request(self._state.pending.services), self._started)
        self._board.count_deploy(result.task.state)
        if not result.succeeded:
            self._file.save(self._state.with_failure())
            raise DeployError("Halyard failed the rollback too.", "See the daemon's log.")
        self._succeeded(result.seconds)

    # --- what is reported

    def reload(self) -> None:
        """Read the state file again: another replica may have acted since."""
        self._file.reload()

    @property
    def _state(self) -> SyncState:
        return self._file.state

    def _sources(self, pending: Pending) -> tuple[SourceId, ...]:
        candidate = self._candidate
        same = candidate is not None and revision_of(candidate.sources) == pending.revision
        return candidate.sources if candidate is not None and same else ()

    def _report(
        self,
        kind: EventKind,
        text: str,
        sources: tuple[SourceId, ...] = (),
        services: Services = (),
        findings: Sequence[Finding] = (),
    ) -> None:
        clean = self._board.clean
        text = clean(text)
        shown = tuple(replace(one, message=clean(one.message), hint=clean(one.hint)) for one in findings)
        event = SyncEvent(kind, text, revision_of(sources), sources, services or (), shown, self._previous)
        self._board.set(message=text)
        for report in self._reports:
            report(event)
