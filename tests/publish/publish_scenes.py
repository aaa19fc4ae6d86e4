"""What may stand at a target when a tree is published, and what must be there afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from publish_disks import Watched

from halgit.pipeline import SourceId
from halgit.publish import Disk, Manifest, Options, publish

NOON = datetime(2025, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
BEFORE = ".hal.before-20250301T120000Z"

OLD = {
    "config": b"currentDeployment: default\nold: true\n",
    "default/profiles/gate-local.yml": b"server: {port: 8084}\n",
    "default/profiles/igor-local.yml": b"locking: {enabled: true}\n",
    "default/service-settings/gate.yml": b"overrideBaseUrl: https://gate.example.com\n",
}
NEW = {
    "config": b"currentDeployment: default\nnew: true\n",
    "default/profiles/gate-local.yml": b"server: {port: 8084}\n",
    "default/profiles/orca-local.yml": b"tasks: {useWaitForAllNetworksInSwitchUp: false}\n",
    "extra/deep/notes.txt": b"new\n",
}
BY_HALYARD = {
    ".backup/config": b"backup\n",
    "default/history/service-settings.yml": b"history\n",
    "default/staging/dependencies/1-key.pem": b"key\n",
    "default/profiles/notes-of-mine.txt": b"mine\n",
    "vault-token": b"token\n",
}
IN_THE_WAY = {
    "extra": b"a file where a folder is to be\n",
    "default/profiles/orca-local.yml/mine.txt": b"a folder where a file is to be\n",
}
FOREIGN = {
    "config": b"currentDeployment: by-hand\n",
    "default/profiles/fiat-local.yml": b"by: hand\n",
    "extra": b"a file\n",
}


def manifest(revision: str) -> Manifest:
    sources = (SourceId("https://git.example.com/hal.git", revision, "main"),)
    return Manifest(sources, "prod", secret_files=frozenset({"config", "default/profiles/orca-local.yml"}))


def options(force: bool = False, **more: object) -> Options:
    return Options(force=force, now=lambda: NOON, wait=0.2, **more)  # type: ignore[arg-type]


def lay(folder: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def tree(folder: Path) -> dict[str, bytes]:
    """All files of a folder but halgit's own."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    with_path = {path.relative_to(folder).as_posix(): path for path in found}
    return {
        name: path.read_bytes()
        for name, path in sorted(with_path.items())
        if name != ".halgit.json" and not name.startswith((".halgit/", ".hal.before-"))
    }


def put(files: dict[str, bytes], target: Path, revision: str, force: bool = False, disk: Disk | None = None):
    return publish(files, manifest(revision), target, options(force), disk or Watched())


@dataclass(frozen=True)
class Scene:
    """`old` is what stands there, `carried` what of it must be there afterwards too, `kept` what must be kept."""

    write_journal: Callable[[Path], None]
    old: dict[str, bytes] | None
    carried: dict[str, bytes]
    kept: dict[str, bytes]
    force: bool = False


def _is_ours(more: dict[str, bytes]) -> Callable[[Path], None]:
    def write_journal(target: Path) -> None:
        put(OLD, target, "1" * 40)
        lay(target, more)

    return write_journal


MODIFIED = {"config": b"changed by hand\n"}
SCENES = {
    "nothing": Scene(lambda target: None, None, {}, {}),
    "empty": Scene(lambda target: target.mkdir(), {}, {}, {}),
    "old": Scene(_is_ours({}), OLD, {}, {}),
    "carry": Scene(_is_ours(BY_HALYARD), OLD, BY_HALYARD, {}),
    "in-the-way": Scene(_is_ours(BY_HALYARD | IN_THE_WAY), OLD | IN_THE_WAY, BY_HALYARD, IN_THE_WAY),
    "foreign": Scene(lambda target: lay(target, FOREIGN), FOREIGN, {}, FOREIGN, force=True),
    "modified": Scene(_is_ours(MODIFIED | BY_HALYARD), OLD | MODIFIED, BY_HALYARD, OLD | MODIFIED, force=True),
}


def beside_of(folder: Path) -> set[str]:
    """The names in a folder, without a work folder that holds the tree before the current one and nothing else."""
    names = {path.name for path in folder.iterdir()}
    return names - {name for name in names if name.endswith(".halgit") and _is_idle(folder / name)}


def _is_idle(work_folder: Path) -> bool:
    held = {path.name for path in work_folder.iterdir()} if work_folder.is_dir() else set()
    return held == {"previous", ".gitignore"}
