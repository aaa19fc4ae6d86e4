"""How often and how long a remote is asked again, and which proxy is taken."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from halgit.errors import RefusedError, RemoteError, ThrottledError, UnreachableError
from halgit.remotes.http import retry, retry_after, select_proxies


class Flaky:
    """Fails with these errors, one after the other, then answers."""

    def __init__(self, *errors: RemoteError) -> None:
        self.errors = list(errors)
        self.pauses: list[float] = []

    def __call__(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def ask(self, retries: int = 3, deadline: float = 60) -> str:
        return retry(self, retries=retries, deadline=deadline, sleep=self.pauses.append)


def test_what_may_pass_is_tried_again_with_growing_pauses() -> None:
    flaky = Flaky(UnreachableError("a"), UnreachableError("b"), ThrottledError("c"))
    assert flaky.ask() == "answer"
    assert len(flaky.pauses) == 3
    assert flaky.pauses[2] > flaky.pauses[0]


def test_tries_are_bounded() -> None:
    with pytest.raises(UnreachableError, match="d"):
        Flaky(*map(UnreachableError, "abcde")).ask()
    with pytest.raises(UnreachableError, match="a"):
        Flaky(*map(UnreachableError, "abcde")).ask(retries=0)


def test_a_refusal_stays_one() -> None:
    flaky = Flaky(RefusedError("no"))
    with pytest.raises(RefusedError):
        flaky.ask()
    assert flaky.pauses == []


def test_retry_after_is_honoured_in_full_and_jittered() -> None:
    flaky = Flaky(ThrottledError("a", retry_after=7), ThrottledError("b", retry_after=7))
    assert flaky.ask() == "answer"
    assert all(7 < pause < 8 for pause in flaky.pauses)
    assert flaky.pauses[0] != flaky.pauses[1]


def test_more_patience_than_there_is_ends_the_tries() -> None:
    flaky = Flaky(ThrottledError("a", retry_after=61))
    with pytest.raises(ThrottledError):
        flaky.ask(deadline=60)
    assert flaky.pauses == []


@pytest.mark.parametrize(("header", "seconds"), [("5", 5.0), (" 0 ", 0.0), ("", None), (None, None), ("soon", None)])
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds
    assert 90 < (retry_after(formatdate(time.time() + 100, usegmt=True)) or 0) <= 100
    assert retry_after(formatdate(time.time() - 100, usegmt=True)) == 0


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ({}, "https://vault.example.com", {}),
        ({"HTTPS_PROXY": "http://p:1"}, "https://vault.example.com", {"https": "http://p:1"}),
        ({"all_proxy": "http://p:1"}, "https://v", {"http": "http://p:1", "https": "http://p:1"}),
        ({"https_proxy": "http://p:1", "NO_PROXY": "example.com"}, "https://vault.example.com:8200", {}),
        ({"https_proxy": "http://p:1", "NO_PROXY": "localhost, .example.com"}, "https://vault.example.com", {}),
        ({"https_proxy": "http://p:1", "no_proxy": "*"}, "https://vault.example.com", {}),
        ({"https_proxy": "http://p:1", "no_proxy": "ample.com"}, "https://example.com", {"https": "http://p:1"}),
    ],
)
def test_proxies_are_those_of_the_usual_variables(
    environment: dict[str, str], url: str, expected: dict[str, str]
) -> None:
    assert select_proxies(environment, url) == expected
