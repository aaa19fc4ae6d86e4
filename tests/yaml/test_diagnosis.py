"""A text that does not parse gets the likely cause in words, with its place; never the value of a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import judge
import pytest

from halgit import yaml as hyaml

BROKEN = hyaml.read((Path(__file__).parent / "broken.yaml").read_bytes(), "broken.yaml").data
OUR_LIMIT = "halgit cannot read"


def findings_of(text: bytes) -> list[str]:
    return [f"{f.line}:{f.column}: {f.rule}: {f.message} {f.hint}" for f in hyaml.read(text, "f").findings]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case["text"])
def test_a_broken_text_gets_its_cause(case: dict[str, Any]) -> None:
    assert findings_of(case["text"].encode()) == case["findings"]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case["text"])
def test_what_halyard_accepts_is_reported_as_a_limit_of_halgit(case: dict[str, Any]) -> None:
    try:
        judge.read(case["text"].encode())
    except judge.RefusedError:
        assert not any(OUR_LIMIT in line for line in case["findings"])
    else:
        assert all(OUR_LIMIT in line or "yaml/template" in line for line in case["findings"])


@pytest.mark.parametrize(
    "text",
    [
        "password:hunter2\nb: 1\n",
        "password: 'hunter2'\t\n",
        "password: hunter2'\t'x\n b: 1\n",
        "password: *hunter2\n",
        "password: !hunter2\n",
        "password: 'hunter2''\n",
        "password: 'hunt'hunter2'\n",
        'password: "\\hunter2"\n',
        "password: @hunter2\n",
        "password: hunter2: x\n",
        "password: hunter2\n  b: hunter2\n",
        "a: [hunter2\nb: 1\n",
        "hunter2\nb: 1\n",
    ],
)
def test_no_value_is_shown(text: str) -> None:
    assert findings_of(text.encode())
    assert not any("hunter2" in line for line in findings_of(text.encode()))


def test_every_merge_conflict_is_reported() -> None:
    one = "<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n"
    assert [line.split()[:2] for line in findings_of((one + "b: 1\n" + one).encode())] == [
        ["1:1:", "yaml/conflict:"],
        ["7:1:", "yaml/conflict:"],
    ]
