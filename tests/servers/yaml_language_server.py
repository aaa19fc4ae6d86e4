"""The real yaml-language-server, spoken to over its standard input and output as an editor does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import needs


class LanguageServer:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[bytes] = process.stdin
        self._out: IO[bytes] = process.stdout
        self._folder = folder
        self._number = 0

    def start(self, settings: dict[str, Any]) -> None:
        """Agree on capabilities and set the editor's settings."""
        root = self._folder.as_uri()
        self._send("initialize", {"processId": None, "rootUri": root, "capabilities": {}}, wants_answer=True)
        self._answer_requests(settings, lambda message: message.get("id") == 1 and "result" in message)
        self._send("initialized", {})
        self._settings = settings
        self._send("workspace/didChangeConfiguration", {"settings": settings})

    def diagnose(self, path: str, text: str) -> list[str]:
        """Open a file for the first time and return the messages that an editor would show, with their lines."""
        uri = (self._folder / path).as_uri()
        self._send(
            "textDocument/didOpen",
            {"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}},
        )
        found = self._answer_requests(
            self._settings,
            lambda message: (
                message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri
            ),
        )
        return [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in found["params"]["diagnostics"]]

    def _answer_requests(self, settings: dict[str, Any], is_wanted: Any) -> dict[str, Any]:
        """Read until a wanted message, answering what the server asks meanwhile."""
        while True:
            message = self._read()
            if is_wanted(message):
                return message
            if "id" in message and "method" in message:
                items = message.get("params", {}).get("items", [])
                answer = [self._section(settings, item.get("section", "")) for item in items] or None
                self._write({"jsonrpc": "2.0", "id": message["id"], "result": answer})

    @staticmethod
    def _section(settings: dict[str, Any], name: str) -> Any:
        return settings.get(name, {} if "." not in name else None)

    def _send(self, method: str, params: dict[str, Any], *, wants_answer: bool = False) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        if wants_answer:
            self._number += 1
            message["id"] = self._number
        self._write(message)

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._in.flush()

    def _read(self) -> dict[str, Any]:
        length = 0
        while (line := self._out.readline().strip()) or not length:
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
            elif not line:
                raise EOFError("the language server ended")
        message: dict[str, Any] = json.loads(self._out.read(length))
        return message


@contextmanager
def language_server(folder: Path, settings: dict[str, Any]) -> Iterator[LanguageServer]:
    """A server for the length of a with block; `folder` is the workspace."""
    program = needs.npm_tool("yaml-language-server")
    process = subprocess.Popen(
        [program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        server = LanguageServer(process, folder)
        server.start(settings)
        yield server
    finally:
        process.kill()
        process.communicate()
