"""`halgit secrets list` and `check` as a user runs them; and that a crash would leave no image of the memory."""

from __future__ import annotations

from pathlib import Path

from program import SAMPLE, halgit
from servers.kubernetes_api import kubernetes
from servers.ports import free_port

CONFIG = "deploymentConfigurations:\n- name: default\n  version: '1.36.1'\n"
CONFIG += "  persistentStorage: {persistentStoreType: s3, s3: {bucket: one}}\n"
GATE = "default/profiles/gate-local.yml"


def repository(folder: Path, gate: str) -> Path:
    (folder / "default/profiles").mkdir(parents=True)
    (folder / "config").write_text(CONFIG)
    (folder / GATE).write_text(gate)
    return folder


def test_every_reference_is_listed_once_with_its_engine_and_places(tmp_path: Path) -> None:
    gate = "a: encrypted:gate:pw\nb: redis://:encrypted:gate:pw@x\nc: encryptedFile:s3!r:us-east-1!b:bucket!f:x\n"
    repo = repository(tmp_path / "repo", gate)
    ran = halgit("secrets", "list", "--repo", repo)
    assert (ran.code, ran.err) == (0, "")
    assert [line.split() for line in ran.out.splitlines()] == [
        ["reference", "engine", "used", "at"],
        ["k8s://gate#pw", "k8s", f"{GATE}:1:", "a"],
        [f"{GATE}:2:", "b"],
        ["s3://bucket/x?region=us-east-1", "s3", f"{GATE}:3:", "c", "(not", "resolved)"],
    ]
    listed = halgit("secrets", "list", "--repo", repo, "--format", "json").json
    assert listed["secrets"][0] == {
        "reference": "k8s://gate#pw", "engine": "k8s", "places": [f"{GATE}:1: a", f"{GATE}:2: b"], "left": False
    }  # fmt: skip
    assert halgit("secrets", "list", "--repo", repository(tmp_path / "none", "a: 1\n")).out == "No references.\n"


def test_the_sample_is_listed_without_a_credential() -> None:
    ran = halgit("secrets", "list", "--repo", SAMPLE, "--overlay", "prod")
    assert ran.code == 0
    assert len(ran.out.splitlines()) > 1


def test_what_is_lost_is_told_all_together_and_what_had_to_be_read_is_said(tmp_path: Path) -> None:
    gate = "a: encrypted:gate:pw\nb: encrypted:gate:none\nc: encrypted:gone:pw\nd: encrypted:vault!e:kv!p:x!k:k\n"
    repo = repository(tmp_path / "repo", gate + "e: encrypted:noop!v:hunter2-hunter2\n")
    address = f"http://127.0.0.1:{free_port()}"
    with kubernetes(tmp_path) as cluster:
        cluster.secrets["spinnaker/gate"] = {"pw": b"canary-of-gate"}
        login = {"KUBECONFIG": cluster.kubeconfig(), "VAULT_ADDR": address, "VAULT_TOKEN": "not-a-token"}
        ran = halgit("secrets", "check", "--repo", repo, "--retries", "0", **login)
        data = halgit("secrets", "check", "--repo", repo, "--retries", "0", "--format", "json", **login)
    assert ran.code == data.code == 4
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines()}
    assert rows["k8s://gate#pw"] == ["k8s", "there", "read"]
    assert rows["noop"] == ["noop", "there", "metadata"]
    assert "3 secrets are unavailable:" in ran.err
    assert f"{GATE}:2: b: k8s://gate#none: the secret has no key none (keys: pw)" in ran.err
    assert f"{GATE}:3: c: k8s://gone#pw: " in ran.err
    assert f"{GATE}:4: d: vault://kv/x#k: " in ran.err
    assert address in ran.err
    assert {one["row"]["reference"]: one["state"] for one in data.json["secrets"]} == {
        "k8s://gate#pw": "there", "k8s://gate#none": "missing", "k8s://gone#pw": "missing",
        "vault://kv/x#k": "refused", "noop": "there",
    }  # fmt: skip
    assert data.json["error"]["code"] == 4
    assert not any(secret in ran.out + ran.err + data.out for secret in ("canary", "hunter2"))


def test_a_crash_would_leave_no_image_of_the_memory(tmp_path: Path) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook/sitecustomize.py").write_text(
        "import atexit, ctypes, resource, sys\n"
        "def tell():\n"
        "    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform == 'linux' else 0\n"
        "    print(resource.getrlimit(resource.RLIMIT_CORE), dumpable)\n"
        "atexit.register(tell)\n"
    )
    ran = halgit(
        "secrets", "list", "--repo", repository(tmp_path / "repo", "a: 1\n"), PYTHONPATH=str(tmp_path / "hook")
    )
    assert ran.out.splitlines()[-1] == "(0, 0) 0"
