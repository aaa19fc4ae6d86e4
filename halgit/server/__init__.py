"""The HTTP face of `accounts/`: the same operations, for callers that show a token. Nothing is decided here.

    GET    /v1/accounts          GET    /v1/accounts/NAME     POST /v1/accounts     PATCH /v1/accounts/NAME
    DELETE /v1/accounts/NAME     POST   /v1/agents/NAME/manifest
    GET    /health               GET    /metrics              (both without a token)

An error is `{"error": {"code", "message"}}` with the exit code of the command line; a secret is in no answer but the
manifest's, and in no log.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from halgit.accounts.service import Accounts
from halgit.errors import UsageError
from halgit.server.application import application
from halgit.server.requests import Say

__all__ = ["application", "run"]


def run(accounts: Callable[[], Accounts], token: str, host: str, port: int, say: Say) -> None:
    """Serve until a signal comes. Raises UsageError where the server extra is not installed."""
    try:
        import uvicorn
    except ImportError:
        raise UsageError("The server is not installed.", "pip install 'halgit[server]'") from None
    accounts()
    gc.enable()
    say(f"Serving accounts at http://{host}:{port}")
    uvicorn.run(application(accounts, token, say), host=host, port=port, log_level="warning", access_log=False)
