"""The program's frame: JSON and exit code on every way out, signals, variables, help, completion, terminals."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from cli.terminal import on_a_terminal
from program import SAMPLE, halgit, tree
from servers.git_http import GitHttpServer, Request
from servers.repositories import Repository

from halgit.cli.app import COMMANDS
from halgit.cli.program import program
from halgit.cli.settings import per_host
from halgit.errors import UsageError

RENDER = ("render", "--repo", SAMPLE, "--overlay", "dev", "--secrets", "mask")
BROKEN = "raise ZeroDivisionError('canary-3e')\n"


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Each command, those below a command too, by what a user types."""
    context = click.Context(program)
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", one) for below, one in command.commands.items())


EACH = list(every_command())
EVERY = pytest.mark.parametrize(("name", "command"), EACH, ids=[name for name, _ in EACH])


# --- ways out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nonsense"], 2, "Unknown command 'nonsense'."),
        (["render"], 2, "Missing option '--repo': the current folder is not a source"),
        (["render", "--bogus"], 2, "Unknown option --bogus. See `halgit render --help`."),
        ([*RENDER, "--secrets", "no"], 2, "'no' is not one of"),
        ([*RENDER, "--set", "nothing"], 2, "--set: the name or the = is missing."),
        ([*RENDER, "--timeout", "nan"], 2, "nan is not a duration."),
        ([*RENDER, "--wait", "1e300"], 2, "1e+300 is not in the range"),
        ([*RENDER, "--allow-engine", "env,vault"], 2, "unknown engine vault. Use env, file or env,file."),
        (["explain", "--repo", SAMPLE, "--overlay", "dev", "nowhere"], 2, "nowhere is not in the rendered tree."),
        ([*RENDER, "--set", "publicHost=UPPER"], 1, "1 error"),
        ([*RENDER, "--out", "new", "--check"], 1, "A render would change new"),
        (["render", "--repo", "nowhere"], 3, "nowhere"),
        (["render", "--repo", SAMPLE, "--overlay", "dev"], 4, "No Vault server is configured."),
        ([*RENDER, "--out", "taken"], 5, "the folder is not empty and it has no .halgit.json"),
    ],
)
def test_json_is_one_object_on_every_exit(arguments: list[object], code: int, words: str, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    for ran in (
        halgit(*arguments, "--format", "json", cwd=tmp_path),
        halgit(*arguments, cwd=tmp_path, HALGIT_FORMAT="json"),
    ):
        assert ran.code == code
        assert ran.json["error"]["code"] == code
        assert words in ran.json["error"]["message"]
        assert ran.json["error"]["message"] in ran.err


INTERRUPTED = """import os, signal
class Name:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGTERM)
try:
    class Owner:
        name = Name()
except BaseException as stop:
    raise RuntimeError("a library wraps what stops it") from stop
"""


def test_a_signal_that_a_library_wraps_is_a_signal(tmp_path: Path) -> None:
    (tmp_path / "yaml.py").write_text(INTERRUPTED)
    ran = halgit(*RENDER, "--out", tmp_path / ".hal", "--format", "json", PYTHONPATH=str(tmp_path))
    assert ran.code == 128 + signal.SIGTERM
    assert ran.json["error"]["message"] == "Stopped by SIGTERM. No file is half written."


def test_a_bug_ends_with_70_a_trace_and_json(tmp_path: Path) -> None:
    (tmp_path / "yaml.py").write_text(BROKEN)
    ran = halgit(*RENDER, "--out", tmp_path / ".hal", "--format", "json", PYTHONPATH=str(tmp_path))
    assert ran.code == 70
    assert ran.json["error"]["code"] == 70
    assert "This is a bug in halgit" in ran.json["error"]["message"]
    assert "ZeroDivisionError" in ran.json["error"]["message"]
    assert "canary" not in ran.json["error"]["message"]
    assert "line 1, in <module>\n    raise ZeroDivisionError" in ran.err
    assert not (tmp_path / ".hal").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_with_128_and_its_number(number: signal.Signals, tmp_path: Path) -> None:
    made = Repository(tmp_path / "root" / "repo")
    made.commit({"config": "a: 1\n"})
    log = tmp_path / "termination-log"
    log.touch()
    reached, go_on = threading.Event(), threading.Event()

    def hold(request: Request) -> None:
        reached.set()
        go_on.wait(60)

    with GitHttpServer(tmp_path / "root") as server:
        server.rule = hold
        command = [sys.executable, "-m", "halgit", "render", "--repo", f"{server.url}/repo", "--format", "json"]
        environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "HALGIT_TERMINATION_FILE": str(log)}
        with subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            assert reached.wait(60)
            child.send_signal(number)
            out, err = child.communicate(timeout=60)
        go_on.set()
    assert child.returncode == 128 + number, err
    assert json.loads(out)["error"]["code"] == 128 + number
    words = f"Stopped by {number.name}. No file is half written."
    assert words in err.decode()
    assert log.read_text() == words
    assert {path.name for path in tmp_path.iterdir()} == {"root", "termination-log"}


