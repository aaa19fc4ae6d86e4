"""Whether a commit is signed by somebody the operator trusts.

The operator's file is either a GPG key ring of public keys (as `gpg --export` writes it, armored or not) or a list of
allowed signers for ssh (ssh-keygen(1), ALLOWED SIGNERS); its content tells which. Only what stands in it is trusted:
no key of the user or machine counts and none is looked up. A commit that is not signed is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

from halgit.errors import NotFoundError, RemoteError, UntrustedError, UsageError
from halgit.lazy import lazy_pattern
from halgit.remotes.git.fetch import Tip
from halgit.remotes.git.program import Answer
from halgit.remotes.git.work_directory import WorkDirectory
from halgit.remotes.private_files import read_operator_file

_ARMORED = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_BLOCK = lazy_pattern(_ARMORED + rb"(.*?)\n-----END PGP", re.DOTALL)
_PRIVATE = lazy_pattern(rb"-----BEGIN (PGP|OPENSSH|RSA|EC)? ?PRIVATE KEY")
_KEYBOX = b"KBXf"
_ALLOWED = lazy_pattern(rb"^[^\s#].*\s(ssh-|ecdsa-|sk-ssh-|sk-ecdsa-)[a-z0-9@.-]+\s+AAAA", re.MULTILINE)
_GPG_SETTINGS = """\
no-autostart
no-auto-key-retrieve
no-auto-key-locate
batch
no-tty
trust-model always
no-default-keyring
keyring ring.gpg
"""

_VERDICTS = (
    (r"\bBADSIG\b|incorrect signature|Signature verification failed|Could not verify", "its signature is invalid"),
    (r"\b(EXPKEYSIG|REVKEYSIG)\b", "the signer's key has expired or was revoked"),
    (r"\bEXPSIG\b", "its signature has expired"),
    (r"\bNO_PUBKEY\b|\bERRSIG\b|[Nn]o principal matched|allowedSignersFile", "its signer is not in the trusted keys"),
)


def verify(work_directory: WorkDirectory, tip: Tip, file: str) -> None:
    """Raise Untrusted unless the commit has a good signature by a key in this file; UsageError for a file of no use.

    Of a tag the commit it leads to counts, not the tag's own signature: the commit is what names the files.
    """
    content = _content(file)
    commit = work_directory.require_output("cat_file", "commit", tip.commit)
    if b"\ngpgsig" not in commit.partition(b"\n\n")[0]:
        raise _untrusted(work_directory, tip, "it is not signed")
    answer = (
        _gpg(work_directory, tip, file, content) if _is_key_ring(content, file) else _ssh(work_directory, tip, file)
    )
    if "cannot run" in answer.words:
        raise NotFoundError(
            "The program that verifies signatures is not installed.", "Install gnupg, or ssh-keygen of OpenSSH."
        )
    if answer.status:
        raise _untrusted(work_directory, tip, _verdict(answer))


def _content(file: str) -> bytes:
    try:
        return read_operator_file(file)
    except OSError as reason:
        raise UsageError(
            f"--verify-signatures {file} cannot be read: {reason.strerror}.", "Name a readable file."
        ) from None


def _is_key_ring(content: bytes, file: str) -> bool:
    """True for GPG's keys, False for ssh's allowed signers."""
    if _PRIVATE.search(content):
        raise UsageError(f"--verify-signatures {file} contains a private key.", "Use public keys only.")
    if content[8:12] == _KEYBOX:
        raise UsageError(f"--verify-signatures {file} is a GPG keybox.", "Export the keys with `gpg --export`.")
    if _ARMORED in content or content[:1] in {b"\x98", b"\x99", b"\xc6"}:
        return True
    if _ALLOWED.search(content):
        return False
    raise UsageError(
        f"--verify-signatures {file} is neither a GPG key ring nor an ssh allowed-signers file.",
        "Create it with `gpg --export --armor KEY`, or write lines such as `me@example.com ssh-ed25519 AAAA...`.",
    )


def _home(work_directory: WorkDirectory) -> Path:
    """An empty home for gpg, so that no key of the user's own counts."""
    home = work_directory.folder / "gnupg"
    home.mkdir(mode=0o700, exist_ok=True)
    return home


def _gpg(work_directory: WorkDirectory, tip: Tip, file: str, content: bytes) -> Answer:
    """The keys are used as a ring as they stand: an import would want gpg's agent."""
    home = _home(work_directory)
    (home / "ring.gpg").write_bytes(_without_armor(content))
    (home / "gpg.conf").write_text(_GPG_SETTINGS, encoding="ascii")
    keys = work_directory.run("gpg", "--list-keys", "--with-colons", GNUPGHOME=str(home))
    if not keys.output.startswith(b"pub:") and b"\npub:" not in keys.output:
        raise UsageError(f"--verify-signatures {file} contains no key that gpg can read.", "Export the keys again.")
    return work_directory.run_local("verify_commit", "--raw", tip.commit, GNUPGHOME=str(home))


def _without_armor(content: bytes) -> bytes:
    """The key packets as they are, out of all armored blocks where there are any (RFC 4880, section 6.2)."""
    if _ARMORED not in content:
        return content
    packets = b""
    for block in _BLOCK.findall(content.replace(b"\r\n", b"\n")):
        _, _, body = block.partition(b"\n\n")
        lines = [line for line in body.split(b"\n") if not line.startswith(b"=")]
        try:
            packets += base64.b64decode(b"".join(lines))
        except binascii.Error:
            continue
    return packets


def _ssh(work_directory: WorkDirectory, tip: Tip, file: str) -> Answer:
    settings = [f"gpg.ssh.allowedSignersFile={Path(file).absolute()}"]
    return work_directory.run_local(
        "verify_commit", "--raw", tip.commit, settings=settings, GNUPGHOME=str(_home(work_directory))
    )


def _verdict(answer: Answer) -> str:
    for words, verdict in _VERDICTS:
        if re.search(words, answer.words):
            return verdict
    return "its signature cannot be verified"


def _untrusted(work_directory: WorkDirectory, tip: Tip, verdict: str) -> RemoteError:
    note = " (for a tag, the signature of its commit counts)" if tip.is_tag else ""
    return UntrustedError(
        f"{work_directory.address.url}: commit {tip.commit[:12]} is not trusted: {verdict}{note}.",
        "Sign the commit with a trusted key, or add the signer to the file of --verify-signatures.",
    )
