"""Which services decrypt the references in their own configuration, in which versions."""

from __future__ import annotations

import pytest

from halgit.halyard.services import SPRING_SERVICES, get_base
from halgit.halyard.versions import can_all_decrypt, can_decrypt

SINCE = {
    "clouddriver": "4.3.6", "echo": "2.3.2", "fiat": "1.3.3", "front50": "0.15.3", "gate": "1.5.3", "igor": "1.0.2",
    "kayenta": "0.6.2", "orca": "2.4.1", "rosco": "0.9.1",
}  # fmt: skip


def bill(**versions: str) -> dict[str, object]:
    return {"services": {name: {"version": version} for name, version in versions.items()}}


@pytest.mark.parametrize("service", SPRING_SERVICES)
def test_a_service_of_a_bill_of_ones_own_decrypts_since_the_version_that_halyard_knows(service: str) -> None:
    first = SINCE[get_base(service)]
    major, minor, patch = map(int, first.split("."))
    below = f"{major}.{minor}.{patch - 1}"
    for version, expected in ((first, True), (f"{first}-20190101", True), (f"{major + 1}.0.0", True), (below, False)):
        assert can_decrypt(service, "local:1.36.1", bill(**{get_base(service): version})) is expected, version


@pytest.mark.parametrize("version", ["local:5.0.0", "branch:master", "master-latest", "5.0", "5.0.0.1", "", 5, None])
def test_an_artifact_whose_version_is_not_three_numbers_counts_as_one_that_does_not(version: object) -> None:
    assert can_decrypt("gate", "local:1.36.1", {"services": {"gate": {"version": version}}}) is False


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.20.0", True), ("1.36.1", True), ("2025.0.0", True), ("1.19.14", None), ("2.30.1", None), ("1.36", None),
        ("1.36.1-mine", None), ("branch:master", None), ("master-latest-unvalidated", None), ("", None),
        ("local:1.36.1", None),
    ],
)  # fmt: skip
def test_of_a_release_only_what_is_surely_new_enough_counts(version: str, expected: bool | None) -> None:
    assert can_decrypt("gate", version, None) is expected


def test_deck_and_what_is_no_spring_service_never_decrypts() -> None:
    for service in ("deck", "monitoring-daemon", "redis"):
        assert can_decrypt(service, "1.36.1", None) is False
        assert can_decrypt(service, "local:1.36.1", bill(deck="9.9.9", redis="9.9.9")) is False


def test_several_services_decrypt_when_each_that_runs_does() -> None:
    mixed = bill(gate="1.5.3", orca="2.4.0")
    assert can_all_decrypt(["gate"], "local:a", mixed) is True
    assert can_all_decrypt(["gate", "orca"], "local:a", mixed) is False
    assert can_all_decrypt(["gate", "kayenta"], "local:a", mixed) is True
    assert can_all_decrypt(["kayenta"], "local:a", mixed) is False
    assert can_all_decrypt(["gate", "orca"], "1.36.1", None) is True
    assert can_all_decrypt(["gate", "orca"], "1.0.0", None) is None
    assert can_all_decrypt(["gate", "deck"], "1.0.0", None) is False
    assert can_all_decrypt([], "1.36.1", None) is False
