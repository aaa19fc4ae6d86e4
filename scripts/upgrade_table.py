"""Make the table of what becomes of the predecessor chart's values, and the guide that shows it.

Writes halgit/halyard/tables/predecessor_values.json, which `halgit import --values` reads, and the table of
docs/upgrade.md.
Run: python scripts/upgrade_table.py REFERENCE_FOLDER       from the list of the predecessor's values
     python scripts/upgrade_table.py                        the guide only, from the table
"""

from __future__ import annotations

import fnmatch
import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "scripts" / "predecessor_values.yaml"
TABLE = ROOT / "halgit" / "halyard" / "tables" / "predecessor_values.json"
GUIDE = ROOT / "docs" / "upgrade.md"
MARK = "<!-- made by scripts/upgrade_table.py -->"

Row = dict[str, Any]


def table(keys: list[str]) -> dict[str, Row]:
    """What becomes of each key. Raises SystemExit for keys no rule matches, and rules that match none."""
    rules: list[Row] = yaml.safe_load(RULES.read_text())
    used: set[int] = set()
    rows: dict[str, Row] = {}
    for key in keys:
        number = next((i for i, rule in enumerate(rules) if fnmatch.fnmatchcase(key, rule["key"])), None)
        if number is None:
            raise SystemExit(f"{key}: no rule of {RULES.name} says what becomes of it")
        used.add(number)
        rows[key] = {name: value for name, value in rules[number].items() if name != "key"}
    idle = [rule["key"] for i, rule in enumerate(rules) if i not in used]
    if idle:
        raise SystemExit(f"rules that match no key: {', '.join(idle)}")
    return rows


def guide_table(rows: dict[str, Row]) -> str:
    """The table of the guide: keys that go the same way stand in one line when they share a beginning."""
    lines = ["| value of the predecessor | value of this chart | |", "|---|---|---|"]
    for key, row in rows.items():
        to = ", ".join(f"`{name}`" for name in row.get("to", [])) or "dropped"
        said = [row[name] for name in ("how", "why") if name in row]
        if "parameter" in row:
            said.append(f"parameter `{row['parameter']}`")
        lines.append(f"| `{key}` | {to} | {'; '.join(said)} |")
    return "\n".join(lines)


def guide(rows: dict[str, Row]) -> str:
    """docs/upgrade.md with the table behind its mark."""
    return GUIDE.read_text().partition(MARK)[0] + MARK + "\n\n" + guide_table(rows) + "\n"


def main() -> None:
    if len(sys.argv) > 1:
        reference = json.loads((Path(sys.argv[1]) / "predecessor-values.json").read_text())
        made = table([row["key"] for row in reference])
        lines = [f" {json.dumps(key)}: {json.dumps(row)}" for key, row in made.items()]
        TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    rows = json.loads(TABLE.read_text())
    GUIDE.write_text(guide(rows))
    print(f"{len(rows)} values, {sum('why' in row for row in rows.values())} of them dropped")


if __name__ == "__main__":
    main()
