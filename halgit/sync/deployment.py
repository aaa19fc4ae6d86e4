"""Deploys the tree that is on the disk: what is due, through Halyard, with the result remembered and reported.

The tree is checked before Halyard is asked, because Halyard takes a missing tree for an empty Spinnaker. What is
deployed is the tree, whoever rendered it: an init container, an earlier run, or this one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from halgit import yaml as hyaml
from halgit.errors import DeployError
from halgit.pipeline import Finding, SourceId
from halgit.record import replace
from halgit.remotes.halyard import DeployRequest
from halgit.sync.deployer import Clock, Deployer, DeployResult
from halgit.sync.drift import FOREIGN_DEPLOY
from halgit.sync.events import EventSender, name_services
from halgit.sync.holds import Holds
from halgit.sync.problems import task_findings
from halgit.sync.renderer import Candidate
from halgit.sync.settings import SyncSettings
from halgit.sync.state import Pending, Services, SyncState
from halgit.sync.state_file import StateFile
from halgit.sync.status import StatusBoard
from halgit.sync.tree import PublishedTree, backup_digest, deployment_of, read_tree, tree_problem


class Deployment:
    """The deploys of one tree. `candidate` is what was rendered last; it places findings in the files of the layers.

    `find_drift` gives what differs from the last deploy, and `roll_back` is called after a deploy that failed.
    """

    def __init__(
        self,
        settings: SyncSettings,
        deployer: Deployer,
        holds: Holds,
        file: StateFile,
        board: StatusBoard,
        sender: EventSender,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._deployer = deployer
        self._holds = holds
        self._file = file
        self._board = board
        self._sender = sender
        self._clock = clock
        self._forced = settings.full
        self.candidate: Candidate | None = None
        self.find_drift: Callable[[], Sequence[str]] = tuple
        self.roll_back: Callable[[str, Sequence[Finding]], None] = lambda text, findings: None

    @property
    def _state(self) -> SyncState:
        return self._file.state

    # --- what is due

    def adopt(self) -> DeployError | None:
        """Wait for the deploy that an earlier run started, if the daemon still knows it; how it failed, if it did."""
        pending = self._state.pending
        if pending is None or not pending.task:
            return None
        try:
            result = self._deployer.adopt(pending.task)
            if result is None:
                self._file.save(self._state.with_task(""))
            else:
                self._finish(result)
        except DeployError as reason:
            return reason
        return None

    def deploy_due(self) -> str:
        """Deploy the tree on the disk where that is due; the hold that prevented it, if any. Raises DeployError."""
        tree = read_tree(self._settings.target)
        pending = self._due(tree)
        if tree is None or pending is None:
            return ""
        reason = self._holds.reason(tree.sources)
        if reason:
            self.report_hold(reason, tree.sources, pending.services)
            return reason
        deployment = self._name(tree)
        problem = tree_problem(tree, deployment)
        if problem:
            raise DeployError(f"{self._settings.target}: {problem}.", "Render the tree again, or use --self-heal.")
        self._file.save(replace(self._state, pending=pending, deployment=deployment))
        self._forced = False
        self._deploy(pending)
        return ""

    def report_hold(self, reason: str, sources: tuple[SourceId, ...], services: Services) -> None:
        """Report a hold, once for each reason."""
        if self._board.snapshot()["held"] != reason:
            due = name_services(services) or "no service"
            self._sender.send("held", f"Held: {reason}. To be deployed: {due}.", sources, services)
        self._board.set(held=reason)

    def _due(self, tree: PublishedTree | None) -> Pending | None:
        """Return what has to be deployed of the tree on the disk; None if that runs already."""
        if tree is None:
            return None
        pending, deployed = self._state.pending, self._state.deployed
        everything = Pending(tree.digest, None, tree.revision, lock=self._lock_of(tree))
        if self._forced:
            return everything
        if pending is not None and pending.digest == tree.digest:
            return pending
        if self._settings.self_heal and FOREIGN_DEPLOY in self.find_drift():
            return everything
        if deployed is not None and deployed.digest == tree.digest:
            return None
        return replace(everything, services=pending.services) if pending else everything

    def _lock_of(self, tree: PublishedTree) -> str:
        candidate = self.candidate
        return candidate.lock if candidate is not None and candidate.digest == tree.digest else ""

    def _name(self, tree: PublishedTree) -> str:
        """The deployment of a tree: what the operator says, else what it was rendered with, else what it names."""
        candidate, pending = self.candidate, self._state.pending
        if self._settings.deployment:
            return self._settings.deployment
        if candidate is not None and candidate.digest == tree.digest:
            return candidate.deployment
        if pending is not None and pending.digest == tree.digest:
            return self._state.deployment
        return deployment_of(tree)

    # --- one deploy

    def _deploy(self, pending: Pending) -> None:
        services = pending.services
        if services == ():
            self._succeed()
            return
        self._sender.previous = self._state.deployed.revision if self._state.deployed else ""
        self._deployer.wait_until_up()
        self._sender.send("deploying", f"Deploying {name_services(services)}.", self._sources(pending), services)
        with self._board.step("deploy"):
            try:
                result = self._deployer.deploy(self._request(services), self._save_task)
            except DeployError as reason:
                self._fail(str(reason), ())
                raise
        self._finish(result)

    def deploy_back(self) -> None:
        """Deploy the tree of a rollback. Raises DeployError."""
        assert self._state.pending is not None
        result = self._deployer.deploy(self._request(self._state.pending.services), self._save_task)
        self._board.count_deploy(result.task.state)
        if not result.succeeded:
            self._file.save(self._state.with_failure())
            raise DeployError("Halyard failed the rollback too.", "See the daemon's log.")
        self._succeed(result.seconds)

    def _request(self, services: Services) -> DeployRequest:
        settings = self._settings
        orphaned = ("DELETE_ORPHANED_SERVICES",) if settings.delete_orphaned and services is None else ()
        options = (*orphaned, "WAIT_FOR_COMPLETION") if settings.completion_minutes else orphaned
        return DeployRequest(
            self._state.deployment, services or (), settings.tolerated, options, settings.completion_minutes
        )

    def _save_task(self, task: str) -> None:
        self._file.save(self._state.with_task(task))

    # --- how it ended

    def _finish(self, result: DeployResult) -> None:
        self._board.count_deploy(result.task.state)
        self._board.set(services=dict(result.services))
        findings = self._placed(task_findings(result.task, self._config()))
        self._board.set_findings(findings)
        if result.succeeded:
            self._succeed(result.seconds)
            return
        text = f"Halyard failed the deploy ({result.task.state})"
        self._fail(text, findings)
        self.roll_back(text, findings)
        raise DeployError(f"{text}.", "Fix the findings listed above.", findings)

    def _config(self) -> object:
        tree = read_tree(self._settings.target)
        return hyaml.read(tree.files.get("config", b""), "config").data if tree else None

    def _placed(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        return tuple(self.candidate.place(findings)) if self.candidate is not None else tuple(findings)

    def _succeed(self, seconds: float = 0.0) -> None:
        pending = self._state.pending
        assert pending is not None
        self._file.save(self._state.with_success(self._clock.now(), backup_digest(self._settings.target)))
        done = f"Deployed {name_services(pending.services)} in {seconds:.0f} s."
        text = done if seconds else "Nothing had to be deployed."
        self._sender.send("deployed", text, self._sources(pending), pending.services)

    def _fail(self, text: str, findings: Sequence[Finding]) -> None:
        pending = self._state.pending
        assert pending is not None
        self._file.save(self._state.with_failure())
        sentence = text if text.endswith(".") else f"{text}."
        self._sender.send("failed", sentence, self._sources(pending), pending.services, findings)

    def _sources(self, pending: Pending) -> tuple[SourceId, ...]:
        """The sources of what is deployed, where they are known: those that were rendered last."""
        candidate = self.candidate
        return candidate.sources if candidate is not None and candidate.revision == pending.revision else ()
