"""Edits of files that people write: what is asked for is there, and every other line is as it was."""

from __future__ import annotations

import cProfile
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halgit.pipeline import MISSING, Path
from halgit.yaml import EditError, dump, edit, editor, read
from halgit.yaml.editor import edit_all, edit_parsed, replace_scalars
from halgit.yaml.locator import get_key_text

FILE = b"""\
# who may deploy where
kubernetes:
  enabled: true   # since March
  accounts:
    # the first cluster
    - name: a   # not b
      context: 'x'
      permissions: {READ: [x], WRITE: [x]}
      notes: |
        one

        two

    # the second
    - name: "b"
      namespaces:
      - one
      - two
    # and that is all
docker-registry:
  accounts: []
# end
"""
ACCOUNTS = ("kubernetes", "accounts")


def edited(path: Path, value: Any, text: bytes = FILE) -> list[str]:
    """The lines that an edit takes out (`-`) and puts in (`+`), in their order; all others are the same."""
    import difflib

    before, after = text.decode().splitlines(), edit(text, path, value).decode().splitlines()
    return [line for line in difflib.ndiff(before, after) if line[0] in "+-"]


EDITS: dict[str, tuple[Path, Any, list[str]]] = {
    "an item at the end, before the comments that follow": (
        (*ACCOUNTS, 2),
        {"name": "c", "permissions": {"READ": ["q"]}},
        ["+     - name: c", "+       permissions:", "+         READ:", "+         - q"],
    ),
    "a scalar keeps the comment behind it": (
        (*ACCOUNTS, 0, "name"), 7, ["-     - name: a   # not b", "+     - name: 7   # not b"],
    ),
    "a key more": ((*ACCOUNTS, 0, "cacheThreads"), 2, ["+       cacheThreads: 2"]),
    "a key of the first line of an item goes": (
        (*ACCOUNTS, 0, "name"), MISSING, ["-     - name: a   # not b", "-       context: 'x'", "+     - context: 'x'"],
    ),
    "a block scalar": (
        (*ACCOUNTS, 0, "notes"), MISSING, ["-       notes: |", "-         one", "- ", "-         two"],
    ),
    "an item": (
        (*ACCOUNTS, 1), MISSING, ['-     - name: "b"', "-       namespaces:", "-       - one", "-       - two"],
    ),
    "an item written anew": (
        (*ACCOUNTS, 1), {"name": "z"},
        ['-     - name: "b"', "+     - name: z", "-       namespaces:", "-       - one", "-       - two"],
    ),
    "an empty list in flow style": (
        ("docker-registry", "accounts", 0), {"name": "d"}, ["-   accounts: []", "+   accounts:", "+   - name: d"],
    ),
    "a section that is not there": (
        ("cloudfoundry", "accounts", 0), {"name": "d"}, ["+ cloudfoundry:", "+   accounts:", "+   - name: d"],
    ),
    "what would read as another type is quoted": (
        (*ACCOUNTS, 1, "name"), "012", ['-     - name: "b"', '+     - name: "012"'],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_changes_its_lines_and_no_other(name: str) -> None:
    path, value, expected = EDITS[name]
    assert edited(path, value) == expected


def test_files_without_content_and_with_other_line_ends() -> None:
    path, value = ("kubernetes", "accounts", 0), {"name": "a"}
    written = b"kubernetes:\n  accounts:\n  - name: a\n"
    assert edit(b"", path, value) == written
    assert edit(b"# a comment", path, value) == b"# a comment\n" + written
    assert edit(b"kubernetes: {}\n", path, value) == written
    assert edit(b"kubernetes:\n  accounts:\n", path, value) == written
    assert edit(written, path, MISSING) == b"kubernetes:\n  accounts: []\n"
    windows = written.replace(b"\n", b"\r\n")
    assert edit(windows, ("kubernetes", "accounts", 1), {"name": "b"}) == windows + b"  - name: b\r\n"
    assert edit(written.rstrip(), ("kubernetes", "accounts", 1), {"name": "b"}) == written + b"  - name: b\n"


REFUSED = {
    "does not parse": (b"a: [", ("a",), 1),
    "several documents": (b"a: 1\n---\nb: 2\n", ("a",), 2),
    "nothing to remove": (b"a: 1\n", ("b",), MISSING),
    "a place beyond the list": (b"a: [1]\n", ("a", 3), 1),
    "a key of a scalar": (b"a: 1\n", ("a", "b"), 1),
    "an anchor that is needed elsewhere": (b"a:\n- &x {n: 1}\n- *x\n", ("a", 0), MISSING),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_edited_is_refused(name: str) -> None:
    text, path, value = REFUSED[name]
    with pytest.raises(EditError):
        edit(text, path, value)


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=12))
KEYS = st.text("abcyn01", min_size=1, max_size=4)
DATA = st.recursive(
    LEAVES,
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(KEYS, below, max_size=4)),
    max_leaves=20,
)


