"""--verify-signatures: whose commits are taken, and what is said of the others."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import needs
import pytest
from servers.git_http import GitHttpServer
from servers.repositories import Repository

from halgit.errors import NotFoundError, SourceError, UntrustedError, UsageError
from halgit.operator_settings import Access, SourceSpec
from halgit.sources import open_source


class Gpg:
    """A home of gpg with keys in it."""

    def __init__(self, home: Path) -> None:
        self.environment = {"GNUPGHOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C"}

    def run(self, *arguments: str) -> bytes:
        program = needs.program("gpg", "gnupg")
        done = subprocess.run(
            [program, "--batch", "--no-tty", "--pinentry-mode=loopback", "--passphrase=", *arguments],
            env=self.environment, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def key(self, name: str, until: str = "never", *options: str) -> str:
        """Make a key for signing; its name."""
        self.run(*options, "--quick-generate-key", f"{name} <{name}@example.com>", "ed25519", "sign", until)
        return f"{name}@example.com"


@pytest.fixture(scope="module")
def gpg() -> Iterator[Gpg]:
    """In a short path: gpg's agent listens on a socket in its home."""
    with tempfile.TemporaryDirectory(prefix="gpg") as home:
        made = Gpg(Path(home))
        made.key("alice")
        made.key("mallory")
        made.key("old", "20240102T000000", "--faked-system-time=20240101T000000")
        yield made
        subprocess.run(["gpgconf", "--kill", "all"], env=made.environment, check=True)


@pytest.fixture
def repository(tmp_path: Path, gpg: Gpg) -> Repository:
    made = Repository(tmp_path / "served" / "repo", GNUPGHOME=gpg.environment["GNUPGHOME"])
    made.commit({"config": "a"})
    return made


def refused(url: str, access: Access, ref: str = "") -> str:
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(url, ref), access)
    assert isinstance(caught.value.__cause__, UntrustedError)
    return str(caught.value)


def taken(url: str, access: Access, ref: str = "") -> bool:
    with closing(open_source(SourceSpec(url, ref), access)) as snapshot:
        return snapshot.read(["config"]) == {"config": b"a"}


class TestGpg:
    @pytest.fixture(params=["armored", "binary"])
    def ring(self, request: pytest.FixtureRequest, gpg: Gpg, tmp_path: Path) -> Path:
        """The exported keys of two, one after the other."""
        file = tmp_path / "ring"
        armor = ["--armor"] if request.param == "armored" else []
        names = ("old@example.com", "alice@example.com")
        file.write_bytes(b"".join(gpg.run(*armor, "--export", name) for name in names))
        return file

    def test_a_known_signer(self, repository: Repository, ring: Path, access: Callable[..., Access]) -> None:
        repository.commit(None, "--gpg-sign=alice@example.com")
        assert taken(repository.url, access(verify_signatures=str(ring)))
        with GitHttpServer(repository.folder.parent) as server:
            assert taken(f"{server.url}/repo", access(verify_signatures=str(ring)))

    def test_no_signature(self, repository: Repository, ring: Path, access: Callable[..., Access]) -> None:
        commit = repository.git("rev-parse", "HEAD")
        assert refused(repository.url, access(verify_signatures=str(ring))) == (
            f"{repository.url}: commit {commit[:12]} is not trusted: it is not signed. "
            "Sign the commit with a trusted key, or add the signer to the file of --verify-signatures."
        )

    def test_another_signer(self, repository: Repository, ring: Path, access: Callable[..., Access]) -> None:
        repository.commit(None, "--gpg-sign=mallory@example.com")
        words = refused(repository.url, access(verify_signatures=str(ring)))
        assert "is not trusted: its signer is not in the trusted keys." in words

    def test_a_signature_of_something_else(
        self, repository: Repository, ring: Path, access: Callable[..., Access]
    ) -> None:
        repository.commit(None, "--gpg-sign=alice@example.com")
        signed = repository.git("cat-file", "commit", "HEAD") + "\n"
        forged = repository.git(
            "hash-object", "-w", "-t", "commit", "--stdin", stdin=signed.replace("A change", "Another").encode()
        )
        repository.git("update-ref", "refs/heads/main", forged)
        words = refused(repository.url, access(verify_signatures=str(ring)))
        assert "is not trusted: its signature is invalid." in words

    def test_a_key_out_of_date(
        self, repository: Repository, gpg: Gpg, tmp_path: Path, access: Callable[..., Access]
    ) -> None:
        wrapper = tmp_path / "gpg-of-then"
        wrapper.write_text('#!/bin/sh\nexec gpg --faked-system-time=20240101T000000 "$@"\n')
        wrapper.chmod(0o755)
        repository.git("config", "gpg.program", str(wrapper))
        repository.commit(None, "--gpg-sign=old@example.com")
        ring = tmp_path / "old"
        ring.write_bytes(gpg.run("--export", "old@example.com"))
        words = refused(repository.url, access(verify_signatures=str(ring)))
        assert "is not trusted: the signer's key has expired or was revoked." in words

    def test_of_a_tag_the_commit_counts(
        self, repository: Repository, ring: Path, access: Callable[..., Access]
    ) -> None:
        repository.git("tag", "--sign", "--local-user=alice@example.com", "--message=A tag", "signed-tag")
        words = refused(repository.url, access(verify_signatures=str(ring)), "signed-tag")
        assert "it is not signed (for a tag, the signature of its commit counts)." in words
        repository.commit(None, "--gpg-sign=alice@example.com")
        repository.git("tag", "--annotate", "--message=A tag", "plain-tag")
        assert taken(repository.url, access(verify_signatures=str(ring)), "plain-tag")

    def test_a_signature_of_ssh(
        self, repository: Repository, ring: Path, access: Callable[..., Access], keys: dict[str, Path]
    ) -> None:
        sign_by_ssh(repository, keys["alice"])
        words = refused(repository.url, access(verify_signatures=str(ring)))
        assert "is not trusted: its signer is not in the trusted keys." in words


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    """Private ssh keys by the name of their owner."""
    program = needs.program("ssh-keygen", "openssh-client")
    found = {}
    for name in ("alice", "mallory"):
        found[name] = tmp_path / name
        subprocess.run([program, "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", found[name]], check=True)
    return found


