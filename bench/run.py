"""`make bench`: what halgit costs, as ratios against other programs in one run.

Times depend on the machine, ratios hardly do. Each figure is the median of at least 7 runs after a warm-up; the
commands of a case run in turn. A program that is missing is named and its ratio is `-`.

    python bench/run.py [--runs N] [--only WORD] [--full]

`--full` also runs kustomize at 10,000 accounts, which takes minutes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import data
import vault
from measure import PYTHON, ROOT, Command, Cost, compile_bytecode, measure_all

HALGIT = (PYTHON, "-m", "halgit")
BARE = Command((PYTHON, "-c", "pass"))
FLOOR = Command((PYTHON, "-c", "import click, yaml, jsonschema_rs"))
SAMPLE = ROOT / "sample-repo"


@dataclass(frozen=True)
class Case:
    """Commands to compare: the ratio is `ours` by `other`. `target` is the highest CPU ratio that counts as met."""

    name: str
    ours: Command
    other: Command | None
    against: str
    target: float | None = None
    runs: int | None = None
    around: Callable[[], AbstractContextManager[object]] = field(default=nullcontext)


def render(repository: Path, out: Path, *options: object, keep: bool = False) -> Command:
    """`halgit render --overlay prod` with all rules, into a new tree unless `keep`."""
    words = (*HALGIT, "render", "--repo", repository, "--overlay", "prod", "--out", out, *options)
    return Command(words, () if keep else (out,))


def validate(repository: Path, *options: object) -> Command:
    """`halgit validate` with all rules."""
    return Command((*HALGIT, "validate", "--repo", repository, *options), accepts=(0, 1))


def kustomize(overlay: Path) -> Command | None:
    """`kubectl kustomize`, or kustomize itself."""
    for words in (("kubectl", "kustomize"), ("kustomize", "build")):
        if shutil.which(words[0]):
            return Command((*words, overlay))
    return None


def check_jsonschema(schema: str, file: Path) -> Command | None:
    """`check-jsonschema` with a schema of halgit."""
    program = Path(PYTHON).parent / "check-jsonschema"
    schema_file = ROOT / "schemas" / f"{schema}.schema.json"
    words = (program, "--schemafile", schema_file, "--force-filetype", "yaml", file)
    return Command(words, accepts=(0, 1)) if program.exists() else None


def make(function: Callable[..., Path], *arguments: Any, **options: Any) -> Path:
    """Make data in a process of its own: the peak memory of a command includes that of the process that starts it."""
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(function, *arguments, **options).result()


def cases(folder: Path, *, full: bool) -> Iterator[Case]:
    """Every case, with its data made below a folder."""
    yield Case("halgit --version", Command((*HALGIT, "--version")), BARE, "python -c pass", 1.5)
    yield Case("validate the sample repository", validate(SAMPLE, "--overlay", "prod"), BARE, "python -c pass", 9)
    sample = render(SAMPLE, folder / "sample.hal", "--secrets", "mask")
    yield Case("render the sample repository", sample, FLOOR, "floor: python, click, libyaml, validator")
    yield from accounts_cases(folder, full=full)
    yield from thousand_cases(folder)
    yield from source_cases(folder)
    yield from file_cases(folder)


def accounts_cases(folder: Path, *, full: bool) -> Iterator[Case]:
    """Renders of 10 to 10,000 accounts of which a tenth is changed, against kustomize."""
    targets = {10: 1.2, 100: None, 1000: 0.22, 10_000: None}
    for count, target in targets.items():
        repository = make(data.repository, folder / f"accounts-{count}", count, max(1, count // 10))
        overlay = make(data.kustomization, folder / f"kustomize-{count}", count, max(1, count // 10))
        other = kustomize(overlay) if count < 10_000 or full else None
        ours = render(repository, folder / f"{count}.hal")
        runs = 1 if count >= 10_000 and full else None  # kustomize takes minutes there
        yield Case(f"render {count:,} accounts", ours, other, "kubectl kustomize", target, runs)


def thousand_cases(folder: Path) -> Iterator[Case]:
    """What 1,000 accounts cost in other ways."""
    thousand, out = folder / "accounts-1000", folder / "same.hal"
    small = render(thousand, folder / "1000.hal")
    large = render(folder / "accounts-10000", folder / "10000.hal")
    yield Case("render 10,000 accounts", large, small, "render 1,000 accounts", 6)
    same = render(thousand, out, keep=True)
    yield Case("render 1,000 accounts, nothing changed", same, small, "render 1,000 accounts", 0.5)
    ten = render(folder / "accounts-10", folder / "10.hal")
    unchanged = render(folder / "accounts-10", folder / "same-10.hal", keep=True)
    yield Case("render 10 accounts, nothing changed", unchanged, ten, "render 10 accounts", 0.5)
    cold = Command(small.words, (*small.outputs, folder / "pycache"), {"PYTHONPYCACHEPREFIX": str(folder / "pycache")})
    yield Case("render 1,000 accounts, first run without bytecode", cold, small, "render 1,000 accounts")
    plain = make(data.plain, folder / "plain", 1000)
    other = check_jsonschema("halconfig", plain / "config")
    yield Case("validate 1,000 accounts", validate(plain), other, "check-jsonschema")
    eight = make(data.repository, folder / "eight", 1000, 100, overlays=8)
    one = validate(eight, "--overlay", "prod")
    yield Case("validate 8 overlays of 1,000 accounts", validate(eight, "--all-overlays"), one, "one of them")


def source_cases(folder: Path) -> Iterator[Case]:
    """Sources and stores: git with many files, secrets in Vault."""
    repository = make(data.git_repository, folder / "git", 10_000)
    url, clone = f"file://{repository}", folder / "clone"
    from_git = Command(
        (*HALGIT, "render", "--repo", url, "--overlay", "prod", "--out", folder / "git.hal"), (folder / "git.hal",)
    )
    other = Command(("git", "clone", "-q", "--depth", "1", url, clone), (clone,)) if shutil.which("git") else None
    yield Case("render from git with 10,000 files", from_git, other, "git clone --depth 1")
    secrets = make(data.vault_repository, folder / "vault", secrets=1000, paths=50)
    port = vault.free_port()
    token = folder / "token"
    token.write_text("bench")
    options = ("--vault-address", f"http://127.0.0.1:{port}", "--vault-auth", "token", "--vault-token-file", token)
    ours = render(secrets, folder / "vault.hal", *options)
    masked = render(secrets, folder / "masked.hal", "--secrets", "mask")
    name = "render 1,000 secrets of 50 Vault paths, 20 ms each"
    yield Case(name, ours, masked, "the same with --secrets mask", around=lambda: vault.serve(port, 0.020))


def file_cases(folder: Path) -> Iterator[Case]:
    """Dynamic accounts, and publishing many files."""
    dynamic = make(data.dynamic_accounts, folder / "dynamic", 600)
    other = check_jsonschema("clouddriver-accounts", dynamic / "accounts" / "clouddriver-local.yml")
    yield Case(
        "validate 600 dynamic accounts", validate(dynamic, "--overlay", "prod"), other, "check-jsonschema", runs=3
    )
    many, out = make(data.many_files, folder / "many", 1000), folder / "many.hal"
    change = data.toggle(many / "overlays" / "prod" / "default" / "profiles" / "gate-local.yml")
    publish = render(many, out, keep=True)
    replaced = Command(publish.words, prepare=change)
    copy = Command(("cp", "-r", many / "base", folder / "copy"), (folder / "copy",))
    yield Case("publish 1,000 files over a tree", replaced, copy, "cp -r")


def row(case: Case, costs: Mapping[str, Cost]) -> list[str]:
    """One line of the table."""
    ours, other = costs["ours"], costs.get("other")
    line = [case.name, f"{ours.cpu * 1000:.0f}", f"{ours.wall * 1000:.0f}", f"{ours.memory:.0f}", case.against]
    if other is None:
        return [*line, "-", "-", "-", "-", _target(case)]
    ratios = [f"{ours.cpu / other.cpu:.2f}", f"{ours.wall / other.wall:.2f}"]
    return [*line, f"{other.cpu * 1000:.0f}", f"{other.wall * 1000:.0f}", *ratios, _target(case)]


def _target(case: Case) -> str:
    return "-" if case.target is None else f"{case.target:g}"


HEAD = ["case", "CPU ms", "wall ms", "MB", "against", "CPU ms", "wall ms", "CPU ratio", "wall ratio", "target"]


def main() -> None:
    """Measure and print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", default="")
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    compile_bytecode()
    subprocess.run([*HALGIT, "--version"], check=True, capture_output=True)
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(Path(folder), full=options.full):
            if options.only not in case.name:
                continue
            with case.around():
                commands = {"ours": case.ours} | ({"other": case.other} if case.other else {})
                costs = measure_all(commands, min(options.runs, case.runs or options.runs))
            print("| " + " | ".join(row(case, costs)) + " |", flush=True)


if __name__ == "__main__":
    main()
