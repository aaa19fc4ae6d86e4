"""Which running services a change reaches, and why."""

from __future__ import annotations

import pytest

from halgit.halyard import change_impact
from halgit.halyard.services import SPRING_SERVICES

RUNNING = (
    "clouddriver-caching",
    "clouddriver-rw",
    "deck",
    "echo",
    "fiat",
    "front50",
    "gate",
    "igor",
    "orca",
    "rosco",
    "redis",
)
SPRING_RUNNING = {service for service in RUNNING if service in SPRING_SERVICES}


@pytest.mark.parametrize(
    ("path", "services"),
    [
        (("providers", "kubernetes", "accounts", 0, "context"), {"clouddriver-caching", "clouddriver-rw"}),
        (("providers", "kubernetes", "primaryAccount"), {"clouddriver-caching", "clouddriver-rw", "deck"}),
        (("providers", "aws", "bakeryDefaults", "baseImages"), {"clouddriver-caching", "clouddriver-rw", "rosco"}),
        (("providers", "dockerRegistry", "enabled"), {"clouddriver-caching", "clouddriver-rw", "deck", "igor"}),
        (("artifacts", "s3"), {"clouddriver-caching", "clouddriver-rw", "echo", "igor"}),
        (("persistentStorage", "s3", "bucket"), {"front50"}),
        (("security", "authn", "ldap"), {"gate", "deck"}),
        (("security", "authz", "groupMembership"), {"fiat", "gate"}),
        (("security", "authz", "enabled"), SPRING_RUNNING | {"deck"}),
        (("security", "apiSecurity", "overrideBaseUrl"), SPRING_RUNNING | {"deck"}),
        (("timezone",), SPRING_RUNNING | {"deck"}),
        (("version",), set(RUNNING)),
        (("deploymentEnvironment", "haServices", "echo", "enabled"), set(RUNNING)),
        (("deploymentEnvironment", "customSizing", "spin-gate", "replicas"), {"gate"}),
        (("deploymentEnvironment", "customSizing", "spin-clouddriver"), set()),
        (("deploymentEnvironment", "sidecars", "spin-clouddriver"), {"clouddriver-caching", "clouddriver-rw"}),
        (("canary", "defaultJudge"), {"deck"}),
        (("nonsense",), set()),
    ],
)
def test_what_a_section_reaches(path: tuple[str | int, ...], services: set[str]) -> None:
    assert {found.service for found in change_impact.find_by_section(path, RUNNING)} == services


def test_a_whole_section_reaches_what_its_parts_reach() -> None:
    assert {found.service for found in change_impact.find_by_section(("security",), RUNNING)} >= {
        "fiat",
        "gate",
        "deck",
        "orca",
    }


def test_the_reason_is_told() -> None:
    assert change_impact.find_by_section(("persistentStorage",), RUNNING) == (
        change_impact.AffectedService("front50", "Front50 stores all data there"),
    )
    assert change_impact.find_by_section(("deploymentEnvironment", "tolerations", "gate"), RUNNING) == (
        change_impact.AffectedService("gate", "deploymentEnvironment.tolerations names it"),
    )


def test_a_profile_reaches_those_that_take_it() -> None:
    assert change_impact.find_by_profile("clouddriver-local.yml", RUNNING) == (
        change_impact.AffectedService("clouddriver-caching", "it reads profiles/clouddriver-local.yml"),
        change_impact.AffectedService("clouddriver-rw", "it reads profiles/clouddriver-local.yml"),
    )
    assert {found.service for found in change_impact.find_by_profile("spinnakerconfig.yml", RUNNING)} == SPRING_RUNNING


def test_service_settings_reach_their_service_and_all_if_its_address_changes() -> None:
    assert change_impact.find_by_service_settings("gate", ("env", "JAVA_OPTS"), RUNNING) == (
        change_impact.AffectedService("gate", "service-settings/gate.yml belongs to it"),
    )
    assert {
        found.service for found in change_impact.find_by_service_settings("gate", ("port",), RUNNING)
    } == SPRING_RUNNING | {"deck"}


def test_a_bill_of_materials_reaches_what_is_made_of_it() -> None:
    assert [found.service for found in change_impact.find_by_bom_file("gate", RUNNING)] == ["gate"]
    assert {found.service for found in change_impact.find_by_bom_file("bom", RUNNING)} == set(RUNNING)
