"""Where a file stands in the `.hal` tree, who takes it, and in which words it is left out."""

from __future__ import annotations

import pytest

from halgit.halyard.layout import FileRole, classify_file, find_profile_services
from halgit.halyard.services import SERVICES, SPRING_SERVICES, get_base

NEAR = "no service reads a profile with this name; did you mean {}?"
NEAR_SETTINGS = "no service reads service-settings with this name; did you mean {}?"
UNKNOWN = "no service reads a profile with this name"
CLOUDDRIVERS = tuple(service for service in SERVICES if get_base(service) == "clouddriver")

PLACES = [
    ("config", FileRole("config")),
    ("halgit.yaml", FileRole("settings")),
    ("halyard.yaml", FileRole("daemon")),
    ("halyard-local.yml", FileRole("daemon")),
    (".boms/bom/1.30.1.yml", FileRole("bom")),
    (".boms/gate/1.2.3/gate.yml", FileRole("bom")),
    ("default/profiles/gate-local.yml", FileRole("profile", "default", ("gate",))),
    ("default/profiles/rosco/packerTemplates/a.json", FileRole("profile", "default", ("rosco",))),
    ("default/profiles/images-local.yml", FileRole("profile", "default", ("rosco",))),
    ("default/profiles/settings-local.js", FileRole("profile", "default", ("deck",))),
    ("default/profiles/clouddriver/x.yml", FileRole("profile", "default", CLOUDDRIVERS)),
    ("default/profiles/Monitoring-Daemon/filters/default.yml", FileRole("profile", "default", ("monitoring-daemon",))),
    ("default/service-settings/gate.yml", FileRole("service-settings", "default", ("gate",))),
    (
        "default/service-settings/clouddriver-ro-deck.yml",
        FileRole("service-settings", "default", ("clouddriver-ro-deck",)),
    ),
]


@pytest.mark.parametrize(("path", "expected"), PLACES, ids=lambda value: value if isinstance(value, str) else "")
def test_what_halyard_reads_has_its_place(path: str, expected: FileRole) -> None:
    assert classify_file(path, ["default"]) == expected


LEFT_OUT = [
    ("default/profiles/clouddriver_local.yml", NEAR.format("clouddriver-local.yml")),
    ("default/profiles/Gate-local.yml", NEAR.format("gate-local.yml")),
    ("default/profiles/gate.yaml", NEAR.format("gate.yml")),
    ("default/profiles/fornt50-local.yml", NEAR.format("front50-local.yml")),
    ("default/profiles/settings_local.js", NEAR.format("settings-local.js")),
    ("default/profiles/stormdriver-spinnaker.yml", UNKNOWN),
    ("default/profiles/README.md", UNKNOWN),
    ("default/profiles/spinnakerconfig.yml.bak", "backup copy of spinnakerconfig.yml"),
    ("default/profiles/gate-local.yml~", "backup copy of gate-local.yml"),
    ("default/profiles/gate-local-bkp.yml", "backup copy of gate-local.yml"),
    ("default/profiles/gate-local.yml.bak2", "backup copy of gate-local.yml"),
    ("default/profiles/spinnakerconfig.yml.s3", "variant or copy of spinnakerconfig.yml"),
    ("default/profiles/gate-local.yml-linux", "variant or copy of gate-local.yml"),
    ("default/profiles/.gate-local.yml.swp", "hidden file"),
    ("default/profiles/.git/gate-local.yml", "hidden file"),
    ("default/service-settings/clouddriver_rw.yml", NEAR_SETTINGS.format("clouddriver-rw.yml")),
    ("default/service-settings/gate.yaml", NEAR_SETTINGS.format("gate.yml")),
    ("default/service-settings/spinnaker.yml", "no service reads service-settings with this name"),
    ("default/service-settings/clouddriver-rw.yml.s3", "variant or copy of clouddriver-rw.yml"),
    ("other/profiles/gate-local.yml", "config has no deployment other (deployments: default)"),
    ("default/staging/gate.yml", "Halyard generates and overwrites it"),
    ("default/history/service-profiles.yml", "Halyard generates and overwrites it"),
    ("default/install.sh", "Halyard generates and overwrites it"),
    (".backup/config", "Halyard generates and overwrites it"),
    ("default/profile/gate-local.yml", "Halyard does not read this path; did you mean default/profiles?"),
    ("default/kubeconfig", "Halyard does not read this path"),
    ("pipelines/a.json", "Halyard does not read this path"),
    (".gitignore", "hidden file"),
    ("config.yml", "the halconfig must be named config, without an extension"),
    ("config.bak", "backup copy of config"),
    ("clouddriver-local.yml", "Clouddriver reads dynamic accounts directly from the repository"),
    ("accounts/clouddriver-local.yml", "Clouddriver reads dynamic accounts directly from the repository"),
    ("accounts/application-prod.properties", "Clouddriver reads dynamic accounts directly from the repository"),
    ("README.md", "Halyard does not read it"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "reason"), LEFT_OUT, ids=[path for path, _ in LEFT_OUT])
def test_what_halyard_does_not_read_is_left_out_with_the_reason(path: str, reason: str) -> None:
    assert classify_file(path, ["default"]).reason == reason


def test_a_copy_still_says_whom_it_would_reach() -> None:
    assert classify_file("default/profiles/spinnakerconfig.yml.bak", ["default"]).services == SPRING_SERVICES


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("clouddriver.yml", ("clouddriver",)),
        ("clouddriver-local.yml", CLOUDDRIVERS),
        ("clouddriver-rw-local.yml", ("clouddriver", "clouddriver-rw")),
        ("clouddriver-ro-deck.yml", ("clouddriver", "clouddriver-ro", "clouddriver-ro-deck")),
        ("echo-worker.yml", ("echo", "echo-worker")),
        ("gate-cert.pem", ("gate",)),
        ("gate-extra/deep/file", ("gate",)),
        ("spinnaker-local.yml", SPRING_SERVICES),
        ("spinnaker-monitoring-local.yml", (*SPRING_SERVICES, "monitoring-daemon")),
        ("redis.yml", ()),
        ("deck.yml", ()),
        ("rosco-local.yaml", ("rosco",)),
        ("orca.yaml", ()),
    ],
)
def test_who_takes_a_profile_by_its_name(name: str, services: tuple[str, ...]) -> None:
    assert set(find_profile_services(name)) == set(services)


def test_no_deployment_at_all_is_said_so() -> None:
    assert (
        classify_file("default/profiles/gate-local.yml", []).reason
        == "config has no deployment default (deployments: none)"
    )
