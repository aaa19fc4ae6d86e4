"""`halgit rules`: the list, one rule in full, and the page that is made of them."""

from __future__ import annotations

from needs import ROOT
from program import halgit

from halgit.catalog import CATALOG


def test_the_page_of_rules_is_what_the_program_prints() -> None:
    printed = halgit("rules", "--format", "markdown").out
    assert (ROOT / "docs" / "rules.md").read_text() == printed, "run `make docs`"


def test_every_rule_is_listed_with_its_severity() -> None:
    lines = halgit("rules").out.splitlines()
    assert lines[0].split() == ["rule", "severity", "finding"]
    assert [line.split()[0] for line in lines[1:]] == sorted(CATALOG)


def test_a_rule_is_explained_and_so_is_a_subject() -> None:
    assert halgit("rules", "deployment/no-version").out == (
        "deployment/no-version (error)\n\n"
        "The deployment has no version of Spinnaker.\n\n"
        "What Halyard does: Halyard asks for the BOM of an empty version and fails with a FATAL problem.\n\n"
        "Impact: Every deployment starts with the BOM, so nothing can be deployed.\n\n"
        "Fix: Set version to a release of Spinnaker, such as '1.36.1'.\n\n"
        "Example (config):\n\n"
        "    deploymentConfigurations:\n"
        "    - name: default\n"
        "      version: ''\n"
    )
    of = sorted(id for id in CATALOG if id.startswith("deployment/"))
    assert [line.split()[0] for line in halgit("rules", "deployment").out.splitlines()[1:]] == of
    assert [one["id"] for one in halgit("rules", "deployment", "--format", "json").json["rules"]] == of


def test_a_rule_that_is_none_gets_a_hint() -> None:
    ran = halgit("rules", "deployment/no-versoin")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "halgit: Unknown rule deployment/no-versoin. Did you mean deployment/no-version?\n"
