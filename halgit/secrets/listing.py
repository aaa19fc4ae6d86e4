"""The rows of `halgit secrets list` and `secrets check`: each reference, its engine and its places, never a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from halgit import references
from halgit.errors import NotFoundError, RemoteError
from halgit.pipeline import Reference
from halgit.record import Record
from halgit.remotes.engine import Presence
from halgit.secrets.engines import Engines, ask_engines
from halgit.secrets.plan import Locate, SecretPlan, Use, places

State = Literal["there", "missing", "refused", "unknown"]


class ReferenceRow(Record):
    """One reference. `places` are `file:line: path`; `left` says that Spinnaker or the mode leaves it as it is."""

    reference: str
    engine: str
    places: tuple[str, ...]
    left: bool


class SecretCheck(Record):
    """Result of asking for a secret. `how` is `metadata`, or `read` if the engine has no metadata."""

    row: ReferenceRow
    state: State
    how: str
    detail: str = ""


def list_references(plan: SecretPlan, locate: Locate = tuple) -> tuple[ReferenceRow, ...]:
    """Every reference of a tree, each once, in the order they are first met."""
    return tuple(_row(uses, plan, locate) for uses in _by_name(plan).values())


def check_secrets(plan: SecretPlan, engines: Engines, locate: Locate = tuple) -> tuple[SecretCheck, ...]:
    """Return whether the secrets exist that a render would read; each distinct one is asked for once."""
    groups = {name: uses for name, uses in _by_name(plan).items() if any(use.action != "leave" for use in uses)}
    wanted: dict[str, Reference] = {}
    for uses in groups.values():
        wanted.setdefault(references.format_address(uses[0].reference), uses[0].reference)
    answers = ask_engines(wanted, engines, lambda engine, reference: engine.check(reference))
    return tuple(_checked_with_default(uses, plan, answers, locate) for uses in groups.values())


def _checked_with_default(
    uses: list[Use], plan: SecretPlan, answers: Mapping[str, Presence | RemoteError], locate: Locate
) -> SecretCheck:
    reference = uses[0].reference
    found = _checked(_row(uses, plan, locate), reference, answers[references.format_address(reference)])
    if found.state == "missing" and all(use.reference.has("default") for use in uses):
        return SecretCheck(found.row, "there", found.how, "it does not exist; the default is used")
    return found


def _checked(row: ReferenceRow, reference: Reference, answer: Presence | RemoteError) -> SecretCheck:
    if isinstance(answer, RemoteError):
        state: State = "missing" if isinstance(answer, NotFoundError) else "refused"
        return SecretCheck(row, state, "", str(answer))
    key = reference.get("key")
    if not key or answer.keys is None:
        return SecretCheck(row, "there", answer.how, "keys not checked" if key else "")
    if key in answer.keys:
        return SecretCheck(row, "there", answer.how)
    first = key.partition(".")[0]
    if first in answer.keys:
        return SecretCheck(row, "there", answer.how, f"only {first} of the key was checked")
    listed = ", ".join(sorted(answer.keys)) or "none"
    return SecretCheck(row, "missing", answer.how, f"the secret has no key {key} (keys: {listed})")


def _by_name(plan: SecretPlan) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for use in plan.uses:
        found.setdefault(references.describe_reference(use.reference), []).append(use)
    return found


def _row(uses: list[Use], plan: SecretPlan, locate: Locate) -> ReferenceRow:
    first = uses[0].reference
    where = tuple(places(uses, plan.compiled, locate))
    return ReferenceRow(
        references.describe_reference(first), first.engine, where, all(use.action == "leave" for use in uses)
    )
