"""`make bench`: how fast halgit is, as ratios against `kubectl kustomize` and the libyaml floor, in one run.

Seconds depend on the machine, ratios hardly do. Each figure is the best of several runs; a program that is missing
is named and its ratio skipped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import data

PYTHON = sys.executable
CHANGED = 100


def best(action: Callable[[], object], times: int = 3) -> float:
    """The shortest wall time of some runs, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return min(taken)


def ran(*command: object) -> None:
    """Run a command to its end; its failure is ours."""
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def render(repository: Path, *options: str) -> float:
    """`halgit render`, all rules on, into a new tree each time."""

    def action() -> None:
        with tempfile.TemporaryDirectory() as out:
            base = [PYTHON, "-m", "halgit", "render", "--repo", repository, "--overlay", "prod"]
            ran(*base, "--out", Path(out) / ".hal", *options)

    return best(action)


def floor(repository: Path) -> float:
    """libyaml alone: parse both files into events in one Python process."""
    code = (
        "import sys, yaml\n"
        "for name in sys.argv[1:]:\n"
        "    for event in yaml.parse(open(name, 'rb').read(), Loader=yaml.CSafeLoader):\n"
        "        pass\n"
    )
    files = [repository / "base" / "config", repository / "overlays" / "prod" / "config"]
    return best(lambda: ran(PYTHON, "-c", code, *files))


def kustomize(overlay: Path) -> float | None:
    """`kubectl kustomize`, or kustomize itself."""
    for command in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(command[0]):
            return best(lambda command=command: ran(*command, overlay), times=1)  # type: ignore[misc]
    return None


def validate(repository: Path, *options: str) -> float:
    """`halgit validate`, all rules on."""
    return best(lambda: ran(PYTHON, "-m", "halgit", "validate", "--repo", repository, *options))


def check_jsonschema(repository: Path) -> float | None:
    """`check-jsonschema` with the halconfig's schema, on the halconfig of a plain layer."""
    program = Path(PYTHON).parent / "check-jsonschema"
    schema = Path(__file__).resolve().parent.parent / "schemas" / "halconfig.schema.json"
    if not program.exists():
        return None
    config = repository / "config"
    return best(lambda: ran(program, "--schemafile", schema, "--force-filetype", "yaml", config), times=2)


def row(what: str, ours: float, theirs: float | None, goal: str) -> list[str]:
    """One line of the table."""
    ratio = "-" if theirs is None else f"{ours / theirs:.2f}"
    return [what, f"{ours:.2f}", "-" if theirs is None else f"{theirs:.2f}", ratio, goal]


def measure(folder: Path) -> list[list[str]]:
    """Every figure."""
    small = data.repository(folder / "small", 1000, CHANGED)
    large = data.repository(folder / "large", 4000, CHANGED)
    overlay = data.kustomization(folder / "kustomize", 1000, CHANGED)
    thousand, four = render(small), render(large)
    bare = best(lambda: ran(PYTHON, "-c", "pass"), 10)
    version = best(lambda: ran(PYTHON, "-m", "halgit", "--version"), 10)
    single = data.plain(folder / "plain", 1000)
    eight = data.repository(folder / "eight", 1000, CHANGED, overlays=8)
    one, every = validate(eight, "--overlay", "prod"), validate(eight, "--all-overlays")
    return [
        row("render 1,000 accounts / kubectl kustomize", thousand, kustomize(overlay), "0.4 at most"),
        row("render 4,000 accounts / 1,000 accounts", four, thousand, "4.5 at most"),
        row("render 1,000 accounts / parsing them with libyaml", thousand, floor(small), "-"),
        row("halgit --version / python -c pass", version, bare, "4 at most"),
        row("validate 1,000 accounts / check-jsonschema", validate(single), check_jsonschema(single), "0.5 at most"),
        row("validate 8 overlays of 1,000 accounts / one of them", every, one, "4 at most"),
    ]


def show(rows: Sequence[Sequence[str]]) -> None:
    """The table."""
    head = ["what", "seconds", "against", "ratio", "goal"]
    widths = [max(len(line[column]) for line in [head, *rows]) for column in range(len(head))]
    for line in [head, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        show(measure(Path(folder)))