@pytest.mark.parametrize(
    "arguments", [["schema", "halconfig"], ["--version"], ["rules"], ["rules", "--format", "json"]]
)
def test_a_closed_pipe_ends_quietly(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "halgit", *arguments], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of sh in which `halgit` is the program."""
    function = f'halgit() {{ {shlex.quote(sys.executable)} -m halgit "$@"; }}\n'
    known = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return subprocess.run(["sh", "-c", function + line], env={**known, **environment}, capture_output=True, check=False)


@pytest.mark.parametrize("arguments", ["schema halconfig", "--help", "--version", "rules --format json"])
def test_a_full_disk_behind_stdout_is_no_bug(arguments: str) -> None:
    ran = shell(f"halgit {arguments} >/dev/full")
    told = (
        b"halgit: stdout is not writable: No space left on device. Free the disk or redirect stdout to another file.\n"
    )
    assert (ran.returncode, ran.stderr) == (5, told)


def test_an_error_keeps_its_code_where_stdout_is_full() -> None:
    ran = shell("halgit rules no/such --format json >/dev/full")
    assert (ran.returncode, ran.stderr) == (2, b"halgit: Unknown rule no/such. See `halgit rules`.\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_streams_that_are_not_there_change_nothing(closed: str) -> None:
    assert shell(f"halgit schema halconfig {closed}").returncode == 0
    assert shell(f"halgit schema nonsense {closed}").returncode == 2


def test_output_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("käse: 1\n", encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    ran = shell(f"halgit validate --repo {tmp_path} --format json", **plain)
    assert ran.returncode == 1
    assert "käse" in {finding["path"] for finding in json.loads(ran.stdout)["findings"]}


def test_what_is_no_utf_8_is_told_and_not_rendered(tmp_path: Path) -> None:
    (tmp_path / "halgit.yaml").write_text("params: {bucket: {type: string}}\n")
    (tmp_path / "config").write_text("a: ${{ params.bucket }}\n")
    given = os.fsdecode(b"\xff")
    ran = halgit("render", "--repo", tmp_path, "--set", f"bucket={given}", "--format", "json")
    assert (ran.code, ran.err) == (2, "halgit: --set bucket: the value is not UTF-8. Encode it in UTF-8.\n")
    ran = halgit("render", "--repo", tmp_path, HALGIT_PARAM_BUCKET=given)
    assert (ran.code, ran.err) == (2, "halgit: HALGIT_PARAM_BUCKET: the value is not UTF-8. Encode it in UTF-8.\n")
    ran = halgit("render", "--repo", given, "--format", "json")
    assert (ran.code, ran.json["error"]["message"][:6]) == (3, f"{given}: the")


def test_without_a_command_it_says_which_there_are() -> None:
    ran = halgit()
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: halgit [OPTIONS] COMMAND")
    assert all(f"\n  {name} " in ran.err for name in COMMANDS)


# --- what it is given


@EVERY
def test_every_option_is_read_from_a_variable(name: str, command: click.Command) -> None:
    for option in command.params:
        if isinstance(option, click.Option):
            long = max(option.opts, key=len)
            assert option.envvar == f"HALGIT_{long[2:].replace('-', '_').upper()}", long


def test_values_for_one_host_are_lines_of_a_variable(tmp_path: Path) -> None:
    made = Repository(tmp_path / "root" / "repo")
    made.commit({f"{path.relative_to(SAMPLE)}": path.read_bytes() for path in SAMPLE.rglob("*") if path.is_file()})
    (tmp_path / "token").write_text("canary-token-8f")
    with GitHttpServer(tmp_path / "root", token="canary-token-8f") as server:
        ran = halgit(
            *("render", "--overlay", "dev", "--secrets", "mask", "--out", tmp_path / ".hal"),
            HALGIT_REPO=f"{server.url}/repo",
            HALGIT_GIT_TOKEN_FILE=f"git.example.com={tmp_path}/none\n\n  127.0.0.1={tmp_path}/token\n",
        )
    assert ran.code == 0, ran.err
    assert "config" in tree(tmp_path / ".hal")


@pytest.mark.parametrize(
    ("values", "default", "hosts"),
    [
        (["a"], "a", {}),
        (["/etc/a=b"], "/etc/a=b", {}),
        (["https://s3.example.com/?x=y"], "https://s3.example.com/?x=y", {}),
        (["Git.Example.com=/etc/token", "me"], "me", {"git.example.com": "/etc/token"}),
        (["git.example.com:8443=a=b"], "", {"git.example.com:8443": "a=b"}),
    ],
)
def test_a_value_for_all_hosts_or_for_one(values: list[str], default: str, hosts: dict[str, str]) -> None:
    made = per_host("git-user", values)
    assert (made.default, dict(made.hosts)) == (default, hosts)


def test_two_values_for_all_hosts_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        per_host("git-user", ["a", "b"])
    assert str(caught.value) == "--git-user is set twice for all hosts. Write HOST=VALUE for one of them."


# --- help


@EVERY
def test_help_has_examples_that_can_be_typed(name: str, command: click.Command) -> None:
    text = (command.help or "").partition("Example")[2].replace("\\\n", " ")
    examples = [
        shlex.split(line.partition(" > ")[0]) for line in text.splitlines() if line.strip().startswith("halgit")
    ]
    assert any(example[1 : 1 + len(name.split())] == name.split() for example in examples)
    for example in examples:
        here = click.Context(program, info_name="halgit")
        found: click.Command | None = program
        rest = example[1:]
        while isinstance(found, click.Group) and not (found.invoke_without_command and rest[0].startswith("-")):
            found = found.get_command(here, rest.pop(0))
        assert found is not None
        found.make_context("halgit", rest)


@EVERY
def test_help_says_what_every_option_is_for(name: str, command: click.Command) -> None:
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_version_loads_nothing_that_takes_time() -> None:
    code = (
        "import sys; before = set(sys.modules); sys.argv = ['halgit', '--version']\n"
        "import halgit.cli\n"
        "try:\n    halgit.cli.main()\n"
        "except SystemExit:\n    print(sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "['__future__', 'halgit', 'halgit.cli']"


# --- completion


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("halgit re", {"render"}),
        ("halgit render --sec", {"--secrets"}),
        ("halgit render --secrets ", {"resolve", "native", "mask", "keep"}),
        ("halgit schema hal", {"halconfig", "halgit"}),
        (f"halgit render --repo {SAMPLE} --overlay ", {"dev", "staging", "prod"}),
        (f"halgit explain --repo {SAMPLE} --overlay p", {"prod"}),
    ],
)
def test_completion_of_the_shell(line: str, wanted: set[str]) -> None:
    words = line.split(" ")
    given = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_HALGIT_COMPLETE": "bash_complete"}
    ran = halgit(**given)
    assert {text.partition(",")[2] for text in ran.out.splitlines()} == wanted


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_there_for_every_shell(shell: str) -> None:
    ran = halgit(_HALGIT_COMPLETE=f"{shell}_source")
    assert "_HALGIT_COMPLETE" in ran.out


# --- terminals


@pytest.fixture
def warned(tmp_path: Path) -> list[object]:
    """A command line that ends with a warning."""
    text = "deploymentConfigurations:\n- name: default\n  version: '1.36.1'\n  persistentStorage:\n"
    (tmp_path / "config").write_text(text + "    persistentStoreType: s3\n    s3: {bucket: b}\n")
    (tmp_path / "halgit.yaml").write_text("params: {unused: 1}\n")
    return ["render", "--repo", tmp_path, "--out", tmp_path / "new" / ".hal", "--dry-run"]


def test_colours_and_progress_on_a_terminal_only(warned: list[object]) -> None:
    text = on_a_terminal(*warned)
    assert "\033[33mwarning\033[0m" in text
    assert "\r\033[KMerging" in text
    ran = halgit(*warned, TERM="xterm")
    assert "warning" in ran.err
    assert "\033" not in ran.err + ran.out
    assert "Merging" not in ran.err


@pytest.mark.parametrize("off", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_refused(off: dict[str, str], warned: list[object]) -> None:
    assert "\033[33m" not in on_a_terminal(*warned, **off)


def test_json_tells_on_stderr_which_way_the_tree_went(tmp_path: Path) -> None:
    ran = halgit(*RENDER, "--out", tmp_path / ".hal", "--format", "json")
    assert ran.err == f"{tmp_path}/.hal: written atomically; SECRETS ARE PLACEHOLDER VALUES\n"


def test_a_table_that_is_too_wide_for_the_terminal_becomes_a_list() -> None:
    told = ("explain", "--repo", SAMPLE, "--overlay", "dev", "config:deploymentConfigurations[name=default].security")
    wide, narrow = on_a_terminal(*told, columns=500), on_a_terminal(*told, columns=80)
    assert re.search(r"^path +value +from ", wide, re.MULTILINE)
    assert not re.search(r"^path ", narrow, re.MULTILINE)
    assert "\r\ndeploymentConfigurations[name=default].security.uiSecurity.overrideBaseUrl\r\n  value " in narrow
