"""What git and ssh say, word for word as their versions have it, and what is made of it."""

from __future__ import annotations

import pytest

from halgit.errors import NotFoundError, RefusedError, RemoteError, ThrottledError, UnreachableError, UntrustedError
from halgit.remotes.git.address import read_address
from halgit.remotes.git.program import translate_message

HTTPS = "https://git.example/ssl-proxy-tls/repo.git"
ACCESS = f"fatal: unable to access '{HTTPS}/':"
SSH = "git@git.example:proxy/ssl.git"


@pytest.mark.parametrize(
    ("url", "said", "kind", "words"),
    [
        (HTTPS, f"{ACCESS} Failed to connect to git.example port 443: Connection refused",
         UnreachableError, "git.example is unreachable."),
        (HTTPS, f"{ACCESS} Could not resolve host: git.example",
         UnreachableError, "the host name git.example cannot be resolved."),
        (HTTPS, f"{ACCESS} Could not resolve proxy: proxy.example",
         UnreachableError, "the proxy rejected the connection to git.example."),
        (HTTPS, f"{ACCESS} Received HTTP code 407 from proxy after CONNECT",
         UnreachableError, "the proxy rejected the connection to git.example."),
        (HTTPS, f"{ACCESS} The requested URL returned error: 503",
         ThrottledError, "git.example asks to retry later."),
        (HTTPS, f"{ACCESS} The requested URL returned error: 301",
         RefusedError, "git.example responded with a redirect, which is not followed"),
        (HTTPS, f"{ACCESS} SSL certificate problem: unable to get local issuer certificate",
         UntrustedError, "signed by an untrusted CA."),
        (HTTPS, f"{ACCESS} server certificate verification failed. CAfile: none CRLfile: none",
         UntrustedError, "signed by an untrusted CA."),
        (HTTPS, f"{ACCESS} SSL certificate problem: certificate has expired",
         UntrustedError, "the certificate of git.example is expired or not yet valid."),
        (HTTPS, f"{ACCESS} SSL: no alternative certificate subject name matches target host "
         "name 'git.example'", UntrustedError, "the certificate of git.example is for another host name."),
        (HTTPS, f"{ACCESS} error setting certificate verify locations:  CAfile: /x.pem",
         UntrustedError, "the CA file is not usable."),
        (HTTPS, f"{ACCESS} gnutls_handshake() failed: An unexpected TLS packet was received.",
         UntrustedError, "the TLS connection to git.example failed."),
        (HTTPS, f"{ACCESS} OpenSSL SSL_connect: Connection reset by peer",
         UnreachableError, "git.example closed the connection."),
        (HTTPS, f"{ACCESS} GnuTLS recv error (-110): The TLS connection was non-properly "
         "terminated.", UnreachableError, "git.example closed the connection."),
        (HTTPS, f"fatal: Authentication failed for '{HTTPS}/'", RefusedError, "git.example rejected the login."),
        (HTTPS, "remote: HTTP Basic: Access denied\nfatal: Authentication failed for",
         RefusedError, "rejected the login."),
        (HTTPS, "fatal: could not read Username for 'https://git.example': terminal prompts disabled",
         RefusedError, "git.example requires credentials and none are set."),
        (HTTPS, "remote: Repository not found.\nfatal: repository 'x' not found", NotFoundError,
         "repository not found"),
        (HTTPS, "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: early EOF",
         UnreachableError, "git.example closed the connection."),
        (HTTPS, "fatal: write error: No space left on device", RemoteError, "the disk for temporary files is full."),
        (HTTPS, "error: unknown option `stdin'\nusage: git fetch", RemoteError, "the program git is too old."),
        (HTTPS, "fatal: cannot exec '/tmp/halgit-git-x/askpass': Permission denied", RemoteError,
         "the folder for temporary files does not allow executing programs."),
        (SSH, "git@git.example: Permission denied (publickey).\nfatal: Could not read from remote repository.",
         RefusedError, "git.example rejected the ssh key."),
        (SSH, "Load key \"/x\": error in libcrypto\ngit@git.example: Permission denied (publickey).",
         RefusedError, "not a private key that ssh can use without a passphrase."),
        (SSH, "No ED25519 host key is known for git.example and you have requested strict checking.\n"
         "Host key verification failed.", UntrustedError, "the host key of git.example is not in --known-hosts-file."),
        (SSH, "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.",
         UntrustedError, "the host key of git.example does not match --known-hosts-file."),
        (SSH, "ssh: Could not resolve hostname git.example: Name or service not known\n"
         "fatal: Could not read from remote repository.", UnreachableError,
         "the host name git.example cannot be resolved."),
        (SSH, "ssh: connect to host git.example port 22: Connection timed out", UnreachableError,
         "git.example did not respond in time."),
        (SSH, "kex_exchange_identification: Connection closed by remote host", UnreachableError,
         "git.example closed the connection."),
        (SSH, "ERROR: Repository not found.\nfatal: Could not read from remote repository.", NotFoundError,
         "repository not found"),
        (SSH, "No user exists for uid 1000680000\nfatal: Could not read from remote repository.", RemoteError,
         "ssh requires an /etc/passwd entry for the user id of halgit."),
        (SSH, "fatal: something new", RemoteError, "git reported: fatal: something new"),
        (SSH, "", RemoteError, "git reported: nothing"),
    ],
)  # fmt: skip
def test_words(url: str, said: str, kind: type[RemoteError], words: str) -> None:
    error = translate_message(read_address(url), said)
    assert type(error) is kind
    assert error.message.startswith(f"{url}: ")
    assert words in error.message
    assert error.hint.endswith(".")
