"""Submodules: fetched from allowed hosts only, each with its own credentials, and otherwise reported with a hint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from program import halgit
from servers.git_http import GitHttpServer
from servers.git_ssh import GitSshServer
from servers.repositories import Repository
from servers.sshd import OpenSshServer

from halgit.compiler import compile_tree
from halgit.errors import SourceError, UsageError
from halgit.operator_settings import Access, OperatorSettings, PerHost, SourceSpec
from halgit.pipeline import Severity, Snapshot
from halgit.record import replace
from halgit.remotes.git.address import read_address
from halgit.remotes.git.submodules import RefusedSubmodule, find_address, resolve_url
from halgit.sources import open_source

TOKEN, OTHER_TOKEN = "a-token-of-the-first-server", "a-token-of-the-second-server"
CONFIG = "deploymentConfigurations:\n- name: default\n  version: 1.30.1\n"
Open = Callable[..., Snapshot]


def add_submodule(repository: Repository, path: str, url: str, commit: str) -> None:
    """Commit a submodule as `git submodule add` does, without fetching it."""
    for key, value in {"path": path, "url": url}.items():
        repository.git("config", "--file", ".gitmodules", f"submodule.{path}.{key}", value)
    repository.git("add", ".gitmodules")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    repository.git("commit", "--quiet", "--message=A submodule")


@pytest.fixture
def top(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "first" / "ops" / "top")
    made.commit({"overlays/prod/halgit.yaml": "bases: [../../base]\n"})
    return made


@pytest.fixture
def base(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "first" / "shared" / "base")
    made.commit({"config": CONFIG, "default/profiles/gate-local.yml": "a: 1\n"})
    return made


@pytest.fixture
def first(tmp_path: Path) -> Iterator[GitHttpServer]:
    (tmp_path / "first").mkdir(exist_ok=True)
    with GitHttpServer(tmp_path / "first", token=TOKEN) as server:
        yield server


@pytest.fixture
def second(tmp_path: Path) -> Iterator[GitHttpServer]:
    (tmp_path / "second").mkdir(exist_ok=True)
    with GitHttpServer(tmp_path / "second", token=OTHER_TOKEN) as server:
        yield server


def address_of(server: GitHttpServer) -> str:
    return server.url.partition("://")[2]


@pytest.fixture
def opened(first: GitHttpServer, tmp_path: Path, access: Callable[..., Access], request: pytest.FixtureRequest) -> Open:
    """Opens the repository of the first server with its token, which is set without a host."""
    (tmp_path / "token").write_text(TOKEN)

    def make(path: str = "", logins: dict[str, str] | None = None, **options: object) -> Snapshot:
        files = PerHost(str(tmp_path / "token"), logins or {})
        least = replace(access(token_hosts=frozenset({"127.0.0.1"}), **options), git_token_file=files)
        snapshot = open_source(SourceSpec(f"{first.url}/ops/top", path=path), least)
        request.addfinalizer(snapshot.close)
        return snapshot

    return make


def test_a_submodule_of_the_same_server_is_read_at_its_pinned_commit(
    top: Repository, base: Repository, opened: Open
) -> None:
    pinned = base.git("rev-parse", "HEAD")
    add_submodule(top, "base", "../../shared/base", pinned)
    base.commit({"config": "later: true\n"})
    snapshot = opened(submodules=True)
    assert snapshot.paths == {
        ".gitmodules", "overlays/prod/halgit.yaml", "base/config", "base/default/profiles/gate-local.yml"
    }  # fmt: skip
    assert snapshot.read(["base/config", "overlays/prod/halgit.yaml"]) == {
        "base/config": CONFIG.encode(),
        "overlays/prod/halgit.yaml": b"bases: [../../base]\n",
    }
    compiled = compile_tree([snapshot], OperatorSettings(overlay="prod"))
    assert [one for one in compiled.findings if one.severity >= Severity.ERROR] == []
    assert "default/profiles/gate-local.yml" in compiled.files


@pytest.mark.parametrize("path", ["base", "base/default"])
def test_the_root_may_be_in_a_submodule(top: Repository, base: Repository, opened: Open, path: str) -> None:
    add_submodule(top, "base", "../../shared/base", base.git("rev-parse", "HEAD"))
    wanted = "default/profiles/gate-local.yml" if path == "base" else "profiles/gate-local.yml"
    assert opened(path, submodules=True).read([wanted]) == {wanted: b"a: 1\n"}


def test_a_submodule_below_the_root_is_found_by_its_path_in_the_repository(
    top: Repository, base: Repository, opened: Open
) -> None:
    top.commit({"env/config": CONFIG})
    add_submodule(top, "env/default", "../../shared/base", base.git("rev-parse", "HEAD"))
    assert "default/config" in opened("env", submodules=True).paths
    ((skipped, (_reason, _hint)),) = opened("env").submodules.items()  # type: ignore[attr-defined]
    assert skipped == "default"


def test_another_host_needs_the_operator_and_gets_only_its_own_credentials(
    top: Repository, tmp_path: Path, first: GitHttpServer, second: GitHttpServer, opened: Open
) -> None:
    other = Repository(tmp_path / "second" / "base")
    add_submodule(top, "base", f"{second.url}/base", other.commit({"config": CONFIG}))
    ((skipped, (reason, hint)),) = opened(submodules=True).submodules.items()  # type: ignore[attr-defined]
    host = address_of(second)
    assert f"submodule {skipped} {reason} {hint}" == (
        f"submodule base is on {host}, which is not an allowed host. "
        f"Allow it with --submodule-host {host}, or put the files into the repository."
    )
    assert second.seen == []
    hosts = frozenset({host})
    with pytest.raises(SourceError) as caught:
        opened(submodules=True, submodule_hosts=hosts)
    assert str(caught.value).startswith(f"{first.url}/ops/top: submodule base: {second.url}/base: ")
    assert {request.login for request in second.seen} == {""}
    (tmp_path / "other").write_text(OTHER_TOKEN)
    snapshot = opened(logins={host: str(tmp_path / "other")}, submodules=True, submodule_hosts=hosts)
    assert snapshot.read(["base/config"]) == {"base/config": CONFIG.encode()}
    assert {request.login.partition(":")[2] for request in second.seen} == {"", OTHER_TOKEN}
    assert {request.login.partition(":")[2] for request in first.seen} == {"", TOKEN}


def test_submodules_of_submodules_are_read_and_bounded(
    top: Repository, base: Repository, tmp_path: Path, opened: Open
) -> None:
    commit = base.git("rev-parse", "HEAD")
    for number in range(6):
        deeper = Repository(tmp_path / "first" / "shared" / f"level{number}")
        deeper.commit({f"at{number}": ""})
        add_submodule(deeper, "sub", "../base" if number == 0 else f"../level{number - 1}", commit)
        commit = deeper.git("rev-parse", "HEAD")
    add_submodule(top, "base", "../../shared/level5", commit)
    snapshot = opened(submodules=True)
    assert "base/sub/sub/sub/sub/at1" in snapshot.paths
    ((skipped, (reason, _hint)),) = snapshot.submodules.items()  # type: ignore[attr-defined]
    assert skipped == "base/sub/sub/sub/sub/sub"
    assert reason == "is beyond the limits: at most 5 levels and 100 submodules are fetched."


def test_a_commit_that_the_server_does_not_have_is_a_clear_error(
    top: Repository, base: Repository, first: GitHttpServer, opened: Open
) -> None:
    add_submodule(top, "base", "../../shared/base", "1" * 40)
    with pytest.raises(SourceError) as caught:
        opened(submodules=True)
    assert str(caught.value).startswith(
        f"{first.url}/ops/top: submodule base: {first.url}/shared/base: commit {'1' * 40} not found."
    )


# --- findings --------------------------------------------------------------------------------------------------

NOT_FETCHED = "is not fetched. Fetch it with --submodules, or put the files into the repository."


def test_a_base_in_a_submodule_is_reported_with_the_submodule(top: Repository, base: Repository, opened: Open) -> None:
    add_submodule(top, "base", "../../shared/base", base.git("rev-parse", "HEAD"))
    top.commit({"overlays/prod/config": CONFIG})
    top.git("update-index", "--add", "--cacheinfo", f"160000,{base.git('rev-parse', 'HEAD')},base")
    top.git("commit", "--quiet", "--message=The submodule again", "--allow-empty")
    found = compile_tree([opened()], OperatorSettings(overlay="prod")).findings
    (one,) = [one for one in found if one.rule == "merge/base-missing"]
    assert f"{one.message} {one.hint}" == f"Base base is in submodule base, which {NOT_FETCHED}"
    assert one.file == "overlays/prod/halgit.yaml"


@pytest.mark.parametrize(
    ("path", "is_expected"),
    [("default", True), ("default/profiles", True), ("default/profiles/rosco/packer", True), (".boms", True),
     ("accounts", True), ("docs", False), ("tools/scripts", False)],
)  # fmt: skip
def test_a_submodule_where_files_of_the_tree_are_expected_is_an_error(
    top: Repository, base: Repository, opened: Open, path: str, is_expected: bool
) -> None:
    top.commit({"config": CONFIG})
    add_submodule(top, path, "../../shared/base", base.git("rev-parse", "HEAD"))
    found = [one for one in compile_tree([opened()], OperatorSettings()).findings if one.rule == "source/submodule"]
    message = f"Files of the tree are expected in submodule {path}, which {NOT_FETCHED}"
    assert [f"{one.message} {one.hint}" for one in found] == [message] * is_expected
    assert all(one.severity is Severity.ERROR for one in found)


def test_an_overlay_in_a_submodule_is_named(top: Repository, base: Repository, first: GitHttpServer) -> None:
    add_submodule(top, "overlays/stage", "../../shared/base", base.git("rev-parse", "HEAD"))
    ran = halgit("validate", "--repo", f"file://{top.folder}", "--overlay", "stage")
    assert ran.code == 2
    assert "has no overlay stage. Submodule overlays/stage is not fetched. Fetch it with --submodules" in ran.err


def test_the_options_of_the_command_line_fetch_it(
    top: Repository, base: Repository, first: GitHttpServer, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    add_submodule(top, "base", "../../shared/base", base.git("rev-parse", "HEAD"))
    arguments = ("render", "--repo", f"{first.url}/ops/top", "--overlay", "prod", "--no-validate")
    login = ("--git-token-file", str(tmp_path / "token"), "--out", str(tmp_path / ".hal"))
    ran = halgit(*arguments, *login)
    assert ran.code == 1
    assert f"overlays/prod/halgit.yaml:1:9: error: Base base is in submodule base, which {NOT_FETCHED}" in ran.err
    assert halgit(*arguments, *login, "--submodules").code == 0
    assert (tmp_path / ".hal" / "config").read_text() == CONFIG
    ran = halgit(*arguments, *login, "--submodule-host", "git.example.com")
    assert (ran.code, "--submodule-host needs --submodules. Add --submodules." in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("pattern", "is_expected"),
    [("shared/files/**", True), ("shared/*/*.json", True), ("**/*.json", True), ("shared/files/a/b.json", True),
     ("shared/*.json", False), ("shared", False), ("other/**", False), ("shared/f/**", False)],
)  # fmt: skip
def test_a_submodule_that_only_include_matches_is_expected(
    top: Repository, base: Repository, opened: Open, pattern: str, is_expected: bool
) -> None:
    top.commit({"config": CONFIG, "halgit.yaml": f"include: ['{pattern}']\n"})
    add_submodule(top, "shared/files", "../../shared/base", base.git("rev-parse", "HEAD"))
    found = [one for one in compile_tree([opened()], OperatorSettings()).findings if one.rule == "source/submodule"]
    assert [one.file for one in found] == ["shared/files"] * is_expected


KUBECONFIG = "  providers: {kubernetes: {accounts: [{name: a, kubeconfigFile: /home/spinnaker/.hal/keys/a}]}}\n"


def test_a_submodule_with_a_file_that_the_halconfig_names_is_reported_once(
    top: Repository, base: Repository, opened: Open
) -> None:
    top.commit({"config": CONFIG + KUBECONFIG})
    add_submodule(top, "keys", "../../shared/base", base.git("rev-parse", "HEAD"))
    ran = halgit("validate", "--repo", f"file://{top.folder}", "--format", "json")
    found = [(one["rule"], one["file"]) for one in ran.json["findings"] if one["severity"] == "error"]
    assert ("source/submodule", "keys") in found
    assert "local-files/missing" not in {rule for rule, _ in found}


@pytest.mark.parametrize("path", [".boms", ".boms/bom"])
def test_a_local_bom_in_a_submodule_is_reported_once(path: str, top: Repository, base: Repository) -> None:
    top.commit({"config": CONFIG.replace("1.30.1", "local:1.30.1")})
    add_submodule(top, path, "../../shared/base", base.git("rev-parse", "HEAD"))
    ran = halgit("validate", "--repo", f"file://{top.folder}", "--select", "source/*", "--select", "versions/*")
    assert ran.out.count("error: ") == 1, ran.out
    assert f"Files of the tree are expected in submodule {path}" in " ".join(ran.out.split())


# --- directories -----------------------------------------------------------------------------------------------


def check_out(top: Repository, tmp_path: Path, *options: str) -> Path:
    """Clone a repository into a work tree, as CI does."""
    folder = tmp_path / "work"
    top.git("-c", "protocol.file.allow=always", "clone", "--quiet", *options, str(top.folder), str(folder))
    return folder


@pytest.mark.parametrize("at", ["", "env"])
def test_a_directory_reports_a_submodule_that_is_not_checked_out(
    top: Repository, base: Repository, tmp_path: Path, at: str
) -> None:
    below = f"{at}/" if at else ""
    top.commit({f"{below}config": CONFIG})
    add_submodule(top, f"{below}default/profiles", "../../shared/base", base.git("rev-parse", "HEAD"))
    folder = check_out(top, tmp_path)
    ran = halgit("validate", "--repo", str(folder / at))
    assert ran.code == 1
    assert (
        "Files of the tree are expected in submodule default/profiles, which is not checked out. "
        "Run `git submodule update --init default/profiles` in the directory." in " ".join(ran.out.split())
    )
    ran = halgit("validate", "--repo", str(folder), "--path", at or ".")
    assert "submodule default/profiles, which is not checked out." in " ".join(ran.out.split())


def test_a_directory_reads_a_submodule_that_is_checked_out(top: Repository, tmp_path: Path) -> None:
    top.commit({"config": CONFIG})
    other = Repository(tmp_path / "first" / "shared" / "default")
    add_submodule(top, "default", other.url, other.commit({"profiles/gate-local.yml": "a: 1\n"}))
    folder = check_out(top, tmp_path, "--recurse-submodules")
    with closing(open_source(SourceSpec(str(folder)), Access())) as snapshot:
        compiled = compile_tree([snapshot], OperatorSettings())
    assert "default/profiles/gate-local.yml" in compiled.files
    assert [one for one in compiled.findings if one.rule == "source/submodule"] == []


@pytest.mark.parametrize(
    "line", ["path = default", '\tpath="default"', "path = default ; why", "path = default/\r", "  path   =   default "]
)
def test_a_directory_reads_the_paths_of_submodules_as_git_does(line: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(CONFIG)
    (tmp_path / ".gitmodules").write_text(f'[submodule "x"]\n\turl = ../other\n{line}\n', newline="")
    with closing(open_source(SourceSpec(str(tmp_path)), Access())) as snapshot:
        assert list(snapshot.submodules) == ["default"]  # type: ignore[attr-defined]


# --- ssh and variables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [GitSshServer, OpenSshServer])
def test_submodules_over_ssh_use_the_key_of_their_host(
    kind: type[GitSshServer | OpenSshServer],
    top: Repository,
    base: Repository,
    tmp_path: Path,
    access: Callable[..., Access],
) -> None:
    other = Repository(tmp_path / "second" / "profiles")
    pinned = other.commit({"gate-local.yml": "a: 2\n"})
    with (
        kind(tmp_path / "first", tmp_path / "ssh1") as first,
        kind(tmp_path / "second", tmp_path / "ssh2") as second,
    ):
        top.commit({"config": CONFIG})
        add_submodule(top, "default/service-settings", "../../shared/base", base.git("rev-parse", "HEAD"))
        add_submodule(top, "default/profiles", f"ssh://{second.user}@{second.server}/profiles", pinned)
        hosts = tmp_path / "known_hosts"
        hosts.write_text(first.known_hosts.read_text() + second.known_hosts.read_text())
        common = access(known_hosts_file=hosts, submodules=True, submodule_hosts=frozenset({second.server}))
        spec = SourceSpec(f"ssh://{first.user}@{first.server}/ops/top")
        with pytest.raises(UsageError) as caught:
            open_source(spec, replace(common, ssh_key_file=PerHost(str(first.key)))).close()
        assert str(caught.value).startswith(
            f"{spec.url}: submodule default/profiles: ssh://{second.user}@{second.server}/profiles: ssh requires "
            f"--ssh-key-file and --known-hosts-file. Set them with {second.server}=FILE."
        )
        assert second.commands == []
        keys = PerHost(str(first.key), {second.server: str(second.key)})
        with closing(open_source(spec, replace(common, ssh_key_file=keys))) as snapshot:
            assert snapshot.read(["default/profiles/gate-local.yml"]) == {"default/profiles/gate-local.yml": b"a: 2\n"}
            assert "default/service-settings/config" in snapshot.paths
        assert {command.split()[-1].strip("'") for command in second.commands} == {"/profiles"}
        assert {command.split()[-1].strip("'") for command in first.commands} == {"/ops/top", "/shared/base"}


def test_the_variables_fetch_it(top: Repository, tmp_path: Path, first: GitHttpServer, second: GitHttpServer) -> None:
    other = Repository(tmp_path / "second" / "base")
    add_submodule(top, "base", f"{second.url}/base", other.commit({"config": CONFIG}))
    logins = {address_of(first): TOKEN, address_of(second): OTHER_TOKEN}
    for number, token in enumerate(logins.values()):
        (tmp_path / f"token{number}").write_text(token)
    files = "\n".join(f"{host}={tmp_path / f'token{number}'}" for number, host in enumerate(logins))
    common = {"HALGIT_REPO": f"{first.url}/ops/top", "HALGIT_OVERLAY": "prod", "HALGIT_GIT_TOKEN_FILE": files}
    common |= {"HALGIT_OUT": str(tmp_path / ".hal"), "HALGIT_NO_VALIDATE": "1"}
    host = address_of(second)
    ran = halgit("render", **common)
    assert (ran.code, f"Base base is in submodule base, which {NOT_FETCHED}" in ran.err) == (1, True)
    ran = halgit("render", **common, HALGIT_SUBMODULES="1")
    assert (ran.code, f"is on {host}, which is not an allowed host." in ran.err) == (1, True)
    hosts = f"git.example\n{host}"
    assert halgit("render", **common, HALGIT_SUBMODULES="true", HALGIT_SUBMODULE_HOST=hosts).code == 0
    assert (tmp_path / ".hal" / "config").read_text() == CONFIG


# --- addresses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parent", "url", "resolved"),
    [
        ("https://git.example/a/b.git", "../c.git", "https://git.example/a/c.git"),
        ("https://git.example/a/b.git/", "../../x/./c", "https://git.example/x/./c"),
        ("https://git.example/a/b", "./c/", "https://git.example/a/b/c"),
        ("git@git.example:a/b", "../c", "git@git.example:a/c"),
        ("git@git.example:b", "../c", "git@git.example:c"),
        ("ssh://git@git.example:22/a/b", "../../c", "ssh://git@git.example:22/c"),
        ("https://git.example/a", "../../x/c", "https://x/c"),
        ("https://git.example/a", "https://other.example/c", "https://other.example/c"),
    ],
)
def test_relative_urls_are_resolved_as_git_does(parent: str, url: str, resolved: str, tmp_path: Path) -> None:
    assert resolve_url(parent, url) == resolved
    repository = Repository(tmp_path / "judge")
    repository.git("remote", "add", "origin", parent)
    add_submodule(repository, "c", url, repository.commit())
    repository.git("submodule", "init")
    assert repository.git("config", "submodule.c.url") == resolved


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ext::sh -c id", "has a URL of an unsupported form."),
        ("/etc/repo", "has a URL of an unsupported form."),
        ("-oProxyCommand=id", "has a URL of an unsupported form."),
        ("file:///srv/secret", "is on localhost, which is not an allowed host."),
        ("http://git.example/a", "has a plain http URL."),
        ("https://git.example:8443/a", "is on git.example:8443, which is not an allowed host."),
        ("https://evil.example/a", "is on evil.example, which is not an allowed host."),
        ("https://me:secret@git.example/a", "has an invalid URL: The URL for git.example contains credentials; URLs "
         "appear in logs and process lists."),
        ("../../../evil.example/a", "is on evil.example, which is not an allowed host."),
        (None, "has no url in .gitmodules."),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused(url: str | None, reason: str) -> None:
    source = read_address("https://git.example/a/b")
    with pytest.raises(RefusedSubmodule) as caught:
        find_address(source, source, url, Access(submodules=True))
    assert caught.value.reason == reason


def test_a_local_repository_has_local_submodules_only_if_the_operator_allows_them() -> None:
    source = read_address("file:///srv/a")
    with pytest.raises(RefusedSubmodule):
        find_address(source, source, "../b", Access(submodules=True))
    allowed = Access(submodules=True, submodule_hosts=frozenset({"localhost"}))
    assert find_address(source, source, "../b", allowed).path == "/srv/b"
    remote = read_address("https://git.example/a")
    with pytest.raises(RefusedSubmodule):
        find_address(remote, remote, "file:///srv/b", allowed)


def test_a_tree_without_its_submodule_is_not_taken_for_the_tree_with_it(
    top: Repository, base: Repository, first: GitHttpServer, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    top.commit({"config": CONFIG, "halgit.yaml": "rules: {ignore: [source/submodule]}\n"})
    profiles = Repository(tmp_path / "first" / "shared" / "profiles")
    add_submodule(top, "default/profiles", "../../shared/profiles", profiles.commit({"gate-local.yml": "a: 1\n"}))
    arguments = ("render", "--repo", f"{first.url}/ops/top", "--no-validate", "--out", str(tmp_path / ".hal"))
    login = ("--git-token-file", str(tmp_path / "token"))
    assert halgit(*arguments, *login).code == 0
    assert not (tmp_path / ".hal" / "default" / "profiles").exists()
    assert halgit(*arguments, *login, "--submodules").code == 0
    assert (tmp_path / ".hal" / "default" / "profiles" / "gate-local.yml").read_text() == "a: 1\n"
    assert halgit(*arguments, *login).code == 0
    assert not (tmp_path / ".hal" / "default" / "profiles").exists()
