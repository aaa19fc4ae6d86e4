"""The pages of docs/: their commands run or parse, the command reference is current, tags are the version's."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import needs
import pytest

from halgit import __version__
from halgit.cli.program import program

DOCS = needs.ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
OWN_TESTS = {"ci.md"}
"""Pages whose commands another test runs."""

BLOCK = re.compile(r"^ *```(console|sh)\n(.*?)^ *```$", re.M | re.S)


def commands(page: str, kind: str) -> Iterator[tuple[str, str]]:
    """Each command of the page's blocks of a kind, with the output that is shown below it."""
    for found in BLOCK.finditer((DOCS / page).read_text(encoding="utf-8")):
        text = found[2].replace("\\\n", " ")
        if found[1] == kind == "console":
            parts = re.split(r"^\$ ", text, flags=re.M)[1:]
            yield from ((first, shown) for first, _, shown in (part.partition("\n") for part in parts))
        elif found[1] == kind:
            yield from ((line.strip(), "") for line in text.splitlines() if line.strip())


def runnable(command: str) -> bool:
    """Whether a command needs no server of somebody's."""
    return "example.com" not in command


@pytest.mark.parametrize("page", [page for page in PAGES if page not in OWN_TESTS and list(commands(page, "console"))])
def test_the_commands_of_a_page_do_what_it_shows(page: str, tmp_path: Path) -> None:
    shutil.copytree(needs.ROOT / "sample-repo", tmp_path / "sample-repo")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for command, shown in commands(page, "console"):
        if not runnable(command):
            continue
        done = subprocess.run(
            ["sh", "-c", command], env={"PATH": path, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert not shown or done.stdout == shown


@pytest.mark.parametrize("page", PAGES)
def test_the_options_in_the_commands_of_a_page_exist(page: str) -> None:
    for command, _ in (*commands(page, "sh"), *commands(page, "console")):
        words = shlex.split(re.sub(r"\s[|>]\s.*", "", command), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if not words or words[0] != "halgit":
            continue
        found: click.Command = program
        context, rest = click.Context(program, info_name="halgit"), words[1:]
        while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
            _, below, rest = found.resolve_command(context, rest)
            assert below is not None
            found = below
        found.make_context("halgit", list(rest), resilient_parsing=False)


def test_the_command_reference_is_what_the_program_says() -> None:
    done = subprocess.run(
        [sys.executable, needs.ROOT / "scripts" / "command_reference.py"], capture_output=True, text=True, check=True
    )
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == done.stdout, "run `make docs`"


def test_the_pictures_show_what_the_program_prints(tmp_path: Path) -> None:
    script = needs.ROOT / "scripts" / "terminal_pictures.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, capture_output=True)
    for drawn in tmp_path.glob("*.svg"):
        assert drawn.read_text() == (DOCS / "images" / drawn.name).read_text(), f"{drawn.name}: run `make docs`"


def test_troubleshooting_quotes_messages_of_the_program() -> None:
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| the message says .*\n(?:\|.*\n)+", page, re.M)
    cells = [row.split("|")[1] for table in tables for row in table.splitlines()[2:]]
    quoted = [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]
    assert len(quoted) > 20
    texts = "\n".join(messages(needs.ROOT / "halgit"))
    assert [message for message in quoted if message not in texts] == []


def messages(package: Path) -> Iterator[str]:
    """Every string in the code of a package; the values of an f-string are left out."""
    for module in package.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_links_name_the_tag_of_this_version_and_no_branch() -> None:
    for page in [*(DOCS / page for page in PAGES), needs.ROOT / "README.md", needs.ROOT / "ci" / "gitlab.yml"]:
        text = page.read_text(encoding="utf-8")
        tags = re.findall(r"opsmx/halgit(?:/(?:blob|tree|raw))?(?:\.git)?[/@](v[\d.]+\d|main|master)\b", text)
        tags += re.findall(r"rev: (\S+)", text)
        assert set(tags) <= {f"v{__version__}"}, page.name
        for path in re.findall(r"opsmx/halgit/(?:blob|tree|raw)?/?v[\d.]+\d/([^)\s#\"]+)", text):
            assert (needs.ROOT / path).exists(), f"{page.name}: {path}"
