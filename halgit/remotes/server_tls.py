"""TLS of a server: its certificate and the CA of its clients, from files that are read again when they change."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import Any

from halgit.errors import UsageError


class ServerTls:
    """TLS by the operator's files as they are now: new connections have a certificate that was renewed meanwhile.

    Raises UsageError for files that cannot be used; later it logs that once, and goes on with those before.
    """

    def __init__(self, cert_file: str, key_file: str, client_ca_file: str, log: Callable[[str], object]) -> None:
        self._cert_file = cert_file
        self._key_file = key_file
        self._client_ca_file = client_ca_file
        self._log = log
        self._seen = self._stamps()
        self.context = self._current = self._load()
        # The first context is the listener's for good; OpenSSL asks here, for each handshake, which one to use.
        self.context.sni_callback = self._choose

    def _choose(self, connection: Any, name: object, context: object) -> None:
        stamps = self._stamps()
        if stamps != self._seen:
            self._seen = stamps
            try:
                self._current = self._load()
                self._log("The files of TLS have changed and are used from now on.")
            except UsageError as reason:
                self._log(f"The files of TLS before are still used: {reason.message}")
        connection.context = self._current

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A session that is resumed by a ticket would outlive the CA of its client.
        context.num_tickets, context.options = 0, context.options | ssl.OP_NO_TICKET
        try:
            option = f"--tls-cert-file {self._cert_file}, --tls-key-file {self._key_file}"
            context.load_cert_chain(self._cert_file, self._key_file, "")
            if self._client_ca_file:
                option = f"--client-ca-file {self._client_ca_file}"
                context.load_verify_locations(self._client_ca_file)
                context.verify_mode = ssl.CERT_OPTIONAL
        except OSError as reason:
            raise UsageError(f"{option}: {_words(reason)}.", "Name files in PEM that belong together.") from None
        return context

    def _stamps(self) -> tuple[object, ...]:
        return tuple(_stamp(file) for file in (self._cert_file, self._key_file, self._client_ca_file) if file)


def _words(reason: OSError) -> str:
    if isinstance(reason, ssl.SSLError):
        return f"OpenSSL does not accept them ({reason.reason or 'no PEM'})"
    return reason.strerror or type(reason).__name__


def _stamp(file: str) -> object:
    try:
        state = os.stat(file)
    except OSError:
        return None
    return (state.st_mtime_ns, state.st_size, state.st_ino)
