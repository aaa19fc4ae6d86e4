"""Every check of Halyard that can be made without it has a rule, or a reason why not: `facts.yaml` is the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from halgit.halyard.model import Field, get_class
from halgit.halyard.resources import load_table
from halgit.validation.rules import ALL

FACTS: dict[int, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "facts.yaml").read_text())
KNOWN = {rule.id for rule in ALL}


def test_every_check_is_accounted_for() -> None:
    assert sorted(FACTS) == list(range(1, 172))


@pytest.mark.parametrize("number", FACTS)
def test_a_check_has_rules_or_a_reason(number: int) -> None:
    (kind,) = FACTS[number]
    assert kind in {"rules", "none"}
    assert FACTS[number][kind]
    assert kind == "none" or set(FACTS[number]["rules"]) <= KNOWN


def test_every_bound_of_a_version_is_known_but_for_the_class_halyard_never_checks() -> None:
    bounds = [
        (name, key) for name in load_table("halconfig")["classes"] for key, field in fields(name) if any(field.valid)
    ]
    assert len(bounds) == 29
    assert len([owner for owner, _ in bounds if owner == "providers.kubernetes.KubernetesAccount"]) == 7


def fields(name: str) -> list[tuple[str, Field]]:
    return list(get_class(name).fields.items())
