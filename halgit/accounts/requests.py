"""Requests with their results: a request that is repeated finds its result and changes nothing again.

A result is remembered in the process, and found by its key in the history of the store: by another process too, and
after a restart.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from halgit.accounts.changes import Change
from halgit.accounts.cipher import Cipher
from halgit.accounts.commits import find_request
from halgit.accounts.views import mask_fields
from halgit.errors import AccountError
from halgit.pipeline import Value
from halgit.record import Record, replace
from halgit.redaction import MASK
from halgit.remotes.git.push import LogEntry

_REMEMBERED: Final = 1000


class Request(Record):
    """A change with who asks for it. `key` names the request, so that a retry finds its result; empty for none."""

    change: Change
    author: str = ""
    key: str = ""
    digest: str = ""


class Written(Record):
    """The result of a change: the entry before and after, the files written or deleted, and notes for the caller.

    `revision` is empty if nothing had to be written, or in a dry run. `diff` is the change as lines, secrets masked.
    """

    before: Mapping[str, Value] | None
    after: Mapping[str, Value] | None
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    revision: str = ""
    diff: tuple[str, ...] = ()
    is_repeated: bool = False


def digest_request(operation: str, body: Mapping[str, Any], cipher: Cipher | None) -> str:
    """Return a digest that tells requests apart, and that no guess of a secret in the body can be tested with.

    It is stored with the change. With the operator's key it is an HMAC; without one it covers no secret.
    """
    if cipher is not None:
        return cipher.authenticate(f"{operation}\0{json.dumps(dict(body), sort_keys=True)}")[:32]
    shown = {**mask_fields(body), **({"kubeconfig": MASK} if body.get("kubeconfig") else {})}
    return hashlib.sha256(f"{operation}\0{json.dumps(shown, sort_keys=True)}".encode()).hexdigest()[:32]


class KeyReusedError(AccountError):
    """A request key was used before for another request."""


class Answers:
    """The results of the newest requests with a key; safe for several threads."""

    def __init__(self, file: str) -> None:
        """`file` is the name of the file of accounts, which a change from before a restart is taken to have written."""
        self._file = file
        self._results: OrderedDict[str, tuple[str, Written]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, request: Request, history: Callable[[], Sequence[LogEntry]]) -> Written | None:
        """Return the result of a request that was answered before; None if it was not.

        Raises KeyReusedError if its key was used for another request.
        """
        if not request.key:
            return None
        with self._lock:
            digest, result = self._results.get(request.key, ("", None))
        if result is None:
            digest, commit = find_request(history(), request.key)
            result = Written(None, None, (self._file,), (), commit) if digest else None
        if result is None:
            return None
        if digest != request.digest:
            raise KeyReusedError("This Idempotency-Key was used for another request.", "Choose a new one.")
        return replace(result, is_repeated=True)

    def remember(self, request: Request, result: Written) -> None:
        """Keep the result of a request that has a key."""
        if not request.key:
            return
        with self._lock:
            self._results[request.key] = (request.digest, result)
            while len(self._results) > _REMEMBERED:
                self._results.popitem(last=False)
