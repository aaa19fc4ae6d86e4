"""halgit's verdict beside that of the real Halyard daemon, for each of 297 recorded configurations.

An error wherever Halyard refuses to load, generate or apply; a warning or error wherever a section reports one; no
error where Halyard deploys. The daemon of the recording had no network and no cluster. POLICIES name where halgit
decides otherwise on purpose, with the reason that docs/faq.md gives; a case of a policy that agrees with Halyard is a
stale entry.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import needs
import pytest
from findings import find_in_files

from halgit.pipeline import Severity

CASES: list[dict[str, Any]] = json.loads((needs.ROOT / "tests" / "fixtures" / "halyard-verdicts.json").read_text())

POLICIES = {
    "others may mount it": {
        "k8s-kubeconfig-none", "docker-password-file-missing", "ps-gcs-json-missing", "sec-apissl-missingfile",
        "sec-uissl-missing", "authn-saml-missingmeta", "authz-file-missing", "art-github-tokenfile", "art-gitrepo",
        "art-http", "art-gcs", "art-template-missing", "ms-stackdriver",
    },
    "only the network can decide": {
        "dep-version-illegal", "docker-address-path", "docker-repos-null",
    },
    "only one of the items takes effect": {"repo-artifactory-dup"},
    "the services fail on it": {"ci-master-null", "k8s-customres-item-null"},
    "nobody resolves it": {"secret-enc-unknown"},
    "`hal` would deploy an empty Spinnaker": {"top-current-unknown"},
    "Halyard does not check the name": {"env-location-upper", "env-location-dot", "yaml-emoji-val"},
    "removing them changes nothing": {"feat-old-artifacts", "feat-infrastructureStages"},
    "Gate uses the default port": {"authn-ldap-noport"},
}  # fmt: skip
EXCEPTIONS = {id for ids in POLICIES.values() for id in ids}


def least_severity(case: dict[str, Any]) -> Severity | None:
    """The least severity of the worst finding that agrees with Halyard; None where it deploys."""
    if case["refused"] or any(one.startswith(("ERROR", "FATAL")) for one in case["problems"]):
        return Severity.ERROR
    reported = [one for one in (*case["problems"], *case["sections"]) if not one.startswith("INFO")]
    return Severity.WARNING if reported else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_halgit_agrees_with_halyard(case: dict[str, Any], tmp_path: Path) -> None:
    found = find_in_files(case["files"], tmp_path)
    worst = max((finding.severity for finding in found), default=Severity.INFO)
    least = least_severity(case)
    agrees = worst < Severity.ERROR if least is None else worst >= least
    assert agrees != (case["id"] in EXCEPTIONS), (case["refused"], case["problems"], case["sections"], found)


def test_every_policy_is_documented() -> None:
    page = (needs.ROOT / "docs" / "faq.md").read_text()
    table = [row for row in page.splitlines() if row.startswith("| ")][1:]
    assert len(table) == len(POLICIES)
    assert all(any(reason in row for row in table) for reason in POLICIES)


def test_every_policy_names_recorded_cases() -> None:
    assert {case["id"] for case in CASES} >= EXCEPTIONS
    assert len(CASES) == 297
