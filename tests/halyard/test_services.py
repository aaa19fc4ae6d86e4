"""Which services run for a configuration, and the words for why."""

from __future__ import annotations

from typing import Any

import pytest

from halgit.halyard import services


def kubernetes(**sections: Any) -> dict[str, Any]:
    """A deployment on Kubernetes with these sections."""
    environment = {"type": "Distributed", "accountName": "here"} | sections.pop("deploymentEnvironment", {})
    return {"deploymentEnvironment": environment, **sections}


ALWAYS = {"clouddriver", "deck", "echo", "front50", "gate", "orca", "redis", "rosco"}


def test_a_bare_spinnaker_on_kubernetes() -> None:
    assert set(services.list_running(kubernetes())) == ALWAYS


@pytest.mark.parametrize(
    ("sections", "more"),
    [
        ({"security": {"authz": {"enabled": True}}}, {"fiat"}),
        ({"canary": {"enabled": "true"}}, {"kayenta"}),
        ({"providers": {"dockerRegistry": {"enabled": 1}}}, {"igor"}),
        ({"ci": {"jenkins": {"enabled": True}}}, {"igor"}),
        ({"metricStores": {"datadog": {"enabled": True}}}, {"monitoring-daemon"}),
        ({"metricStores": {"enabled": True, "datadog": None}}, set()),
    ],
)
def test_what_a_section_switches_on(sections: dict[str, Any], more: set[str]) -> None:
    assert set(services.list_running(kubernetes(**sections))) == ALWAYS | more


def high_availability(**clouddriver: Any) -> dict[str, Any]:
    parts = {"clouddriver": {"enabled": True, **clouddriver}, "echo": {"enabled": True}}
    return kubernetes(deploymentEnvironment={"haServices": parts})


def test_high_availability_splits_clouddriver_and_echo() -> None:
    parts = {
        "clouddriver-caching",
        "clouddriver-ro",
        "clouddriver-ro-deck",
        "clouddriver-rw",
        "echo-scheduler",
        "echo-worker",
    }
    assert set(services.list_running(high_availability())) == ALWAYS - {"clouddriver", "echo"} | parts
    without = services.get_statuses(high_availability(disableClouddriverRoDeck=True))["clouddriver-ro-deck"]
    assert without == services.ServiceStatus(False, "haServices.clouddriver.disableClouddriverRoDeck is true")


def test_a_services_own_settings_win() -> None:
    settings = {"fiat": {"enabled": True}, "gate": {"enabled": "false"}, "deck": {"enabled": None}}
    found = services.get_statuses(kubernetes(), settings)
    assert found["fiat"] == services.ServiceStatus(True, "enabled in service-settings/fiat.yml is true")
    assert found["gate"] == services.ServiceStatus(False, "enabled in service-settings/gate.yml is false")
    assert found["deck"].runs


def test_the_reason_is_told() -> None:
    found = services.get_statuses(kubernetes(metricStores={"datadog": {"enabled": True}}))
    assert found["igor"].reason == "providers.dockerRegistry.enabled is false, and no build system is enabled"
    assert found["monitoring-daemon"].reason == "metricStores.datadog.enabled is true"
    assert found["clouddriver"].reason == "haServices.clouddriver.enabled is false"
    assert found["gate"].reason == "it always runs"


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        ({}, "LocalDebian"),
        (None, "LocalDebian"),
        ({"deploymentEnvironment": {"type": "LocalGit"}}, "LocalGit"),
        ({"deploymentEnvironment": {"type": "Distributed", "accountName": "k"}}, services.KUBERNETES_MODE),
        (
            {
                "deploymentEnvironment": {"type": "Distributed", "accountName": "g"},
                "providers": {"google": {"accounts": [{"name": "g"}]}},
            },
            "Distributed on Google",
        ),
    ],
)
def test_the_mode_of_a_deployment(deployment: Any, expected: str) -> None:
    assert services.get_mode(deployment) == expected


def test_elsewhere_igor_always_runs_and_high_availability_means_nothing() -> None:
    local = {"deploymentEnvironment": {"haServices": {"clouddriver": {"enabled": True}}}}
    found = services.list_running(local)
    assert {"igor", "clouddriver"} <= set(found)
    assert "clouddriver-rw" not in found


def test_names_and_ports() -> None:
    assert len(services.SERVICES) == 25
    assert services.get_base("clouddriver-ro-deck") == "clouddriver"
    assert services.get_port("gate") == 8084
    assert services.list_family("echo") == ("echo", "echo-scheduler", "echo-worker")
    assert {"redis", "deck", "monitoring-daemon"}.isdisjoint(services.SPRING_SERVICES)
