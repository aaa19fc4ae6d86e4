"""Phrases that messages share."""

from __future__ import annotations

import pytest

from halgit.text.phrases import add_article


@pytest.mark.parametrize(
    ("noun", "phrase"),
    [
        ("aws", "an aws"),
        ("appsManagerUri", "an appsManagerUri"),
        ("ECS", "an ECS"),
        ("integer", "an integer"),
        ("kubernetes", "a kubernetes"),
        ("uri", "a uri"),
        ("null", "null"),
    ],
)
def test_an_article_fits_the_first_letter_of_its_noun(noun: str, phrase: str) -> None:
    assert add_article(noun) == phrase
