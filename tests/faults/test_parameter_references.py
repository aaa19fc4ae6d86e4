"""Values of parameters and tokens are no references, and two values that are joined never form one: nothing is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import Ran, halgit

from halgit.opsmx.tokens import token_table

CONFIG = "deploymentConfigurations:\n- {name: default, version: 1.36.0}\n"
TOKENS = token_table()
PLAIN = next(name for name, one in TOKENS.items() if not one.secret and any("profiles/" in file for file in one.files))
"""A token of a profile that is not secret."""


def write(repo: Path, files: dict[str, str]) -> Path:
    for path, text in {"config": CONFIG, **files}.items():
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text(text)
    return repo


def render(repo: Path, *options: object) -> Ran:
    """Render with an unreachable cluster: whatever is read fails with exit 4."""
    out = repo.parent / ".hal"
    return halgit("render", "--repo", repo, "--out", out, "--retries", "0", *options, KUBECONFIG="/nonexistent")


PLAIN_IS_NONE = "The value of parameter odd is a secret reference, but its declaration does not allow one."
MALFORMED = "halgit.yaml:1:15: error: The reference is malformed: "


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("encrypted:k8s!n:s!k:k", PLAIN_IS_NONE),
        ("encrypted:", f"{MALFORMED}unknown form."),
        ("encrypted:nobody", f"{MALFORMED}unknown form."),
        ("encryptedFile:k8s!n:s", f"{MALFORMED}the parameter k (key) is missing."),
    ],
)
def test_a_plain_parameter_is_no_reference(tmp_path: Path, value: str, words: str) -> None:
    files = {
        "halgit.yaml": f"params: {{odd: '{value}'}}\n",
        "default/profiles/gate-local.yml": "a: ${{ params.odd }}\n",
    }
    ran = render(write(tmp_path / "repo", files))
    assert (ran.code, words in ran.err) == (1, True), ran.err
    assert "KUBECONFIG" not in ran.err


def test_a_token_of_the_opsmx_dialect_forms_no_reference_with_the_text_around_it(tmp_path: Path) -> None:
    file = next(one for one in TOKENS[PLAIN].files if "profiles/" in one)
    path = file if file.startswith("default/") else f"default/{file}"
    values = tmp_path / "values.yml"
    values.write_text(json.dumps({PLAIN: "my-secret"}))
    repo = write(tmp_path / "repo", {path: f"a: encrypted:{PLAIN}:token\n"})
    ran = render(repo, "--dialect", "opsmx", "--params", values)
    assert ran.code == 1, ran.err
    assert f"The text and its tokens ({PLAIN}) would form a reference. Write the whole reference as one" in ran.err
    assert "KUBECONFIG" not in ran.err
