"""Tokens, keys, certificates and proxies: what is used for which server, and what is refused."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import asyncssh
import needs
import pytest
from servers.certificates import Authority
from servers.git_http import GitHttpServer, Reply, Request
from servers.git_ssh import GitSshServer
from servers.repositories import Repository

from halgit.errors import NotFoundError, RefusedError, SourceError, UntrustedError, UsageError
from halgit.operator_settings import Access, PerHost, SourceSpec
from halgit.record import replace
from halgit.remotes.ssh_keys import find_key_problem
from halgit.sources import open_source

TOKEN = "tok/en+with=odd&characters%20é"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder that is served, with the repository `repo` in it."""
    made = Repository(tmp_path / "served" / "repo")
    made.commit({"config": "a"})
    made.git("config", "uploadpack.allowFilter", "true")
    return made.folder.parent


@pytest.fixture
def server(root: Path) -> Iterator[GitHttpServer]:
    with GitHttpServer(root, token=TOKEN) as running:
        yield running


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n", encoding="utf-8")
    return file


def config(url: str, access: Access) -> bytes:
    with closing(open_source(SourceSpec(url), access)) as snapshot:
        return snapshot.read(["config"])["config"]


def failure(url: str, access: Access) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(url), access)
    assert TOKEN not in str(caught.value)
    return caught.value


