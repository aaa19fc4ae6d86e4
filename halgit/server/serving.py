"""The server process: uvicorn with TLS and client certificates, its log in ours, an orderly end."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from halgit.record import Record
from halgit.remotes.server_tls import ServerTls
from halgit.server.protocol import IDLE_SECONDS, Protocol

_HEADER_BYTES: Final = 32 * 1024
_STOP_SECONDS: Final = 4
Log = Callable[[str], object]


class Listening(Record):
    """Address to serve at, and the files of TLS; without them it is plain HTTP."""

    host: str
    port: int
    cert_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""


class _Server(uvicorn.Server):
    """Refuses what waits in the queue as soon as a signal comes."""

    def __init__(self, config: uvicorn.Config, writers: Any) -> None:
        super().__init__(config)
        self._writers = writers

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        for writer in self._writers():
            writer.stop(_STOP_SECONDS - 1)


class _LogHandler(logging.Handler):
    """Writes what the libraries of the server report to our log, with the trace of a bug."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log(self.format(record))


def serve(app: FastAPI, listening: Listening, writers: Any, log: Log) -> None:
    """Serve until a signal comes. `writers` returns the writers that are in use. Raises UsageError for files of TLS."""
    files = (listening.cert_file, listening.key_file, listening.client_ca_file)
    tls = ServerTls(*files, log) if listening.cert_file else None
    for name in ("uvicorn", "asyncio"):
        logging.getLogger(name).addHandler(_LogHandler(log))
    config = uvicorn.Config(
        app,
        host=listening.host,
        port=listening.port,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        http=_protocol(app),
        ws="none",
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        backlog=1024,
    )
    config.load()
    config.ssl = tls.context if tls else None
    asyncio.run(_Server(config, writers).serve())


def _protocol(app: FastAPI) -> Any:
    return partial(Protocol, count=app.state.count)


def serve_beside(app: FastAPI, host: str, port: int) -> None:
    """Serve plain HTTP on another address until the process ends, in a thread of its own; exits where it is in use."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        http=_protocol(app),
        ws="none",
    )
    socket = config.bind_socket()
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True, name="metrics").start()
