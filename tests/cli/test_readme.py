"""What the README shows is run: its console blocks command by command, with what they print, its files, its targets."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import needs
import pytest
import yaml
from program import halgit

from halgit import __version__

TEXT = (needs.ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```console\n(.*?)^```$", TEXT, re.M | re.S)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample, as the README has it before it."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(needs.ROOT / "sample-repo", folder / "sample-repo")
    (folder / "tmp").mkdir()
    return folder


def commands(block: str) -> list[tuple[str, str]]:
    """Every command of a block with what is shown below it."""
    parts = re.split(r"^\$ ", block, flags=re.M)[1:]
    return [(first, shown) for first, _, shown in (part.partition("\n") for part in parts)]


def test_its_commands_do_what_it_shows(here: Path) -> None:
    """One after the other: a later one may use what an earlier one wrote."""
    shell = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for command, shown in (one for block in BLOCKS for one in commands(block)):
        done = subprocess.run(
            ["sh", "-c", command.replace("/tmp/", f"{here}/tmp/")],
            env={"PATH": shell, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"},
            cwd=here, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        printed = done.stdout.replace(f"{here}/tmp/", "/tmp/")
        assert not shown or printed == shown


def test_its_files_are_parts_of_the_sample() -> None:
    """A YAML block begins with the file it is taken from; everything it shows is in there."""
    blocks = re.findall(r"^```yaml\n# (overlays/\S+?)(?::[^\n]*)?\n(.*?)^```$", TEXT, re.M | re.S)
    assert len(blocks) == 2
    for name, block in blocks:
        assert part_of(yaml.safe_load(block), yaml.safe_load((needs.ROOT / "sample-repo" / name).read_text()))


def part_of(shown: object, whole: object) -> bool:
    if isinstance(shown, dict):
        return isinstance(whole, dict) and all(key in whole and part_of(shown[key], whole[key]) for key in shown)
    if isinstance(shown, list):
        return isinstance(whole, list) and all(any(part_of(one, other) for other in whole) for one in shown)
    return shown == whole


def test_its_targets_are_in_the_makefile() -> None:
    told = set(re.findall(r"(?:^    |`)make ([a-z]+)", TEXT, re.M))
    makefile = (needs.ROOT / "Makefile").read_text()
    assert {"demo", "test", "bench"} <= told <= set(re.findall(r"^([a-z-]+):", makefile, re.M))


def test_its_links_are_absolute_and_name_files_at_the_tag_of_this_version() -> None:
    """The package index shows the README, where a relative link leads nowhere."""
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    starts = ("https://github.com/opsmx/halgit/blob/", "https://raw.githubusercontent.com/opsmx/halgit/")
    assert all(link.startswith(starts) for link in links)
    for link in links:
        tag, _, path = link.removeprefix(starts[0]).removeprefix(starts[1]).partition("/")
        assert tag == f"v{__version__}"
        assert (needs.ROOT / path.partition("#")[0]).is_file(), path


def test_the_samples_own_readme(here: Path) -> None:
    """What it points at is there, its commands run, and nothing is to be found in the sample."""
    text = (needs.ROOT / "sample-repo" / "README.md").read_text()
    pointed = re.findall(r"^\| `([^`]+)` \|", text, re.M)
    assert len(pointed) > 5
    assert all((needs.ROOT / "sample-repo" / path).exists() for path in pointed)
    commands = re.findall(r"^    (halgit .*)$", text, re.M)
    assert commands
    for command in [*commands, "halgit validate --repo . --all-overlays"]:
        ran = halgit(*shlex.split(command.replace("/tmp/", f"{here}/tmp/sample/"))[1:], cwd=here / "sample-repo")
        assert (ran.code, ran.err) == (0, "")
    assert ran.out == "No findings.\n"