class TestTokens:
    def test_from_a_file_or_the_environment(
        self, server: GitHttpServer, token_file: Path, access: Callable[..., Access]
    ) -> None:
        for allowed in (
            access(git_token_file=token_file),
            access({"HALGIT_GIT_TOKEN": TOKEN}),
            access({"GIT_TOKEN": TOKEN}),
        ):
            assert config(f"{server.url}/repo", allowed) == b"a"

    def test_the_file_comes_before_the_environment(
        self, server: GitHttpServer, token_file: Path, access: Callable[..., Access]
    ) -> None:
        assert config(f"{server.url}/repo", access({"GIT_TOKEN": "wrong"}, git_token_file=token_file)) == b"a"

    @pytest.mark.parametrize("user", ["", "me", "me@example.com", "a b'c"])
    def test_the_user(self, server: GitHttpServer, token_file: Path, access: Callable[..., Access], user: str) -> None:
        server.user = user or "x-access-token"
        assert config(f"{server.url}/repo", access(git_token_file=token_file, git_user=user)) == b"a"

    def test_one_host_has_its_own(self, server: GitHttpServer, token_file: Path, access: Callable[..., Access]) -> None:
        for host in ("127.0.0.1", f"127.0.0.1:{server.port}"):
            own = PerHost("/nowhere", {host: str(token_file)})
            assert config(f"{server.url}/repo", replace(access(), git_token_file=own)) == b"a"

    def test_another_host_gets_none(
        self, server: GitHttpServer, token_file: Path, access: Callable[..., Access]
    ) -> None:
        other = PerHost("", {"git.example": str(token_file)})
        error = failure(f"{server.url}/repo", replace(access(), git_token_file=other))
        assert str(error) == (
            f"{server.url}/repo: 127.0.0.1:{server.port} requires credentials and none are set. "
            "Set --git-token-file (and --git-user)."
        )
        assert isinstance(error.__cause__, RefusedError)
        assert {request.login for request in server.seen} == {""}

    def test_a_server_that_does_not_ask_gets_none(
        self, server: GitHttpServer, token_file: Path, access: Callable[..., Access]
    ) -> None:
        server.token = ""
        assert config(f"{server.url}/repo", access(git_token_file=token_file)) == b"a"
        assert {request.login for request in server.seen} == {""}

    def test_a_wrong_one(self, server: GitHttpServer, access: Callable[..., Access]) -> None:
        error = failure(f"{server.url}/repo", access({"GIT_TOKEN": "wrong-token"}, retries=3))
        assert str(error) == (
            f"{server.url}/repo: 127.0.0.1:{server.port} rejected the login. "
            "Check that the token or key is valid and has permission for this repository."
        )
        assert len(server.seen) == 2, "a refused login is not tried again"

    def test_one_without_rights(self, server: GitHttpServer, access: Callable[..., Access]) -> None:
        server.rule = lambda request: Reply(403, b"no rights") if request.login else None
        assert "rejected the login." in str(failure(f"{server.url}/repo", access({"GIT_TOKEN": TOKEN})))

    def test_no_repository_or_not_shown(self, server: GitHttpServer, access: Callable[..., Access]) -> None:
        error = failure(f"{server.url}/other", access({"GIT_TOKEN": TOKEN}))
        assert isinstance(error.__cause__, NotFoundError)
        assert str(error) == (
            f"{server.url}/other: repository not found, or not visible to this login. "
            "Check the URL; a private repository requires --git-token-file or --ssh-key-file."
        )

    @pytest.mark.parametrize(
        ("content", "words"),
        [("", "is empty."), ("\n \n", "is empty."), ("one\ntwo", "is not one line of text."), ("a\x1bb", "is not one")],
    )
    def test_a_file_that_holds_none(
        self, tmp_path: Path, access: Callable[..., Access], content: str, words: str
    ) -> None:
        file = tmp_path / "token"
        file.write_text(content)
        with pytest.raises(UsageError) as caught:
            open_source(SourceSpec("https://git.example/a"), access(git_token_file=file))
        assert str(caught.value).startswith(f"https://git.example/a: the git token in {file} {words}")

    def test_a_file_that_is_not_there(self, tmp_path: Path, access: Callable[..., Access]) -> None:
        with pytest.raises(UsageError) as caught:
            open_source(SourceSpec("https://git.example/a"), access(git_token_file=tmp_path / "no"))
        assert str(caught.value) == (
            f"--git-token-file {tmp_path}/no cannot be read: No such file or directory. Name a readable file."
        )

    def test_it_does_not_cross_plain_http(self, token_file: Path, access: Callable[..., Access]) -> None:
        with pytest.raises(UsageError) as caught:
            open_source(SourceSpec("http://git.example/a"), access(git_token_file=token_file))
        assert str(caught.value) == (
            "http://git.example/a: a token is not sent over plain http. "
            "Use https://, or limit the token to its host with --git-token-file HOST=FILE."
        )

    def test_the_letter_case_of_a_host_does_not_matter(
        self, server: GitHttpServer, token_file: Path, access: Callable[..., Access]
    ) -> None:
        own = replace(access(), git_token_file=PerHost("", {"localhost": str(token_file)}))
        assert config(f"http://LocalHost:{server.port}/repo", own) == b"a"

    def test_plain_http_without_one_is_told(self, access: Callable[..., Access]) -> None:
        warnings: list[str] = []
        failure("http://git.invalid/a", replace(access(), warn=warnings.append))
        assert warnings == ["http://git.invalid/a: plain http: the content is not authenticated."]

    def test_several_at_once(self, root: Path, tmp_path: Path, access: Callable[..., Access]) -> None:
        """Each server gets its own token, though all are asked at the same time."""
        with ExitStack() as stack:
            tokens = [f"token-number-{number}" for number in range(6)]
            servers = [stack.enter_context(GitHttpServer(root, token=token)) for token in tokens]
            files = {f"127.0.0.1:{server.port}": str(tmp_path / server.token) for server in servers}
            for server in servers:
                (tmp_path / server.token).write_text(server.token)
            allowed = replace(access(), git_token_file=PerHost("", files))
            with ThreadPoolExecutor(6) as pool:
                found = list(pool.map(lambda server: config(f"{server.url}/repo", allowed), servers))
            assert found == [b"a"] * 6
            for server in servers:
                assert {request.login for request in server.seen} == {"", f"x-access-token:{server.token}"}


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    @pytest.mark.parametrize("after_login", [True, False])
    def test_none_is_followed(
        self, root: Path, server: GitHttpServer, access: Callable[..., Access], status: int, after_login: bool
    ) -> None:
        with GitHttpServer(root, token="other") as elsewhere:

            def away(request: Request) -> Reply | None:
                if request.login or not after_login:
                    return Reply(status, headers={"Location": elsewhere.url + request.path})
                return None

            server.rule = away
            error = failure(f"{server.url}/repo", access({"GIT_TOKEN": TOKEN}))
            assert elsewhere.seen == []
        assert str(error) == (
            f"{server.url}/repo: 127.0.0.1:{server.port} responded with a redirect, which is not followed, "
            "to keep credentials with their host. Use the repository's current URL (on GitLab it ends in .git)."
        )


