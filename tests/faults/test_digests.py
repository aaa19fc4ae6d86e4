"""No digest of a secret in `.halgit.json`, `halgit.lock` or the state of sync: whoever reads one could test guesses.

Each test knows the secret, and looks for every digest of everything that holds it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from pathlib import Path

import pytest
from program import Ran, halgit, tree
from servers.openbao import ROOT_TOKEN, openbao

PIN = "4711-secret"
PLAIN = "0815-plain"
GATE = "default/profiles/gate-local.yml"
ORCA = "default/profiles/orca-local.yml"
FIAT = "default/profiles/fiat-local.yml"
CONFIG = "deploymentConfigurations:\n- {name: default, version: 1.36.0}\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A layer with a resolved secret, a plain one, and a file without any."""
    (tmp_path / "repo/default/profiles").mkdir(parents=True)
    (tmp_path / "pin").write_text(PIN)
    for path, text in {
        "config": CONFIG,
        "halgit.yaml": "dialect: halgit\n",
        GATE: f"a: \"${{{{ secret('file://{tmp_path}/pin') }}}}\"\n",
        ORCA: f"db: {{password: {PLAIN}}}\n",
        FIAT: "server: {port: 7003}\n",
    }.items():
        (tmp_path / "repo" / path).write_text(text)
    return tmp_path / "repo"


def render(repo: Path, *options: object) -> Ran:
    command = ("render", "--repo", repo, "--out", repo.parent / ".hal", "--allow-engine", "file", "--no-validate")
    return halgit(*command, *options)


def digests_of(data: bytes) -> set[str]:
    """Every usual digest of some bytes, in hex and base64."""
    found: set[str] = set()
    blob = b"blob %d\0" % len(data) + data
    for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s", "sha3_256"):
        for raw in (data, blob):
            value = hashlib.new(name, raw, usedforsecurity=False).digest()
            found |= {value.hex(), base64.b64encode(value).decode().rstrip("=")}
    return found


def find_digests(text: str, *holders: bytes) -> list[str]:
    """The digests of these contents that a text holds; a prefix of 12 characters is enough."""
    return [one for holder in holders for one in digests_of(holder) if one[:12] in text]


def contents(repo: Path) -> list[bytes]:
    """Everything that holds one of the secrets."""
    files = [*tree(repo).values(), *tree(repo.parent / ".hal").values()]
    secret = [data for data in files if PIN.encode() in data or PLAIN.encode() in data]
    assert len(secret) == 3
    return [PIN.encode(), PLAIN.encode(), *secret, *(data.rstrip(b"\n") for data in secret)]


def test_no_digest_of_a_secret_in_the_record_of_a_tree(repo: Path) -> None:
    assert render(repo).code == 0
    text = (repo.parent / ".hal/.halgit.json").read_text()
    marks = json.loads(text)["files"]
    assert find_digests(text, *contents(repo)) == []
    assert re.fullmatch(r"secret:17:[0-9a-f]{16}", marks[GATE])
    assert re.fullmatch(r"secret:27:[0-9a-f]{16}", marks[ORCA])
    assert find_digests(marks[FIAT], (repo / FIAT).read_bytes()) != [], "a file without a secret has a digest"


def test_the_digest_of_the_inputs_covers_no_content(repo: Path) -> None:
    """The stamps are those of the file system, and the digest beside them is the same for every content."""
    (repo / GATE).unlink()
    assert render(repo).code == 0
    record = json.loads((repo.parent / ".hal/.halgit.json").read_text())["inputs"]
    (repo / ORCA).write_text(f"db: {{password: {PLAIN[::-1]}}}\n")
    assert render(repo).code == 0
    again = json.loads((repo.parent / ".hal/.halgit.json").read_text())["inputs"]
    assert (again["digest"], again["stamps"] == record["stamps"]) == (record["digest"], False)
    rows = []
    for path in record["files"][0]:
        found = (repo / path).stat()
        rows.append(f"{path}={found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}")
    assert again["stamps"] == "sha256:" + hashlib.sha256("\0".join(rows).encode()).hexdigest()


