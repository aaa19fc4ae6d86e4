"""Makes tests/fixtures/halyard-accepts.json: halconfigs and what the real Halyard classes did with each.

Usage: python scripts/make_halyard_accepts.py REFERENCE_FOLDER

Reads `halyard-accepts.json` of the reference folder. A case keeps its name, its YAML and its outcome (`accepted`,
`accepted-as-empty`, `rejected`, `loads-but-cannot-be-rewritten`). A refused one also says who refused it (`yaml` for
the parser, `model` for the binding) with the Java exception; an accepted one which value was looked at (`path`,
`value` as Java prints it, `type`). Writes nothing else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "halyard-accepts.json"


def case(source: dict[str, str]) -> dict[str, str]:
    made = {"name": source["name"], "yaml": source["yaml"], "outcome": source["outcome"]}
    if "exception" in source:
        by_yaml = source["exception"].startswith("org.yaml.snakeyaml.")
        made["refused_by"] = "yaml" if by_yaml else "model"
        made["exception"] = source["exception"]
        if (field := source["message"].partition('Unrecognized field "')[2]) and not by_yaml:
            made["unknown_key"] = field.partition('"')[0]
    for ours, theirs in (("path", "inspected_path"), ("value", "value_after_load"), ("type", "java_type")):
        if theirs in source:
            made[ours] = source[theirs]
    return made


def main(reference: Path) -> None:
    source = json.loads((reference / "halyard-accepts.json").read_text())
    cases = [case(each) for each in source["cases"]]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(cases, indent=1, ensure_ascii=True) + "\n")
    print(f"{TARGET}: {len(cases)} cases")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
