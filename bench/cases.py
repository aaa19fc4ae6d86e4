"""The cases of the benchmark: each command of halgit, and the programs that it is compared with."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import data
import vault
from measure import PYTHON, ROOT, Command, evict

HALGIT = (Path(PYTHON).parent / "halgit",)
BARE, FLOOR = "bare Python", "floor"
KUSTOMIZE, CHECK, CLONE = "kustomize", "check-jsonschema", "git clone --depth 1"
SAMPLE = ROOT / "sample-repo"
MANY = 10_000
"""Accounts that take kustomize minutes; in a quick run it runs once."""

BARE_COMMAND = Command((PYTHON, "-c", "pass"))
FLOOR_COMMAND = Command((PYTHON, "-c", "import click, yaml, jsonschema_rs"))


@dataclass(frozen=True)
class Case:
    """A command of halgit, and the commands to compare it with by their names; None for one that is not installed."""

    name: str
    ours: Command
    others: Mapping[str, Command | None]
    around: Callable[[], AbstractContextManager[object]] = field(default=nullcontext)


def render(repository: Path, out: Path, *options: object, keep: bool = False) -> Command:
    """`halgit render --overlay prod` with all rules, into a new tree unless `keep`."""
    words = (*HALGIT, "render", "--repo", repository, "--overlay", "prod", "--out", out, *options)
    return Command(words, () if keep else (out,))


def validate(repository: Path, *options: object) -> Command:
    """`halgit validate` with all rules."""
    return Command((*HALGIT, "validate", "--repo", repository, *options), accepts=(0, 1))


def kustomize(overlay: Path, runs: int | None = None) -> Command | None:
    """`kubectl kustomize`, or kustomize itself."""
    for words in (("kubectl", "kustomize"), ("kustomize", "build")):
        if shutil.which(words[0]):
            return Command((*words, overlay), runs=runs)
    return None


def check_jsonschema(schema: str, file: Path, runs: int | None = None) -> Command | None:
    """`check-jsonschema` with a schema of halgit."""
    program = Path(PYTHON).parent / "check-jsonschema"
    schema_file = ROOT / "schemas" / f"{schema}.schema.json"
    words = (program, "--schemafile", schema_file, "--force-filetype", "yaml", file)
    return Command(words, accepts=(0, 1), runs=runs) if program.exists() else None


def make(function: Callable[..., Path], *arguments: Any, **options: Any) -> Path:
    """Make data in a process of its own: the peak memory of a command includes that of the process that starts it."""
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(function, *arguments, **options).result()


def cases(folder: Path, *, is_quick: bool) -> Iterator[Case]:
    """Every case, with its data made below a folder. A quick run measures programs that take minutes once."""
    yield Case("halgit --version", Command((*HALGIT, "--version")), {BARE: BARE_COMMAND, FLOOR: FLOOR_COMMAND})
    yield from sample_cases(folder)
    yield from accounts_cases(folder, 1 if is_quick else None)
    yield from repeated_cases(folder)
    yield from source_cases(folder)
    yield from file_cases(folder)


def sample_cases(folder: Path) -> Iterator[Case]:
    """The sample repository."""
    other = check_jsonschema("halconfig", SAMPLE / "base" / "config")
    checks = {BARE: BARE_COMMAND, FLOOR: FLOOR_COMMAND, CHECK: other}
    yield Case("validate the sample repository", validate(SAMPLE, "--overlay", "prod"), checks)
    sample = render(SAMPLE, folder / "sample.hal", "--secrets", "mask")
    yield Case("render the sample repository", sample, {FLOOR: FLOOR_COMMAND})


def accounts_cases(folder: Path, slow_runs: int | None) -> Iterator[Case]:
    """Renders of 10 to 10,000 accounts, of which a tenth is changed, with all rules."""
    for count in (10, 100, 1000, MANY):
        repository = make(data.repository, folder / f"accounts-{count}", count, max(1, count // 10))
        overlay = make(data.kustomization, folder / f"kustomize-{count}", count, max(1, count // 10))
        slow = slow_runs if count == MANY else None
        others = {
            FLOOR: FLOOR_COMMAND,
            KUSTOMIZE: kustomize(overlay, slow),
            CHECK: check_jsonschema("halconfig", repository / "base" / "config", slow),
        }
        if count == MANY:
            others["1,000 accounts"] = render(folder / "accounts-1000", folder / "1000.hal")
        yield Case(f"render {count:,} accounts", render(repository, folder / f"{count}.hal"), others)


def repeated_cases(folder: Path) -> Iterator[Case]:
    """The same again: nothing changed, several overlays, and the first start of an image."""
    for count in (10, 1000):
        same = render(folder / f"accounts-{count}", folder / f"same-{count}.hal", keep=True)
        new = render(folder / f"accounts-{count}", folder / f"{count}.hal")
        others = {FLOOR: FLOOR_COMMAND, KUSTOMIZE: kustomize(folder / f"kustomize-{count}" / "overlay")}
        yield Case(f"render {count:,} accounts, nothing changed", same, {**others, "a first render": new})
    eight = make(data.repository, folder / "eight", 1000, 100, overlays=8)
    others = {FLOOR: FLOOR_COMMAND, "one of them": validate(eight, "--overlay", "prod")}
    yield Case("validate 8 overlays of 1,000 accounts", validate(eight, "--all-overlays"), others)
    yield from cold_cases(folder)


def cold_cases(folder: Path) -> Iterator[Case]:
    """The first start in a new container, whose files are not in memory, and one without compiled bytecode."""
    paths = sysconfig.get_paths()
    libraries = [Path(paths["purelib"]) / name for name in ("click", "yaml", "jsonschema_rs")]
    names = ("__pycache__", "collections", "encodings", "importlib", "json", "re", "ctypes", "lib-dynload")
    standard = [Path(paths["stdlib"]) / name for name in names]
    folders = [ROOT / "halgit", ROOT / "schemas", *libraries, *standard]
    ten = render(folder / "accounts-10", folder / "10.hal")
    cold = Command(ten.words, ten.outputs, prepare=lambda: evict(folders))
    floor = Command(FLOOR_COMMAND.words, prepare=lambda: evict(folders))
    yield Case("render 10 accounts, cold image", cold, {FLOOR: floor, "a warm one": ten})
    cache = folder / "pycache"
    new = Command(ten.words, (*ten.outputs, cache), {"PYTHONPYCACHEPREFIX": str(cache)})
    floor = Command(FLOOR_COMMAND.words, (cache,), {"PYTHONPYCACHEPREFIX": str(cache)})
    yield Case("render 10 accounts, no bytecode", new, {FLOOR: floor, "with bytecode": ten})


def source_cases(folder: Path) -> Iterator[Case]:
    """Sources and stores: git with many files, secrets in Vault."""
    repository = make(data.git_repository, folder / "git", 10_000)
    url, clone = f"file://{repository}", folder / "clone"
    out = folder / "git.hal"
    from_git = Command((*HALGIT, "render", "--repo", url, "--overlay", "prod", "--out", out), (out,))
    other = Command(("git", "clone", "-q", "--depth", "1", url, clone), (clone,)) if shutil.which("git") else None
    yield Case("render from git with 10,000 files", from_git, {FLOOR: FLOOR_COMMAND, CLONE: other})
    secrets = make(data.vault_repository, folder / "vault", secrets=1000, paths=50)
    port = vault.free_port()
    token = folder / "token"
    token.write_text("bench")
    options = ("--vault-address", f"http://127.0.0.1:{port}", "--vault-auth", "token", "--vault-token-file", token)
    yield Case(
        "render 1,000 secrets of 50 Vault paths, 20 ms each",
        render(secrets, folder / "vault.hal", *options),
        {FLOOR: FLOOR_COMMAND, "--secrets mask": render(secrets, folder / "masked.hal", "--secrets", "mask")},
        around=lambda: vault.serve(port, 0.020),
    )


def file_cases(folder: Path) -> Iterator[Case]:
    """Dynamic accounts, and publishing many files."""
    dynamic = make(data.dynamic_accounts, folder / "dynamic", 600)
    other = check_jsonschema("clouddriver-accounts", dynamic / "accounts" / "clouddriver-local.yml")
    checked = validate(dynamic, "--overlay", "prod")
    yield Case("validate 600 dynamic accounts", checked, {FLOOR: FLOOR_COMMAND, CHECK: other})
    many, out = make(data.many_files, folder / "many", 1000), folder / "many.hal"
    change = data.toggle(many / "overlays" / "prod" / "default" / "profiles" / "gate-local.yml")
    publish = render(many, out, keep=True)
    replaced = Command(publish.words, prepare=change)
    copy = Command(("cp", "-r", many / "base", folder / "copy"), (folder / "copy",))
    yield Case("publish 1,000 files over a tree", replaced, {FLOOR: FLOOR_COMMAND, "cp -r": copy})