class TestCertificates:
    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path / "ca")

    def open(self, root: Path, authority: Authority, access: Access, *names: str, days: int = 30) -> bytes:
        with GitHttpServer(root, tls=authority.server(*names, days=days)) as running:
            return config(f"{running.url}/repo", access)

    @pytest.mark.parametrize("name", ["GIT_SSL_CAINFO", "SSL_CERT_FILE"])
    def test_an_authority_from_the_usual_variables(
        self, root: Path, authority: Authority, access: Callable[..., Access], name: str
    ) -> None:
        assert self.open(root, authority, access({name: str(authority.ca)}), "127.0.0.1") == b"a"

    def test_an_authority_for_one_host(self, root: Path, authority: Authority, access: Callable[..., Access]) -> None:
        own = replace(access(), ca_file=PerHost("", {"127.0.0.1": str(authority.ca)}))
        assert self.open(root, authority, own, "127.0.0.1") == b"a"
        other = replace(access(), ca_file=PerHost("", {"git.example": str(authority.ca)}))
        with pytest.raises(SourceError, match="signed by an untrusted CA"):
            self.open(root, authority, other, "127.0.0.1")

    def test_an_unknown_authority(
        self,
        root: Path,
        authority: Authority,
        tmp_path: Path,
        access: Callable[..., Access],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
        other = Authority(tmp_path / "other")
        for allowed in (access({"GIT_SSL_NO_VERIFY": "true"}), access(ca_file=other.ca)):
            with pytest.raises(SourceError) as caught:
                self.open(root, authority, allowed, "127.0.0.1")
            assert isinstance(caught.value.__cause__, UntrustedError)
            assert str(caught.value).endswith(
                "is signed by an untrusted CA. Add the server's CA certificate with --ca-file."
            )

    def test_a_certificate_of_another_host(
        self, root: Path, authority: Authority, access: Callable[..., Access]
    ) -> None:
        with pytest.raises(SourceError) as caught:
            self.open(root, authority, access(ca_file=authority.ca), "git.example")
        assert isinstance(caught.value.__cause__, UntrustedError)
        assert str(caught.value).endswith("is for another host name. Use a host name of the certificate.")

    def test_a_certificate_out_of_date(self, root: Path, authority: Authority, access: Callable[..., Access]) -> None:
        with pytest.raises(SourceError) as caught:
            self.open(root, authority, access(ca_file=authority.ca), "127.0.0.1", days=-2)
        assert isinstance(caught.value.__cause__, UntrustedError)

    def test_a_file_that_is_none(self, root: Path, authority: Authority, access: Callable[..., Access]) -> None:
        authority.ca.write_text("nothing")
        with pytest.raises(SourceError) as caught:
            self.open(root, authority, access(ca_file=authority.ca), "127.0.0.1")
        assert isinstance(caught.value.__cause__, UntrustedError)
        with pytest.raises(SourceError, match="The CA file /nowhere does not exist"):
            self.open(root, authority, access(ca_file="/nowhere"), "127.0.0.1")


class TestProxies:
    def test_the_usual_variables_count(self, server: GitHttpServer, access: Callable[..., Access]) -> None:
        server.rule = lambda request: Reply(502)
        allowed = access({"http_proxy": server.url, "GIT_TOKEN": TOKEN})
        failure("http://localhost:9/repo", allowed)
        assert server.seen[0].path.startswith("http://localhost:9/repo/info/refs")
        seen = len(server.seen)
        failure("http://localhost:9/repo", access({"http_proxy": server.url, "no_proxy": "localhost"}))
        assert len(server.seen) == seen

    def test_a_proxy_that_asks_does_not_get_the_token(
        self, server: GitHttpServer, access: Callable[..., Access]
    ) -> None:
        server.rule = lambda request: Reply(407, headers={"Proxy-Authenticate": 'Basic realm="proxy"'})
        proxy = server.url.replace("//", "//somebody@")
        failure("http://localhost:9/repo", access({"http_proxy": proxy, "GIT_TOKEN": TOKEN}))
        assert all("proxy-authorization" not in request.headers for request in server.seen)


class TestSsh:
    @pytest.fixture
    def ssh(self, root: Path, tmp_path: Path) -> Iterator[GitSshServer]:
        with GitSshServer(root, tmp_path / "ssh") as running:
            yield running

    @pytest.fixture
    def keys(self, ssh: GitSshServer, access: Callable[..., Access]) -> Callable[..., Access]:
        """Access with the right key and host key, which options may replace."""
        return lambda **options: access(**{"ssh_key_file": ssh.key, "known_hosts_file": ssh.known_hosts, **options})

    def test_the_user(self, ssh: GitSshServer, keys: Callable[..., Access]) -> None:
        for url, options in (
            (f"ssh://{ssh.server}/repo", {}),
            (f"ssh://{ssh.server}/repo", {"git_user": "APKA123"}),
            (f"ssh://me@{ssh.server}/repo", {"git_user": "APKA123"}),
        ):
            assert config(url, keys(**options)) == b"a"
        assert list(dict.fromkeys(ssh.users)) == ["git", "APKA123", "me"]
        assert set(ssh.commands) == {"git-upload-pack '/repo'"}

    @pytest.mark.parametrize("mode", [0o440, 0o644])
    def test_a_key_as_kubernetes_mounts_it(self, ssh: GitSshServer, keys: Callable[..., Access], mode: int) -> None:
        ssh.key.chmod(mode)
        assert config(f"ssh://{ssh.server}/repo", keys()) == b"a"
        assert ssh.key.stat().st_mode & 0o777 == mode

    def test_a_key_as_web_forms_leave_it(self, ssh: GitSshServer, keys: Callable[..., Access]) -> None:
        ssh.key.write_bytes(ssh.key.read_bytes().rstrip(b"\n").replace(b"\n", b"\r\n"))
        assert config(f"ssh://{ssh.server}/repo", keys()) == b"a"

    def test_a_folder_with_odd_characters(
        self, ssh: GitSshServer, access: Callable[..., Access], scratch: Path, tmp_path: Path
    ) -> None:
        odd = scratch / "a b%h'c"
        odd.mkdir()
        known = tmp_path / "known hosts"
        known.write_bytes(ssh.known_hosts.read_bytes())
        allowed = access({"TMPDIR": str(odd)}, ssh_key_file=ssh.key, known_hosts_file=known)
        assert config(f"ssh://{ssh.server}/repo", allowed) == b"a"
        odd.rmdir()

    def test_a_key_the_server_does_not_know(self, ssh: GitSshServer, keys: Callable[..., Access]) -> None:
        error = failure(f"ssh://{ssh.server}/repo", keys(ssh_key_file=ssh.other_key))
        assert isinstance(error.__cause__, RefusedError)
        assert str(error) == (
            f"ssh://{ssh.server}/repo: {ssh.server} rejected the ssh key. "
            "Check that the token or key is valid and has permission for this repository."
        )

    @pytest.mark.parametrize(
        ("kind", "problem", "hint"),
        [
            (
                "ed25519",
                "is protected by a passphrase",
                "Write a copy without a passphrase: `ssh-keygen -p -N '' -f FILE`.",
            ),
            (
                "pem",
                "is protected by a passphrase",
                "Write a copy without a passphrase: `ssh-keygen -p -N '' -f FILE`.",
            ),
            (
                "pkcs8",
                "is protected by a passphrase",
                "Write a copy without a passphrase: `ssh-keygen -p -N '' -f FILE`.",
            ),
            ("public", "is the public half of a key", "Name the private file, whose name does not end in .pub."),
            ("rfc4716", "is the public half of a key", "Name the private file, whose name does not end in .pub."),
            ("putty", "is a key of PuTTY", "Convert it: `puttygen FILE -O private-openssh -o NEW-FILE`."),
            (
                "cut",
                "is cut off: its last line, -----END ... PRIVATE KEY-----, is missing",
                "Copy the whole file again.",
            ),
            ("one-line", "is damaged: its lines are not base64", "Copy the whole file again, with its line breaks."),
            (
                "hosts",
                "is not a private key",
                "Create a key with `ssh-keygen -t ed25519 -N ''`, and give the server its public half.",
            ),
            (
                "empty",
                "is empty",
                "Create a key with `ssh-keygen -t ed25519 -N ''`, and give the server its public half.",
            ),
        ],
    )
    def test_a_key_that_cannot_be_used_is_reported_before_connecting(
        self, ssh: GitSshServer, keys: Callable[..., Access], tmp_path: Path, kind: str, problem: str, hint: str
    ) -> None:
        file = write_key(kind, tmp_path / "key", ssh)
        with pytest.raises(UsageError) as raised:
            open_source(SourceSpec("ssh://127.0.0.1:1/nobody-listens"), keys(ssh_key_file=file))
        assert str(raised.value) == f"--ssh-key-file {file} {problem}. {hint}"

    @pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
    def test_every_type_of_key_that_ssh_uses_passes(self, tmp_path: Path, kind: str) -> None:
        keygen = needs.program("ssh-keygen", "openssh-client")
        for form in ("RFC4716", "PEM", "PKCS8") if kind != "ed25519" else ("RFC4716",):
            file = tmp_path / form
            subprocess.run([keygen, "-q", "-t", kind, "-N", "", "-m", form, "-f", file], check=True)
            assert find_key_problem(file.read_bytes()) == ("", "")

    def test_an_unknown_host(self, ssh: GitSshServer, keys: Callable[..., Access], tmp_path: Path) -> None:
        empty = tmp_path / "empty"
        empty.touch()
        error = failure(f"ssh://{ssh.server}/repo", keys(known_hosts_file=empty))
        assert isinstance(error.__cause__, UntrustedError)
        assert str(error) == (
            f"ssh://{ssh.server}/repo: the host key of {ssh.server} is not in --known-hosts-file. Compare the server's "
            "host keys with the published ones and add them to --known-hosts-file."
        )
        assert ssh.users == []

    def test_another_host_key(self, ssh: GitSshServer, keys: Callable[..., Access], tmp_path: Path) -> None:
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        file = tmp_path / "other"
        file.write_text(f"[127.0.0.1]:{ssh.port} {other}")
        error = failure(f"ssh://{ssh.server}/repo", keys(known_hosts_file=file))
        assert isinstance(error.__cause__, UntrustedError)
        assert "the host key of" in str(error)
        assert "does not match --known-hosts-file." in str(error)
        assert ssh.users == []

    def test_options_that_are_not_given(self, ssh: GitSshServer, keys: Callable[..., Access]) -> None:
        for name in ("ssh_key_file", "known_hosts_file"):
            with pytest.raises(UsageError) as caught:
                open_source(SourceSpec("git@git.example:a"), keys(**{name: ""}))
            assert str(caught.value) == (
                "git@git.example:a: ssh requires --ssh-key-file and --known-hosts-file. `ssh-keyscan git.example` "
                "prints the host keys; compare them with the published ones."
            )

    def test_no_repository(self, ssh: GitSshServer, keys: Callable[..., Access]) -> None:
        error = failure(f"ssh://{ssh.server}/other", keys())
        assert isinstance(error.__cause__, NotFoundError)


def test_variables_of_git_in_our_own_environment_do_not_count(
    root: Path, access: Callable[..., Access], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    config_file = tmp_path / "config"
    config_file.write_text('[url "ext::sh -c false "]\n\tinsteadOf = file://\n')
    for name, value in {
        "GIT_DIR": "/nowhere",
        "GIT_WORK_TREE": "/nowhere",
        "GIT_OBJECT_DIRECTORY": "/nowhere",
        "GIT_COMMON_DIR": "/nowhere",
        "GIT_INDEX_FILE": "/nowhere",
        "GIT_CONFIG_GLOBAL": str(config_file),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.bare",
        "GIT_CONFIG_VALUE_0": "nonsense",
        "GIT_TRACE": str(trace),
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".gitconfig").write_text(config_file.read_text())
    assert config(f"file://{root}/repo", access(dict(os.environ) | {"TMPDIR": access().environment["TMPDIR"]})) == b"a"
    assert not trace.exists()


def write_key(kind: str, file: Path, ssh: GitSshServer) -> Path:
    """Write a file that ssh cannot use as a key, with the real ssh-keygen where it writes such files."""
    keygen = [needs.program("ssh-keygen", "openssh-client"), "-q", "-f", str(file)]
    forms = {"ed25519": ["-t", "ed25519"], "pem": ["-t", "rsa", "-m", "PEM"], "pkcs8": ["-t", "rsa", "-m", "PKCS8"]}
    if kind in forms:
        subprocess.run([*keygen, *forms[kind], "-N", "secret"], check=True)
        return file
    subprocess.run([*keygen, "-t", "ed25519", "-N", ""], check=True)
    private, public = file.read_text(), file.with_suffix(".pub").read_text()
    converted = subprocess.run([*keygen, "-e"], check=True, capture_output=True, text=True).stdout
    lines = private.splitlines(keepends=True)
    file.write_text(
        {
            "public": public,
            "rfc4716": converted,
            "putty": "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n",
            "cut": "".join(lines[:-1]),
            "one-line": lines[0] + "".join(lines[1:-1]).replace("\n", "\\n") + "\n" + lines[-1],
            "hosts": ssh.known_hosts.read_text(),
            "empty": "\n",
        }[kind]
    )
    return file
