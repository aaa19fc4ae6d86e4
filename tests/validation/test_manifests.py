"""A Kubernetes manifest where the halconfig is expected: one finding that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from program import halgit


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\nspec: {}\n",
            "config:1:1: error: config is a Kubernetes manifest (SpinnakerService), not a halconfig. Convert a "
            "SpinnakerService with `halgit import`, and keep other manifests outside the layers. [config/manifest]",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\ndata: {config: x}\n",
            "config:1:1: error: config is a Kubernetes manifest (ConfigMap), not a halconfig. Convert a "
            "SpinnakerService with `halgit import`, and keep other manifests outside the layers. [config/manifest]",
        ),
        (
            "apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\n---\napiVersion: v1\nkind: Secret\n",
            "config:3:1: error: a second document begins here, where one is allowed. Keep Kubernetes manifests outside "
            "the layers; `halgit import` converts a SpinnakerService among them. [yaml/documents]",
        ),
    ],
)
def test_a_manifest_as_halconfig_has_one_finding(tmp_path: Path, text: str, lines: str) -> None:
    (tmp_path / "config").write_text(text)
    ran = halgit("render", "--repo", tmp_path, "--out", tmp_path.parent / "out")
    assert ran.code == 1
    assert [line for line in ran.err.splitlines() if ": error: " in line] == [lines]
