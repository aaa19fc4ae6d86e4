"""What could not be had, told all at once: one line for each secret, with the place of the layer that names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from halgit.errors import RemoteError, SecretError
from halgit.pipeline import Compiled
from halgit.references import shown
from halgit.secrets.places import Put, places
from halgit.secrets.survey import Use

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """One use of a secret, and why it has no value."""

    use: Use
    reason: RemoteError


def error_of(failures: Sequence[Failure], compiled: Compiled, put: Put) -> SecretError:
    """One error with a line for each distinct trouble, at its first place; further places are named after it."""
    lines = [_line(group, compiled, put) for group in _grouped(failures)]
    return SecretError("\n".join(lines))


def _grouped(failures: Sequence[Failure]) -> list[list[Failure]]:
    groups: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        groups.setdefault((str(failure.reason), shown(failure.use.reference)), []).append(failure)
    by_trouble: dict[str, list[Failure]] = {}
    for (trouble, name), group in groups.items():
        key = trouble if len({n for t, n in groups if t == trouble}) > 1 else f"{trouble}\0{name}"
        by_trouble.setdefault(key, []).extend(group)
    return list(by_trouble.values())


def _line(group: Sequence[Failure], compiled: Compiled, put: Put) -> str:
    first = places([each.use for each in group[: _NAMED + 1]], compiled, put)
    line = f"{first[0]}: {group[0].reason.message}"
    if len(group) > 1:
        rest = first[1 : 1 + _NAMED]
        more = f" and {len(group) - 1 - len(rest)} more places" if len(group) - 1 > len(rest) else ""
        line += f" (Also at {'; '.join(rest)}{more}.)"
    return f"{line} {group[0].reason.hint}".rstrip()
