"""The page's comparison with kustomize: each claim about it is tried with the kustomize that kubectl brings."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import needs
import pytest

from halgit import yaml as hyaml

BASE = {"accounts": [{"name": "a", "context": 1}, {"name": "b", "context": 2}], "plain": [1, 2], "mapping": {"x": 1}}
SCHEMA = {
    "definitions": {
        "com.example.v1.Hal": {
            "type": "object",
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Hal"}],
            "properties": {
                "spec": {
                    "type": "object",
                    "properties": {
                        "accounts": {
                            "type": "array",
                            "items": {"type": "object"},
                            "x-kubernetes-patch-merge-key": "name",
                            "x-kubernetes-patch-strategy": "merge",
                        }
                    },
                }
            },
        }
    }
}


CLAIMS: dict[str, tuple[Any, Any]] = {
    "items of the patch come first": (
        {"accounts": [{"name": "c"}, {"name": "b", "context": 9}]},
        {"accounts": [{"name": "c"}, {"context": 9, "name": "b"}, {"context": 1, "name": "a"}]},
    ),
    "an item without its key empties the list": ({"accounts": [{"context": 3}]}, {"accounts": []}),
    "of one key twice the second is lost": (
        {"accounts": [{"name": "a", "context": 3}, {"name": "a", "context": 4}]},
        {"accounts": [{"context": 3, "name": "a"}, {"context": 2, "name": "b"}]},
    ),
    "a delete that meets nothing is passed over": ({"gone": None, "accounts": [{"name": "z", "$patch": "delete"}]}, {}),
    "null in something new is dropped": ({"new": {"inner": None}}, {"new": {}}),
    "a misspelt directive is written": ({"mapping": {"$pacth": "delete"}}, {"mapping": {"$pacth": "delete", "x": 1}}),
    "deleteFromPrimitiveList is written": ({"$deleteFromPrimitiveList/plain": [1]},) * 2,
    "setElementOrder is written": ({"$setElementOrder/accounts": [{"name": "b"}]},) * 2,
    "a list is replaced by an item": (
        {"accounts": [{"$patch": "replace"}, {"name": "c"}]},
        {"accounts": [{"name": "c"}]},
    ),
    "a mapping is replaced": ({"mapping": {"$patch": "replace", "y": 2}}, {"mapping": {"y": 2}}),
}
"""A patch of the base's `spec`, and what it changes."""


def kubectl() -> str:
    """A kubectl whose kustomize takes an OpenAPI schema: one of these tells its version."""
    program = needs.program("kubectl", "kubernetes-client")
    said = subprocess.run([program, "version", "--client", "--output=json"], capture_output=True, check=False).stdout
    if b"kustomizeVersion" not in said:
        needs.unavailable("kubectl 1.24 or newer; that of Debian 12 is older")
    return program


def kustomize(folder: Path, patches: list[Any]) -> subprocess.CompletedProcess[bytes]:
    """One resource with the base's `spec` for each patch, all in one run."""
    program = kubectl()
    for number, patch in enumerate(patches):
        (folder / f"base{number}.yaml").write_bytes(resource(number, BASE))
        (folder / f"patch{number}.yaml").write_bytes(resource(number, patch))
    wanted = {
        "resources": [f"base{number}.yaml" for number in range(len(patches))],
        "patches": [{"path": f"patch{number}.yaml"} for number in range(len(patches))],
        "openapi": {"path": "schema.json"},
    }
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    (folder / "kustomization.yaml").write_bytes(hyaml.dump(wanted))
    return subprocess.run([program, "kustomize", str(folder)], capture_output=True, check=False)


def resource(number: int, spec: Any) -> bytes:
    return hyaml.dump({"apiVersion": "example.com/v1", "kind": "Hal", "metadata": {"name": f"x{number}"}, "spec": spec})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What kustomize makes of the base for each claim."""
    done = kustomize(tmp_path_factory.mktemp("claims"), [patch for patch, _ in CLAIMS.values()])
    assert done.returncode == 0, done.stderr
    specs = {part["metadata"]["name"]: part["spec"] for part in hyaml.read(done.stdout, "out", many=True).documents}
    return {claim: specs[f"x{number}"] for number, claim in enumerate(CLAIMS)}


@pytest.mark.parametrize("claim", CLAIMS)
def test_kustomize_does_what_the_page_says(claim: str, made: dict[str, Any]) -> None:
    assert made[claim] == {**BASE, **CLAIMS[claim][1]}


def test_kustomize_refuses_another_kind_too(tmp_path: Path) -> None:
    done = kustomize(tmp_path, [{"mapping": "text"}])
    assert (done.returncode, b"wrong node kind" in done.stderr) == (1, True)
