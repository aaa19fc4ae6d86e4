"""Spinnaker's versions as Halyard compares them."""

from __future__ import annotations

import pytest

from halgit.halyard.versions import compare_with_bounds, is_comparable, parse_version, supports_plugins


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("1.30.1", (1, 30, 1)),
        ("local:1.26.6", (1, 26, 6)),
        ("1.20.5-rc1", (1, 20, 5)),
        ("local:1.30.1-foo", (1, 30, 1)),
        ("1.30.1.", (1, 30, 1)),
        ("branch:master", None),
        ("1.30", None),
        ("1.30.x", None),
        ("", None),
        ("master-latest-unvalidated", None),
    ],
)
def test_the_numbers_of_a_version(version: str, numbers: tuple[int, int, int] | None) -> None:
    assert parse_version(version) == numbers


@pytest.mark.parametrize(
    ("version", "valid", "expected"),
    [
        ("1.5.0", ("1.6.0", ""), "too-low"),
        ("1.6.0", ("1.6.0", ""), ""),
        ("1.9.9", ("1.10.0", ""), "too-low"),
        ("1.23.0", ("1.12.0", "1.23.0"), "too-high"),
        ("1.22.9", ("1.12.0", "1.23.0"), ""),
        ("local:1.23.0-x", ("", "1.23.0"), "too-high"),
        ("branch:master", ("1.12.0", "1.23.0"), "too-high"),
        ("branch:master", ("1.12.0", ""), ""),
        ("master-latest-unvalidated", ("1.12.0", "1.23.0"), ""),
        ("", ("1.12.0", "1.23.0"), ""),
        ("1.30.1", ("", ""), ""),
    ],
)
def test_versions_outside_of_the_bounds(version: str, valid: tuple[str, str], expected: str) -> None:
    assert compare_with_bounds(version, valid) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.19.4", True),
        ("1.19.3", False),
        ("branch:master", True),
        ("1.30", None),
        ("", None),
        ("local:1.30.1", True),
        ("local:1.30.1-foo", False),
        ("1.30.1-rc1", False),
        ("master-latest-unvalidated", True),
        ("master-20200101000000", False),
        ("release-1.30.x-latest-unvalidated", True),
        ("release-1.18.x-latest-unvalidated", False),
        ("release-1.30.x", False),
    ],
)
def test_which_versions_get_their_plugins(version: str, expected: bool | None) -> None:
    assert supports_plugins(version) is expected


def test_what_halyard_can_compare() -> None:
    assert is_comparable("branch:x")
    assert not is_comparable("latest")
