"""Services affected by a new tree: the difference in meaning between two rendered trees, secrets included.

Both trees are compared as Halyard would read them, with their secrets in place, so a rotated secret counts and a
comment does not. The difference shows no secret. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from halgit import diff
from halgit.diff import Side
from halgit.record import Record
from halgit.report.differences import Difference
from halgit.sync.state import Services

_EVERYWHERE = frozenset({"monitoring-daemon", "vault-client", "consul-client"})
"""Sidecars: each is deployed with the services it runs beside, and never by its own name."""


class Plan(Record):
    """Changes of a new tree, and the deploy they need. `stopped` services no longer run."""

    services: Services
    difference: Difference | None = None
    stopped: tuple[str, ...] = ()


def plan_deploy(before: Mapping[str, bytes] | None, after: Mapping[str, bytes], key: bytes) -> Plan:
    """The plan from the files of the old tree to those of the new one; all services where there is no old tree.

    `key` marks secrets in the difference, so that two equal marks of one run are two equal values.
    """
    if before is None:
        return Plan(None)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    if not changed:
        return Plan((), Difference())
    difference = diff.compare(_side(before), _side(after), key)
    restarted = tuple(one.name for one in difference.services if one.effect in ("starts", "restarts"))
    stopped = tuple(one.name for one in difference.services if one.effect == "stops")
    return Plan(None if _EVERYWHERE & set(restarted) else restarted, difference, stopped)


def _side(texts: Mapping[str, bytes]) -> Side:
    files, _ = diff.rendered_side(texts, (), {})
    return Side(files, is_resolved=True)