def paths(data: Any, here: Path = ()) -> list[Path]:
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [(*here, step) for step, _ in below] + [p for step, one in below for p in paths(one, (*here, step))]


@given(st.dictionaries(KEYS, DATA, min_size=1, max_size=4), DATA, st.data())
def test_a_file_of_ours_can_be_edited_anywhere_and_means_what_was_asked(data: Any, value: Any, draw: Any) -> None:
    text = dump(data)
    path = draw.draw(st.sampled_from(paths(data)))
    after = read(edit(text, path, value), "").data
    for step in path:
        after = after[step]
    assert after == value
    removed = edit(text, path, MISSING)
    assert read(removed, "").data != data


def test_replacing_many_scalars_reads_each_key_once() -> None:
    def keys_read(count: int) -> int:
        text = "".join(f"key-{number}: a\n" for number in range(count)).encode()
        profile = cProfile.Profile()
        profile.runcall(replace_scalars, text, {(f"key-{number}",): "b" for number in range(count)})
        return sum(entry.callcount for entry in profile.getstats() if entry.code is get_key_text.__code__)

    assert (keys_read(100), keys_read(400)) == (100, 400)


STARTS = (
    "",
    "# first\n",
    "a:\n  list:\n  - name: one # x\n    k: 1\n  # between\n  - name: two\n    flow: {x: 1}\n    deep:\n      o: p\n"
    "# tail\n",
    "a: {list: []}\n",
    "a:\n  list: []\nb:\n  list:\n  - name: z\n",
    "a:\n  list: # all\n  - name: one\nb:\n  list:\n  - {name: q}\nkeep: x\n",
)
NEW: tuple[Any, ...] = (2, "x", "0755", {"p": 1}, [1, "b"], {"o": {"p": 1}}, "a\nb\n")


@pytest.mark.parametrize("seed", range(60))
def test_several_edits_in_one_pass_give_the_text_of_one_after_the_other(seed: int) -> None:
    rng = random.Random(seed)
    text = expected = rng.choice(STARTS).encode()
    data = current = read(text, "").data
    edits: list[tuple[Path, Any]] = []
    for _ in range(rng.randint(1, 6)):
        owner = rng.choice("ab")
        items = ((current or {}).get(owner) or {}).get("list") or []
        edit_of: tuple[tuple[Path, Any], ...] = (
            ((owner, "list", len(items)), {"name": "new", "value": rng.choice(NEW)}),
            ((owner, "list", rng.randrange(len(items) or 1), rng.choice(["k", "deep", "more"])), rng.choice(NEW)),
            (("keep",), "y"),
            ((owner, "list", rng.randrange(len(items) or 1)), MISSING),
        )
        path, value = rng.choices(edit_of, (5, 4, 1, 1))[0]
        try:
            expected, current = edit_parsed(expected, current, path, value)
        except EditError:
            continue
        edits.append((path, value))
    assert edit_all(text, data, edits) == (expected, current)


def test_several_additions_and_changes_read_the_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"a:\n  list:\n  - name: one # x\n"
    edits: list[tuple[Path, Any]] = [(("a", "list", 1), {"name": "two"}), (("a", "list", 1, "k"), 1),
                                     (("a", "list", 0, "k"), 2), (("a", "list", 2), {"name": "three"})]  # fmt: skip
    seen: list[bytes] = []
    monkeypatch.setattr(editor, "read", lambda text, name: seen.append(text) or read(text, name))
    after, _ = edit_all(text, read(text, "").data, edits)
    assert after == text + b"    k: 2\n  - name: two\n    k: 1\n  - name: three\n"
    assert seen == [after]
