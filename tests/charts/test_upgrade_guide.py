"""Each value of the predecessor chart goes to values that are there, or is dropped for a reason; the guide agrees."""

from __future__ import annotations

import json
from typing import Any

import chart_values
import pytest
import upgrade_table
from charts_values import CHARTS, ROOT

ROWS: dict[str, dict[str, Any]] = json.loads(upgrade_table.TABLE.read_text())


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Every key of our values and every mapping that holds some, as the umbrella has them."""
    shared = [value for value in chart_values.read(CHARTS / "common" / "values.yaml") if value.name != "global"]
    found: set[str] = set()
    for file in CHARTS.glob("*/values.yaml"):
        chart = file.parent.name
        if chart == "common":
            continue
        prefix = "" if chart == "isd" else f"{chart}."
        values = [*chart_values.read(file), *([] if chart == "isd" else shared)]
        found |= {prefix + path for value in values for path in _paths(value, "")}
        found.add(f"{prefix}enabled")
    return found


def _paths(value: chart_values.Value, prefix: str) -> list[str]:
    own = f"{prefix}{value.name}"
    return [own, *(path for child in value.children for path in _paths(child, f"{own}."))]


def test_every_value_is_mapped_or_dropped_with_a_reason() -> None:
    assert len(ROWS) == 448
    for key, row in ROWS.items():
        assert ("to" in row) != ("why" in row), key
        assert row.get("to", True), key


def test_what_it_is_mapped_to_is_there(known: set[str]) -> None:
    missing = {name for row in ROWS.values() for name in row.get("to", []) if name not in known}
    assert not missing


def test_parameters_are_tokens_of_the_dialect() -> None:
    tokens = json.loads((ROOT / "halgit" / "halyard" / "tables" / "opsmx_tokens.json").read_text())
    assert {row["parameter"] for row in ROWS.values() if "parameter" in row} <= tokens.keys()


def test_the_table_follows_from_its_rules() -> None:
    assert upgrade_table.table(list(ROWS)) == ROWS


def test_the_guide_shows_the_table() -> None:
    assert upgrade_table.GUIDE.read_text() == upgrade_table.guide(ROWS)


def test_a_key_without_a_rule_is_named() -> None:
    with pytest.raises(SystemExit) as caught:
        upgrade_table.table(["imagePullSecret", "brand.new"])
    assert str(caught.value) == "brand.new: no rule of predecessor_values.yaml matches it"
