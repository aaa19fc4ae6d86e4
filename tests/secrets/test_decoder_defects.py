"""What the decoder of secrets in the OpsMx init scripts got wrong, and goes right here; numbered as its other defects.

The decoder looked for `encrypted:` line by line in every file, cut the text at the first `"` or blank, and put the
value in with sed.
"""

from __future__ import annotations

import pytest
from secret_trees import Store, compiled, opened, resolved

from halgit import yaml as hyaml
from halgit.errors import SecretError
from halgit.remotes.engine import SecretData

GATE = "default/profiles/gate-local.yml"
CONFIG = "deploymentConfigurations:\n- name: default\n"


def value(text: str, secret: bytes) -> object:
    """What the key `a` of a profile of this text says once the secret s2:k is in it."""
    tree = compiled({GATE: text})
    return hyaml.read(opened(resolved(tree, Store({"k8s://s2": SecretData({"k": secret})})))[GATE].encode(), GATE).data[
        "a"
    ]


@pytest.mark.parametrize("secret", ["ab&cd", "a/b", "a b", "a\nb", "*", "$HOME", "a\\1b", "'", '"', "1e3", "true", " "])
def test_24_25_a_secret_is_any_text(secret: str) -> None:
    """`&` was expanded; blanks, line breaks and `*` were split or globbed, and the marker stayed."""
    assert value("a: encrypted:s2:k\n", secret.encode()) == secret


def test_26_27_a_secret_or_key_that_is_missing_stops_all() -> None:
    """A missing Secret became an empty text, a missing key the three bytes that `null` is in base64."""
    tree = compiled({GATE: "a: encrypted:s2:k\nb: encrypted:gone:k\n"})
    with pytest.raises(SecretError) as caught:
        resolved(tree, Store({"k8s://s2": SecretData({"other": b"x"})}))
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines if line.startswith(GATE)] == [f"{GATE}:1", f"{GATE}:2"]


def test_28_references_of_spinnaker_are_not_taken_for_a_name_and_a_key() -> None:
    """`encrypted:s3!...` was read as a Secret's name, and erased."""
    reference = "encrypted:s3!r:eu!b:bucket!f:x.yml!k:a"
    config = "deploymentConfigurations:\n- {name: default, version: 1.36.1}\n"
    tree = compiled({"config": config, GATE: f"a: {reference}\nb: encrypted:s2:k\n"})
    result = opened(resolved(tree, Store({"k8s://s2": SecretData({"k": b"v"})}), "native"))
    assert result[GATE] == f"a: {reference}\nb: v\n"


@pytest.mark.parametrize("text", ["a: 'encrypted:s2:k'\n", "{a: encrypted:s2:k}\n", "{a: encrypted:s2:k, b: 1}\n"])
def test_29_quotes_commas_and_braces_end_a_key(text: str) -> None:
    """They became part of the key."""
    assert value(text, b"v") == "v"


def test_30_two_files_of_one_key_are_two_files() -> None:
    """A file was named by its key alone, so the second took the place of the first."""
    kubernetes = "  providers:\n    kubernetes:\n      accounts:\n"
    accounts = "".join(
        f"      - {{name: {n}, kubeconfigFile: 'encryptedFile:{n}:kubeconfig'}}\n" for n in ("one", "two")
    )
    tree = compiled({"config": CONFIG + kubernetes + accounts})
    store = Store({f"k8s://{n}": SecretData({"kubeconfig": n.encode()}) for n in ("one", "two")})
    files = {path: text for path, text in opened(resolved(tree, store)).items() if path.startswith("files/")}
    assert sorted(files.values()) == ["one", "two"]


def test_31_comments_stay() -> None:
    """It replaced in comments, too."""
    tree = compiled({GATE: "# encrypted:gone:k\na: encrypted:s2:k  # encrypted:gone:k\n"})
    result = opened(resolved(tree, Store({"k8s://s2": SecretData({"k": b"v"})})))
    assert result[GATE] == "# encrypted:gone:k\na: v  # encrypted:gone:k\n"
