"""No secret is seen anywhere but in the rendered tree, whatever the engine, the command, the format and the bad day."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from canary.driven import Driver
from canary.planted import LOGINS, NAMES, NEEDLES, Plant, core, kubeconfig, planted, seen, value
from program import Ran, tree
from servers.ports import free_port
from servers.relay import Answer, relay
from servers.repositories import CLEAN, Repository

from halgit.cli.app import COMMANDS

JSON = {"Content-Type": "application/json"}
GATE, ORCA = "default/profiles/gate-local.yml", "default/profiles/orca-local.yml"
SOURCELESS = {"init", "rules", "schema", "accounts", "isd", "sync"}
"""Commands that read no tree; the servers of `accounts` and `isd`, and `sync`, have tests of their own."""


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with planted(tmp_path_factory.mktemp("planted")) as plant:
        yield plant


@pytest.fixture
def drive(plant: Plant, tmp_path: Path) -> Driver:
    return Driver(tmp_path, plant.environment)


def nothing_shown(driver: Driver, ran: Ran) -> None:
    """Neither what a run said, nor its last words, nor its files, nor the programs it started hold a canary."""
    assert seen(ran.out) == set()
    assert seen(ran.err) == set()
    assert seen(driver.reason.read_bytes()) == set()
    started = driver.log.read_bytes() if driver.log.exists() else b""
    assert seen(started) == set()
    assert {path: found for path, text in driver.left().items() if (found := seen(text))} == {}


def test_the_search_finds_every_canary_however_it_is_written() -> None:
    for name in NAMES:
        secret = value(name)
        for spelt in (
            secret, json.dumps(secret), quote_plus(secret), shlex.quote(secret), repr(secret), secret[:20],
            secret.encode().hex(), *(base64.b64encode(b"x" * n + secret.encode()).decode() for n in range(4)),
        ):  # fmt: skip
            assert seen(spelt) == {name}
    assert seen("nothing here") == set()


def test_the_tree_holds_them_all_and_its_record_none(plant: Plant, drive: Driver) -> None:
    ran = drive("render", "--repo", plant.repo, "--overlay", "prod", "--out", ".hal")
    assert ran.code == 0, ran.err
    nothing_shown(drive, ran)
    written = tree(drive.home / ".hal")
    assert seen(written.pop(".halgit.json")) == set()
    assert seen(b"\n".join(written.values())) == set(NEEDLES) - {"beaten", *LOGINS}
    assert not any(seen(path) for path in written)
    again = drive("render", "--repo", plant.repo, "--overlay", "prod", "--out", ".hal", "--format", "json")
    assert again.code == 0
    nothing_shown(drive, again)


RUNS: list[tuple[list[str], int]] = [
    *((["render", "--secrets", mode, "--out", f".hal-{mode}", "--dry-run"], 0)
      for mode in ("resolve", "native", "mask", "keep")),
    *((["render", "--secrets", mode, "--out", f".hal-{mode}", *more], 0)
      for mode, more in (("native", ["--format", "json"]), ("mask", ["--log-format", "json"]), ("keep", []))),
    (["render", "--out", ".hal-check", "--check", "--format", "json", "--log-format", "json"], 1),
    (["render", "--out", ".hal-fail", "--fail-on", "warning", "--log-format", "json"], 1),
    *((["validate", "--format", name], 0) for name in ("text", "json", "sarif", "junit", "github", "markdown")),
    (["validate", "--all-overlays", "--log-format", "json", "--output", "report"], 0),
    *((["explain", target, "--format", name], 0)
      for target in ("config", GATE, ORCA, f"{ORCA}:database", f"{ORCA}:jobs", f"{GATE}:params.env",
                     "config:deploymentConfigurations[name=default].persistentStorage.s3.secretAccessKey")
      for name in ("text", "json")),
    *((["secrets", verb, "--format", name], 0) for verb in ("list", "check") for name in ("text", "json")),
    (["lock", "--output", "halgit.lock", "--log-format", "json"], 0),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code"), RUNS, ids=lambda part: " ".join(part) if isinstance(part, list) else "")
def test_no_command_and_no_format_shows_a_secret(arguments: list[str], code: int, plant: Plant, drive: Driver) -> None:
    one = () if "--all-overlays" in arguments else ("--overlay", "prod")
    ran = drive(*arguments, "--repo", plant.repo, *one)
    assert ran.code == code, ran.err
    assert ran.out or ran.err or "--output" in arguments
    nothing_shown(drive, ran)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {arguments[0] for arguments, _ in RUNS} - SOURCELESS))
def test_a_command_of_which_nothing_is_known_here_shows_none_either(
    command: str, form: str, plant: Plant, drive: Driver
) -> None:
    ran = drive(command, "--repo", plant.repo, "--overlay", "prod", HALGIT_FORMAT=form)
    assert ran.code != 70
    nothing_shown(drive, ran)


def test_dynamic_accounts_are_listed_and_changed_without_showing_a_secret(
    plant: Plant, drive: Driver, tmp_path: Path
) -> None:
    served = Repository(tmp_path / "served", **CLEAN)
    entry = f"{{name: old, password: {json.dumps(value('password'))}, kubeconfigContents: {json.dumps(value('blob'))}}}"
    served.commit({"accounts/clouddriver-local.yml": f"kubernetes:\n  accounts:\n  - {entry}\n"})
    served.git("checkout", "--quiet", "--detach")
    (tmp_path / "kubeconfig").write_text(kubeconfig(value("s3file")))
    (tmp_path / "key").write_text(value("secret"))
    read = ("--repo", served.url, "--ref", "main")
    write = ("--encrypt-key-file", tmp_path / "key", *read)
    for arguments, code in (
        (["list", *read], 0),
        (["show", "old", *read], 0),
        (["show", "old", *read, "--format", "json"], 0),
        (["add", "new", "--kubeconfig", tmp_path / "kubeconfig", *write, "--dry-run"], 0),
        (["add", "new", "--kubeconfig", tmp_path / "kubeconfig", *write, "--log-format", "json"], 0),
        (["add", "new", "--kubeconfig", tmp_path / "kubeconfig", *write], 6),
        (["add", "bad", "--kubeconfig", tmp_path / "key", *write], 6),
    ):
        ran = drive("accounts", *arguments)
        assert ran.code == code, ran.err
        nothing_shown(drive, ran)
    assert "{cipher}" in served.git("show", "main:accounts/clouddriver-local.yml")


def test_what_git_is_started_with_holds_no_secret(plant: Plant, drive: Driver, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "served")
    repository.commit({**tree(plant.repo)})
    work = Repository(drive.home / "work", **CLEAN)
    work.commit({".gitignore": ".hal\n"})
    render = ("render", "--repo", repository.url, "--ref", "main", "--overlay", "prod", "--out")
    ran = drive(*render, work.folder / ".hal")
    assert ran.code == 0, ran.err
    started = drive.log.read_text()
    assert "call: git " in started
    assert "started " in started
    assert "HALGIT_PARAM" not in started
    inside = {path: text for path, text in drive.left().items() if "/.hal/" not in path}
    assert {path: found for path, text in inside.items() if (found := seen(text))} == {}
    assert seen(started) | seen(ran.out) | seen(ran.err) == set()


def changed(plant: Plant, folder: Path, **files: str) -> Path:
    """The repository with these files of overlays/prod in place of its own; `__` in a name is a `/`."""
    for path, text in tree(plant.repo).items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text)
    for name, content in files.items():
        place = folder / "overlays/prod" / name.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return folder


QUOTED = value("password").replace("'", "''")
IGOR = "default__profiles__igor-local.yml"
BAD: dict[str, tuple[int, str, dict[str, str]]] = {
    "a key that is not there": (
        4, "has no key none (keys: k, p)", {IGOR: "a: encrypted:vault!e:kv!p:hal/gate!k:none\n"}),
    "no base64": (4, "is not base64", {IGOR: "a: ${{ secret('vault://kv/hal/gate?encoding=base64#k') }}\n"}),
    "a text that is YAML by chance": (
        4, "has no key k", {IGOR: "b: ${{ secret('file://{folder}/local#k') }}\n"}),
    "a malformed reference that is a password": (
        1, "The reference is malformed", {IGOR: f"password: 'encrypted:{QUOTED}!x'\n"}),
    "a malformed noop": (1, "The reference is malformed", {IGOR: f"a: 'encrypted:noop!w:{QUOTED}'\n"}),
    "no YAML": (1, "igor-local.yml:2", {IGOR: f"a: 1\npassword: '{QUOTED}' x: [\n"}),
    "a duplicate key": (1, "igor-local.yml:2", {IGOR: f"password: '{QUOTED}'\npassword: '{QUOTED}'\n"}),
    "another kind": (1, "orca-local.yml", {"default__profiles__orca-local.yml": f"credential: {{a: '{QUOTED}'}}\n"}),
    "a secret in Deck's file": (
        1, "this file is served to", {"default__profiles__settings-local.js": "a = '${{ params.fromEnv }}';\n"}),
    "a parameter in the wrong place": (1, "fromEnv", {IGOR: "${{ params.fromEnv }}: 1\n"}),
    "a patch that meets another value": (1, "halgit.yaml", {
        "halgit.yaml": "bases: [../../base]\nparams: {fromReference: \"${{ secret('vault://kv/hal/gate#p') }}\"}\n"
                       f"patches:\n- target: {ORCA}\n  ops: [{{op: test, path: /credential, value: '{QUOTED}'}}]\n"}),
}  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("name", BAD)
def test_no_fault_shows_a_secret(name: str, form: str, plant: Plant, drive: Driver, tmp_path: Path) -> None:
    code, words, files = BAD[name]
    files = {path: text.replace("{folder}", str(plant.folder)) for path, text in files.items()}
    repo = changed(plant, tmp_path / "changed", **files)
    ran = drive("render", "--repo", repo, "--overlay", "prod", "--out", ".hal", "--format", form, "--log-format", form)
    assert ran.code == code, ran.err
    assert words in ran.err
    nothing_shown(drive, ran)
    assert drive.reason.read_text()
    assert not (drive.home / ".hal").exists()
    if code == 1:
        reported = drive("validate", "--repo", repo, "--overlay", "prod", "--format", form)
        assert reported.code == code
        nothing_shown(drive, reported)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("type: integer", "A secret parameter must be a string."),
        ("type: string, pattern: '[a-z]+'", "pattern"),
        ("type: enum, enum: [a]", "A secret parameter cannot list its values."),
        (f"type: enum, enum: [{core('secret')}]", "A secret parameter cannot list its values."),
        ("type: boolean", "A secret parameter must be a string."),
        ("type: number", "A secret parameter must be a string."),
        ("type: list", "A secret parameter must be a string."),
    ],
)
def test_a_secret_parameter_that_does_not_fit_is_not_shown(
    declared: str, words: str, plant: Plant, drive: Driver, tmp_path: Path
) -> None:
    repo = changed(plant, tmp_path / "changed")
    text = (repo / "halgit.yaml").read_text()
    (repo / "halgit.yaml").write_text(text.replace("fromEnv: {type: string", f"fromEnv: {{{declared}"))
    for command in (("render", "--out", ".hal"), ("validate",)):
        ran = drive(*command, "--repo", repo, "--overlay", "prod")
        assert ran.code == 1
        assert words in ran.out + ran.err
        nothing_shown(drive, ran)


def test_servers_that_are_down_or_repeat_what_they_were_sent(plant: Plant, drive: Driver) -> None:
    render = ("render", "--repo", plant.repo, "--overlay", "prod", "--out", ".hal")
    down = drive(*render, VAULT_ADDR=f"http://127.0.0.1:{free_port()}")
    assert down.code == 4
    nothing_shown(drive, down)
    with relay(plant.bao.url) as between:
        words = f'{{"errors": ["no entry for {LOGINS["vault token"]}"]}}'.encode()
        between.rule = lambda request: Answer(400, words, JSON) if "/kv/data/" in request.path else None
        refused = drive(*render, VAULT_ADDR=between.url)
        assert refused.code == 4
        assert "no entry for" in refused.err
        nothing_shown(drive, refused)


def test_a_target_that_is_not_ours_and_a_work_tree_that_would_commit_them(plant: Plant, drive: Driver) -> None:
    (drive.home / ".hal").mkdir()
    (drive.home / ".hal/config").write_text("of somebody else")
    work = Repository(drive.home / "work", **CLEAN)
    for target, words in ((".hal", "--force"), (work.folder / "tree", "ignore")):
        ran = drive("render", "--repo", plant.repo, "--overlay", "prod", "--out", target)
        assert ran.code == 5
        assert words in ran.err
        nothing_shown(drive, ran)


def test_a_rendered_tree_is_imported_without_showing_its_secrets(plant: Plant, drive: Driver) -> None:
    drive("render", "--repo", plant.repo, "--overlay", "prod", "--out", ".hal")
    for target, code in ((".hal-imported", 0), (".hal-imported", 5), (".hal", 5)):
        ran = drive("import", ".hal", target)
        assert ran.code == code, ran.err
        nothing_shown(drive, ran)


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_what_has_changed_is_told_without_the_secrets(form: str, plant: Plant, drive: Driver, tmp_path: Path) -> None:
    orca = f"credential: '{QUOTED}'\nurl: redis://:{value('url')}@redis\n"
    other = changed(plant, tmp_path / "changed", **{ORCA.replace("/", "__"): orca, IGOR: "a: ${{ params.fromEnv }}\n"})
    drive("render", "--repo", plant.repo, "--overlay", "prod", "--out", ".hal")
    for base in (("--base-repo", other), ("--base-tree", ".hal")):
        ran = drive("diff", "--repo", plant.repo, "--overlay", "prod", *base, "--format", form)
        assert ran.code == 0, ran.err
        nothing_shown(drive, ran)


def test_a_lock_that_does_not_hold_any_more(plant: Plant, drive: Driver, tmp_path: Path) -> None:
    repo = changed(plant, tmp_path / "changed")
    assert drive("lock", "--repo", repo, "--overlay", "prod").code == 0
    assert seen((repo / "halgit.lock").read_bytes()) == set()
    render = ("render", "--repo", repo, "--overlay", "prod", "--locked", "--out", ".hal")
    same = drive(*render)
    assert same.code == 0, same.err
    nothing_shown(drive, same)
    (repo / "base" / ORCA).write_text(f"password: '{QUOTED}'\n")
    moved = drive(*render)
    assert moved.code == 3
    nothing_shown(drive, moved)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_bug_tells_its_trace_without_the_secret(form: str, plant: Plant, drive: Driver) -> None:
    ran = drive(
        "render", "--repo", plant.repo, "--overlay", "prod", "--out", ".hal", "--format", form, "--log-format", form,
        WATCH_BUG=str(plant.folder / "local"),
    )  # fmt: skip
    assert ran.code == 70
    assert "RuntimeError: cannot go on with ********" in ran.err
    nothing_shown(drive, ran)
