"""Makes tests/fixtures/halyard-verdicts.json: `.hal` directories and what the real Halyard daemon did with each.

Usage: python scripts/make_halyard_verdicts.py REFERENCE_FOLDER

Reads `halyard-verdicts.json` of the reference folder. A case keeps its id and its files. `refused` is the first line of
what Halyard answered when it could not load or generate, `problems` are those that `hal deploy apply` checks, and
`sections` those that only a section's own request reports, both as severity and message. Writes nothing else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "halyard-verdicts.json"


def case(source: dict[str, Any]) -> dict[str, Any]:
    refused = next((source[step] for step in ("load", "generate") if source.get(step, "ok") != "ok"), "")
    result = {"id": source["id"], "files": source["files"], "refused": str(refused).partition("\n")[0]}
    for ours, theirs in (("problems", "apply"), ("sections", "sections")):
        result[ours] = [f"{one['severity']}: {one['message']}" for one in source.get(theirs) or ()]
    return result


def main(reference: Path) -> None:
    source = json.loads((reference / "halyard-verdicts.json").read_text())
    cases = [case(each) for each in source]
    TARGET.write_text(json.dumps(cases, indent=1, ensure_ascii=True) + "\n")
    print(f"{TARGET}: {len(cases)} cases")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