def sign_by_ssh(repository: Repository, key: Path) -> None:
    repository.git("config", "gpg.format", "ssh")
    repository.git("config", "user.signingKey", str(key))
    repository.commit(None, "--gpg-sign")


class TestSsh:
    @pytest.fixture
    def signers(self, keys: dict[str, Path], tmp_path: Path) -> Path:
        """The allowed signers: alice."""
        file = tmp_path / "signers"
        public = keys["alice"].with_suffix(".pub").read_text()
        file.write_text(f'# who may\nalice@example.com namespaces="git" {public}')
        return file

    def test_a_known_signer(
        self, repository: Repository, keys: dict[str, Path], signers: Path, access: Callable[..., Access]
    ) -> None:
        sign_by_ssh(repository, keys["alice"])
        assert taken(repository.url, access(verify_signatures=str(signers)))

    def test_another_signer(
        self, repository: Repository, keys: dict[str, Path], signers: Path, access: Callable[..., Access]
    ) -> None:
        sign_by_ssh(repository, keys["mallory"])
        words = refused(repository.url, access(verify_signatures=str(signers)))
        assert "is not trusted: its signer is not in the trusted keys." in words

    def test_no_signature(self, repository: Repository, signers: Path, access: Callable[..., Access]) -> None:
        assert "is not trusted: it is not signed." in refused(repository.url, access(verify_signatures=str(signers)))

    def test_a_signature_of_something_else(
        self, repository: Repository, keys: dict[str, Path], signers: Path, access: Callable[..., Access]
    ) -> None:
        sign_by_ssh(repository, keys["alice"])
        signed = repository.git("cat-file", "commit", "HEAD") + "\n"
        forged = repository.git(
            "hash-object", "-w", "-t", "commit", "--stdin", stdin=signed.replace("A change", "Another").encode()
        )
        repository.git("update-ref", "refs/heads/main", forged)
        assert "is not trusted: its signature " in refused(repository.url, access(verify_signatures=str(signers)))

    def test_a_signature_of_gpg(self, repository: Repository, signers: Path, access: Callable[..., Access]) -> None:
        repository.commit(None, "--gpg-sign=alice@example.com")
        words = refused(repository.url, access(verify_signatures=str(signers)))
        assert "is not trusted: its signer is not in the trusted keys." in words


@pytest.mark.parametrize("kind", ["gpg", "ssh"])
def test_the_program_is_not_there(
    repository: Repository, gpg: Gpg, keys: dict[str, Path], tmp_path: Path, access: Callable[..., Access], kind: str
) -> None:
    repository.commit(None, "--gpg-sign=alice@example.com")
    file, programs = tmp_path / "file", tmp_path / "programs"
    file.write_bytes(gpg.run("--export", "alice@example.com"))
    if kind == "ssh":
        sign_by_ssh(repository, keys["alice"])
        file.write_text(f"alice {keys['alice'].with_suffix('.pub').read_text()}")
    programs.mkdir()
    for name in ("git", "git-upload-pack"):
        (programs / name).symlink_to(needs.program(name, "git"))
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(repository.url), access({"PATH": str(programs)}, verify_signatures=str(file)))
    assert isinstance(caught.value.__cause__, NotFoundError)


def test_files_of_no_use(
    repository: Repository, gpg: Gpg, keys: dict[str, Path], tmp_path: Path, access: Callable[..., Access]
) -> None:
    repository.commit(None, "--gpg-sign=alice@example.com")
    file = tmp_path / "file"
    neither = "is neither a GPG key ring nor an ssh allowed-signers file."
    home = Path(gpg.environment["GNUPGHOME"])
    for content, words in (
        (b"", neither),
        (b"hello\n", neither),
        (keys["alice"].with_suffix(".pub").read_bytes(), neither),
        (keys["alice"].read_bytes(), "contains a private key. Use public keys only."),
        (gpg.run("--armor", "--export-secret-keys", "alice@example.com"), "contains a private key."),
        ((home / "pubring.kbx").read_bytes(), "is a GPG keybox. Export the keys with `gpg --export`."),
        (
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n",
            "contains no key that gpg can read. Export the keys again.",
        ),
    ):
        file.write_bytes(content)
        with pytest.raises(UsageError) as caught:
            open_source(SourceSpec(repository.url), access(verify_signatures=str(file)))
        assert str(caught.value).startswith(f"--verify-signatures {file} {words}")
    with pytest.raises(UsageError) as caught:
        open_source(SourceSpec(repository.url), access(verify_signatures="/nowhere"))
    assert str(caught.value) == (
        "--verify-signatures /nowhere cannot be read: No such file or directory. Name a readable file."
    )