def test_no_digest_of_a_secret_in_a_lock_which_still_pins_the_rest(repo: Path) -> None:
    ran = halgit("lock", "--repo", repo, "--allow-engine", "file")
    assert ran.code == 0, ran.err
    lock = repo / "halgit.lock"
    files = json.loads(lock.read_text())["overlays"]["."]["sources"][0]["files"]
    render(repo)
    assert find_digests(lock.read_text(), *contents(repo)) == []
    (repo / ORCA).write_text(f"db: {{password: {PLAIN[::-1]}}}\n")
    assert halgit("lock", "--repo", repo, "--allow-engine", "file").code == 0
    assert json.loads(lock.read_text())["overlays"]["."]["sources"][0]["files"] == files
    (repo / ORCA).write_text(f"db: {{password: {PLAIN}, user: other}}\n")
    ran = render(repo, "--locked")
    assert (ran.code, f"{ORCA} has changed" in ran.err) == (3, True)


def test_files_of_vault_are_locked_by_their_versions(tmp_path: Path) -> None:
    with openbao(tmp_path) as bao:
        bao.mount("kv", 2)
        bao.mount("old", 1)
        for mount, version in (("kv", 2), ("old", 1)):
            bao.put(mount, "hal/config", {"content": CONFIG}, version)
            bao.put(mount, f"hal/{ORCA}", {"content": f"pin: {PIN}\n"}, version)
        login = {"VAULT_ADDR": bao.url, "VAULT_TOKEN": ROOT_TOKEN}
        for mount in ("kv", "old"):
            lock = tmp_path / f"{mount}.lock"
            ran = halgit("lock", "--repo", f"vault://{mount}/hal", "--output", lock, **login)
            assert ran.code == 0, ran.err
            out = tmp_path / mount
            render = ("render", "--repo", f"vault://{mount}/hal", "--out", out, "--no-validate")
            assert halgit(*render, **login).code == 0
            for text in (lock.read_text(), (out / ".halgit.json").read_text()):
                assert find_digests(text, f"pin: {PIN}\n".encode(), CONFIG.encode(), PIN.encode()) == []
            (source,) = json.loads(lock.read_text())["overlays"]["."]["sources"]
            assert (set(source["files"].values()), bool(source["revision"])) == ({""}, mount == "kv")


# --- a tree with secrets is known by size and time


def test_rendering_again_writes_nothing(repo: Path) -> None:
    render(repo)
    before = tree(repo.parent / ".hal")
    assert "unchanged, nothing written" in render(repo).out
    assert tree(repo.parent / ".hal") == before
    assert render(repo, "--check").code == 0


def test_a_secret_file_that_was_edited_is_noticed(repo: Path) -> None:
    render(repo)
    hal = repo.parent / ".hal"
    text = (hal / GATE).read_text()
    (hal / GATE).write_text(text.replace(PIN, PIN[::-1]))
    assert render(repo, "--check").code == 1
    ran = render(repo)
    assert (ran.code, f"changed since halgit wrote it: {GATE}." in ran.err) == (5, True)
    assert render(repo, "--force").code == 0
    assert (hal / GATE).read_text() == text
    assert len(list(repo.parent.glob(".hal.before-*"))) == 1


def test_a_copy_of_a_tree_that_lost_its_times_is_taken_over(repo: Path) -> None:
    """The contents are those of this render, so that nothing can be lost; the files get their time again."""
    render(repo)
    hal = repo.parent / ".hal"
    os.utime(hal / GATE)
    os.utime(hal / ORCA)
    assert render(repo, "--check").code == 1
    assert render(repo).code == 0
    assert "unchanged, nothing written" in render(repo).out
    (repo / FIAT).write_text("server: {port: 7004}\n")
    assert render(repo).code == 0
    assert list(repo.parent.glob(".hal.before-*")) == []


def test_a_changed_secret_changes_the_mark(repo: Path) -> None:
    render(repo)
    record = repo.parent / ".hal/.halgit.json"
    first = json.loads(record.read_text())["files"]
    (repo.parent / "pin").write_text(PIN[::-1])
    render(repo)
    second = json.loads(record.read_text())["files"]
    assert first[GATE] != second[GATE]
    assert first[GATE].rpartition(":")[0] == second[GATE].rpartition(":")[0]
    assert first[ORCA] == second[ORCA]


def test_touched_sources_write_nothing(repo: Path) -> None:
    (repo / GATE).unlink()
    render(repo)
    before = tree(repo.parent / ".hal")
    os.utime(repo / ORCA)
    ran = render(repo)
    assert "unchanged, nothing written" in ran.out
    assert tree(repo.parent / ".hal") == before
