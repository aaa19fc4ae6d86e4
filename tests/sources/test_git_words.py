"""What git and ssh say, word for word as their versions have it, and what is made of it."""

from __future__ import annotations

import pytest

from halgit.errors import Missing, Refused, RemoteError, Throttled, Unreachable, Untrusted
from halgit.remotes.git.address import read_address
from halgit.remotes.git.program import explain

HTTPS = "https://git.example/ssl-proxy-tls/repo.git"
ACCESS = f"fatal: unable to access '{HTTPS}/':"
SSH = "git@git.example:proxy/ssl.git"


@pytest.mark.parametrize(
    ("url", "said", "kind", "words"),
    [
        (HTTPS, f"{ACCESS} Failed to connect to git.example port 443: Connection refused",
         Unreachable, "git.example cannot be reached."),
        (HTTPS, f"{ACCESS} Could not resolve host: git.example",
         Unreachable, "the name git.example cannot be resolved."),
        (HTTPS, f"{ACCESS} Could not resolve proxy: proxy.example",
         Unreachable, "the proxy on the way to git.example does not let git through."),
        (HTTPS, f"{ACCESS} Received HTTP code 407 from proxy after CONNECT",
         Unreachable, "the proxy on the way to git.example does not let git through."),
        (HTTPS, f"{ACCESS} The requested URL returned error: 503",
         Throttled, "git.example asks to come back later."),
        (HTTPS, f"{ACCESS} The requested URL returned error: 301",
         Refused, "git.example answers with a redirect, which is not followed"),
        (HTTPS, f"{ACCESS} SSL certificate problem: unable to get local issuer certificate",
         Untrusted, "signed by an authority that is not trusted."),
        (HTTPS, f"{ACCESS} server certificate verification failed. CAfile: none CRLfile: none",
         Untrusted, "signed by an authority that is not trusted."),
        (HTTPS, f"{ACCESS} SSL certificate problem: certificate has expired",
         Untrusted, "the certificate of git.example is out of date."),
        (HTTPS, f"{ACCESS} SSL: no alternative certificate subject name matches target host "
         "name 'git.example'", Untrusted, "the certificate of git.example is for another host."),
        (HTTPS, f"{ACCESS} error setting certificate verify locations:  CAfile: /x.pem",
         Untrusted, "the file of certificate authorities cannot be used."),
        (HTTPS, f"{ACCESS} gnutls_handshake() failed: An unexpected TLS packet was received.",
         Untrusted, "no trusted connection to git.example comes about."),
        (HTTPS, f"{ACCESS} OpenSSL SSL_connect: Connection reset by peer",
         Unreachable, "git.example broke off the connection."),
        (HTTPS, f"{ACCESS} GnuTLS recv error (-110): The TLS connection was non-properly "
         "terminated.", Unreachable, "git.example broke off the connection."),
        (HTTPS, f"fatal: Authentication failed for '{HTTPS}/'", Refused, "git.example refuses the login."),
        (HTTPS, "remote: HTTP Basic: Access denied\nfatal: Authentication failed for", Refused, "refuses the login."),
        (HTTPS, "fatal: could not read Username for 'https://git.example': terminal prompts disabled",
         Refused, "git.example asks for a login and none is given."),
        (HTTPS, "remote: Repository not found.\nfatal: repository 'x' not found", Missing,
         "there is no repository here"),
        (HTTPS, "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: early EOF",
         Unreachable, "git.example broke off the connection."),
        (HTTPS, "fatal: write error: No space left on device", RemoteError, "there is no room for temporary files."),
        (HTTPS, "error: unknown option `stdin'\nusage: git fetch", RemoteError, "the program git is too old."),
        (HTTPS, "fatal: cannot exec '/tmp/halgit-git-x/askpass': Permission denied", RemoteError,
         "the folder for temporary files does not allow programs."),
        (SSH, "git@git.example: Permission denied (publickey).\nfatal: Could not read from remote repository.",
         Refused, "git.example refuses the ssh key."),
        (SSH, "Load key \"/x\": error in libcrypto\ngit@git.example: Permission denied (publickey).",
         Refused, "no private key that ssh can use without a passphrase."),
        (SSH, "No ED25519 host key is known for git.example and you have requested strict checking.\n"
         "Host key verification failed.", Untrusted, "the host key of git.example is not in --known-hosts-file."),
        (SSH, "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.",
         Untrusted, "the host key of git.example is not the one in --known-hosts-file."),
        (SSH, "ssh: Could not resolve hostname git.example: Name or service not known\n"
         "fatal: Could not read from remote repository.", Unreachable, "the name git.example cannot be resolved."),
        (SSH, "ssh: connect to host git.example port 22: Connection timed out", Unreachable,
         "git.example does not answer in time."),
        (SSH, "kex_exchange_identification: Connection closed by remote host", Unreachable,
         "git.example broke off the connection."),
        (SSH, "ERROR: Repository not found.\nfatal: Could not read from remote repository.", Missing,
         "there is no repository here"),
        (SSH, "No user exists for uid 1000680000\nfatal: Could not read from remote repository.", RemoteError,
         "ssh needs the user id halgit runs under in /etc/passwd."),
        (SSH, "fatal: something new", RemoteError, "git says: fatal: something new"),
        (SSH, "", RemoteError, "git says: nothing"),
    ],
)  # fmt: skip
def test_words(url: str, said: str, kind: type[RemoteError], words: str) -> None:
    error = explain(read_address(url), said)
    assert type(error) is kind
    assert error.message.startswith(f"{url}: ")
    assert words in error.message
    assert error.hint.endswith(".")
