"""What a plain scalar looks like is decided without patterns as the patterns decide it."""

from __future__ import annotations

import random

from halgit.yaml.resolver import FLOAT, INT, TIMESTAMP, find_number_kind

SIGNS = "0123456789+-._:eExXabfFnNiIT Z\t"
SAMPLES = (
    "2020-01-01", "2020-1-1 1:00:00", "2020-01-01T00:00:00Z", "2020-1-1T0:00:00. -5", "1e5", "-.inf", ".NaN", "+.INF",
    "0x_1f", "0b1", "190:20:30", "190:20:30.15", "\u0663", "1_000", "00", "0", "-", "+", ".", "1.36.1",
)  # fmt: skip


def kind(text: str) -> str:
    if INT.fullmatch(text):
        return "integer"
    return "float" if FLOAT.fullmatch(text) else "date" if TIMESTAMP.fullmatch(text) else ""


def test_every_kind_is_that_of_the_patterns() -> None:
    chance = random.Random(13)
    texts = [*SAMPLES, *("".join(chance.choices(SIGNS, k=chance.randint(1, 8))) for _ in range(30_000))]
    kinds = {text: kind(text) for text in texts}
    assert {text: find_number_kind(text) for text in texts} == kinds
    assert sum(map(bool, kinds.values())) > 500
