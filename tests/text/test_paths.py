"""Paths as people write them, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halgit.errors import UsageError
from halgit.pipeline import Path
from halgit.text import paths

DATA = {
    "providers": {"kubernetes": {"accounts": [{"name": "dev", "context": "a"}, {"name": "prod.eu", "context": "b"}]}},
    "odd.key": {"[x]": 1},
    "plain": [1, 2],
    "images": [{"baseImage": {"id": "xenial"}}],
    "amis": [{"region": "eu-1", "type": "pv"}, {"region": "eu-1", "type": "hvm"}],
}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("providers.kubernetes.accounts[name=dev].context", ("providers", "kubernetes", "accounts", 0, "context")),
        ("providers.kubernetes.accounts[name=prod.eu]", ("providers", "kubernetes", "accounts", 1)),
        ("providers.kubernetes.accounts[1].context", ("providers", "kubernetes", "accounts", 1, "context")),
        ('"odd.key"."[x]"', ("odd.key", "[x]")),
        ("images[baseImage.id=xenial]", ("images", 0)),
        ("amis[region=eu-1, type=hvm].type", ("amis", 1, "type")),
        ("/amis/[region=eu-1, type=pv]", ("amis", 0)),
        ("/providers/kubernetes/accounts/1", ("providers", "kubernetes", "accounts", 1)),
        (
            "/providers/kubernetes/accounts/[name=prod.eu]/context",
            ("providers", "kubernetes", "accounts", 1, "context"),
        ),
        ("/odd.key/[x]", ("odd.key", "[x]")),
        ("", ()),
    ],
)
def test_a_path_names_a_node(text: str, path: Path) -> None:
    assert paths.resolve_path(text, DATA) == path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("providers.kubernets", "providers has no key kubernets (keys: kubernetes)."),
        (
            "providers.kubernetes.accounts[name=x]",
            "providers.kubernetes.accounts has no item [name=x] (names: dev, prod.eu).",
        ),
        ("plain[2]", "plain has no item [2] (2 items)."),
        ("/plain/²", "plain has no item ² (2 items)."),
        (f"/plain/{'9' * 5000}", f"plain has no item {'9' * 5000} (2 items)."),
        ("plain[0].x", "plain[0] is a scalar, so it has no keys or items."),
        ("nothing", "the document has no key nothing (keys: providers, odd.key, plain, images, amis)."),
    ],
)
def test_a_step_that_meets_nothing_says_what_is_there(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        paths.resolve_path(text, DATA)
    assert error.value.message == message


@pytest.mark.parametrize(("text", "at"), [("a[b", 2), ("a..b", 3), ('"a"b', 4), ("a]", 2), ("[", 1), ("/a/~2", 4)])
def test_a_path_that_makes_no_sense_shows_where(text: str, at: int) -> None:
    with pytest.raises(UsageError) as error:
        paths.parse_path(text)
    assert error.value.message == f"The path {text!r} is invalid at character {at}."


@given(st.lists(st.one_of(st.text(min_size=1), st.integers(0, 9)), min_size=1, max_size=5))
def test_what_is_shown_can_be_read_again(steps: list[str | int]) -> None:
    if isinstance(steps[0], int):
        steps[0] = str(steps[0])
    if str(steps[0]).startswith("/"):
        steps[0] = "x"
    assert list(paths.parse_path(paths.format_path(tuple(steps)))) == steps
