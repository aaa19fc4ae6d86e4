"""How often and how long a remote is asked again: bounded, with jitter, and as the server says where it says.

Only Throttled and Unreachable are tried again; a refusal stays one.
"""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Callable
from typing import TypeVar

from halgit.errors import Throttled, Unreachable

Answer = TypeVar("Answer")

_FIRST_PAUSE = 0.2


def persist(
    ask: Callable[[], Answer], *, retries: int, patience: float, sleep: Callable[[float], None] = time.sleep
) -> Answer:
    """What `ask` gives, tried again at most `retries` times within `patience` seconds.

    A Retry-After is honoured in full, plus jitter; one that is longer than the patience left ends the tries.
    """
    end = time.monotonic() + patience
    for attempt in range(retries):
        try:
            return ask()
        except (Throttled, Unreachable) as reason:
            pause = _pause(reason, attempt)
            if time.monotonic() + pause > end:
                raise
            sleep(pause)
    return ask()


def _pause(reason: Throttled | Unreachable, attempt: int) -> float:
    asked = reason.retry_after if isinstance(reason, Throttled) else None
    jitter: float = random.uniform(0.5, 1.0) * _FIRST_PAUSE * 2**attempt
    return jitter if asked is None else asked + jitter / 4


def retry_after(header: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; None where it makes no sense."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header.strip())
    try:
        date = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - time.time())
