"""What a failed connection to the controller means, by the types and codes of the errors, never by their texts.

TLS tells its faults apart by codes: those of a verification (OpenSSL's X509_V_ERR_*) for the controller's certificate,
and the alert that the controller sends for ours.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Final

from halgit.errors import CorruptError, RefusedError, RemoteError, UnreachableError, UntrustedError

_EXPIRED: Final = 10
_OTHER_NAME: Final = {62, 64}
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_OTHER_CA: Final = "The control certificate was issued by another CA."
_USE_OWN: Final = "Use the certificate of this controller."
_ALERTS: Final = {
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": (
        "The control certificate has expired.", "Renew it: `halgit isd status` shows its end.",
    ),
    "TLSV1_ALERT_UNKNOWN_CA": (_OTHER_CA, _USE_OWN),
    "TLSV1_ALERT_DECRYPT_ERROR": (_OTHER_CA, _USE_OWN),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": (
        "The controller requires a client certificate.", "Add --controller-cert-file.",
    ),
    "SSLV3_ALERT_BAD_CERTIFICATE": ("The controller refuses the control certificate.", _USE_OWN),
}  # fmt: skip
_NO_TLS: Final = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


class TranslatedFaults:
    """A with block that raises RemoteErrors for the errors of the HTTP library. `at` names the controller."""

    def __init__(self, at: str, call: str) -> None:
        self._at = at
        self._call = call

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, reason: BaseException | None, trace: object) -> None:
        from urllib3 import exceptions

        if isinstance(reason, (exceptions.NewConnectionError, exceptions.ConnectTimeoutError)):
            raise UnreachableError(f"{self._at} is unreachable.", "Check --controller-url and the network.") from None
        if isinstance(reason, (exceptions.HTTPError, OSError)):
            raise self._of(tuple(_causes(reason))) from None

    def _of(self, causes: tuple[BaseException, ...]) -> RemoteError:
        from urllib3.util.ssl_match_hostname import CertificateError

        if any(isinstance(one, CertificateError) for one in causes):
            return self._other_name()
        if any(isinstance(one, (ConnectionError, ssl.SSLEOFError)) for one in causes):
            return RefusedError(
                f"{self._at} ended the connection, as it does for a client certificate that it refuses.",
                "Check the control certificate: `halgit isd status` shows its end.",
            )
        fault = next((one for one in causes if isinstance(one, ssl.SSLError)), None)
        if fault is not None:
            return self._of_tls(fault)
        return CorruptError(f"{self._at} broke off the answer to {self._call}.", "Read its log, then run again.")

    def _of_tls(self, fault: ssl.SSLError) -> RemoteError:
        if isinstance(fault, ssl.SSLCertVerificationError):
            return self._of_server_certificate(fault.verify_code)
        if fault.reason in _ALERTS:
            message, hint = _ALERTS[fault.reason]
            return RefusedError(f"{self._at} ended the connection. {message}", hint)
        if fault.reason in _NO_TLS:
            return CorruptError(f"{self._at} does not use TLS.", "Check the port: the control API is on 9003.")
        return UntrustedError(f"{self._at} cannot agree on TLS: {fault.reason or fault}.", "Check --controller-url.")

    def _of_server_certificate(self, code: int) -> RemoteError:
        if code == _EXPIRED:
            at = self._at[0].lower() + self._at[1:]
            return UntrustedError(f"The certificate of {at} has expired.", "Restart the controller.")
        if code in _OTHER_NAME:
            return self._other_name()
        return UntrustedError(
            f"{self._at} has a certificate that --controller-ca-file does not verify.", "Use the controller's own CA."
        )

    def _other_name(self) -> RemoteError:
        return UntrustedError(
            f"{self._at} has a certificate for another name.", "Name it with --controller-server-name."
        )


def _causes(reason: BaseException) -> Iterator[BaseException]:
    """An error and those behind it, as the HTTP library wraps them."""
    seen: BaseException | None = reason
    known: set[int] = set()
    while seen is not None and id(seen) not in known:
        known.add(id(seen))
        yield seen
        inner = next((one for one in seen.args if isinstance(one, BaseException)), None)
        seen = inner or seen.__cause__ or seen.__context__
