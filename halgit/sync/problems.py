"""Halyard's problems as findings: severity, message, hint, and the place in the halconfig that the location names.

Halyard names a place by its own node names (`default.provider.kubernetes.prod`); a finding has the path in `config`.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from halgit.pipeline import Finding, Path, Severity, Value
from halgit.remotes.halyard import Problem, Task, failed_services

RULE: Final = "halyard/deploy"
_SEVERITIES: Final[Mapping[str, Severity]] = {
    "NONE": Severity.INFO,
    "INFO": Severity.INFO,
    "WARNING": Severity.WARNING,
    "ERROR": Severity.ERROR,
    "FATAL": Severity.ERROR,
}
_INTERRUPTED: Final = "DaemonTaskInterrupted("
_NOWHERE: Final = frozenset({"", "Global"})
_STATES: Final = {"TIMED_OUT": "timed out", "INTERRUPTED": "was interrupted", "FAILED": "failed"}


def task_findings(task: Task, config: Value) -> tuple[Finding, ...]:
    """The findings of a task: its own problems, and for each service that was not deployed a finding of its own."""
    found = [_finding(problem, config) for problem in task.problems]
    for service, child in failed_services(task):
        reasons = [problem for problem in child.problems if problem.severity in ("ERROR", "FATAL")]
        message = f"{service} was not deployed: the task {_STATES.get(child.state, 'did not end')}."
        if reasons and _INTERRUPTED in reasons[0].message:
            message = f"{service} was not deployed: Halyard interrupted it after another failure."
        elif reasons:
            message = f"{service} was not deployed: {reasons[0].message}"
        hint = reasons[0].remediation if reasons else ""
        hint = hint or "See the daemon's log. Services that have no finding here were deployed."
        found.append(Finding(RULE, Severity.ERROR, message, hint, "config"))
    own = {one.message for one in found if "was not deployed: " in one.message}
    return tuple(
        dict.fromkeys(one for one in found if not any(text.endswith(one.message) for text in own - {one.message}))
    )


def _finding(problem: Problem, config: Value) -> Finding:
    path = locate(problem.location, config)
    place = problem.location if problem.location not in _NOWHERE and not path else ""
    message = f"{place}: {problem.message}" if place else problem.message
    return Finding(RULE, _SEVERITIES[problem.severity], message, problem.remediation, "config", path)


def locate(location: str, config: Value) -> Path:
    """The path in the halconfig that a location names, as far as it can be followed; empty for none."""
    if location in _NOWHERE or not isinstance(config, dict):
        return ()
    first, *rest = location.split(".")
    items = config.get("deploymentConfigurations")
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict) and str(item.get("name", "default")) == first:
            return ("deploymentConfigurations", number, *_followed(rest, item))
    return ()


def _followed(names: Iterable[str], node: Value) -> Path:
    path: Path = ()
    for name in names:
        step = _step(name, node)
        for part in step:
            node = node[part]
        path += step
        if not step:
            break
    return path


def _step(name: str, node: Value) -> Path:
    """The key of a node, or the list and position of an item, that Halyard means by a name."""
    if not isinstance(node, dict):
        return ()
    for key in (name, f"{name}s"):
        if key in node:
            return (key,)
    for key, items in node.items():
        for number, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict) and str(item.get("name")) == name:
                return (str(key), number)
    return ()
