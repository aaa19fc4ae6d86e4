"""Generate tests/charts/edges.json: which component of ISD calls which, and at which port.

Read from the description of the predecessor chart's components. Run: python scripts/isd_edges.py REFERENCE_FOLDER
Connections outside the charts (a git host, agents, the Kubernetes API) are skipped. The services that Halyard deploys
count as one: spinnaker.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests" / "charts" / "edges.json"
SPINNAKER = "spinnaker"


def charted() -> set[str]:
    """The components that have a chart."""
    return {file.parent.name for file in (ROOT / "chart").glob("*/Chart.yaml")} - {"common", "isd"}


def edges(components: dict[str, Any]) -> Iterator[tuple[str, str, int | None]]:
    """Caller, called and port; the port is None where the description has no port."""
    own = charted() & components.keys()
    deployed = {name for name, one in components.items() if "deployedBy" in one} | {SPINNAKER}
    for name, component in components.items():
        caller = SPINNAKER if name in deployed else name
        if caller not in own | {SPINNAKER}:
            continue
        for row in component.get("talksTo", []):
            words = [] if "external" in row["to"] else re.findall(r"[a-z][a-z0-9-]*", row["to"])
            found = next((word for word in words if word in own | deployed), None)
            called = SPINNAKER if found in deployed else found
            if called and {caller, called} != {SPINNAKER}:
                port = re.search(r":(\d{2,5})\b", f"{row.get('url', '')} {row['to']}")
                yield caller, called, int(port[1]) if port and called != SPINNAKER else None


def main() -> None:
    components = json.loads((Path(sys.argv[1]) / "isd-components.json").read_text())["components"]
    rows = sorted(set(edges(components)), key=lambda row: (row[0], row[1], row[2] or 0))
    lines = [json.dumps({"from": caller, "to": called, "port": port}) for caller, called, port in rows]
    OUT.write_text("[\n " + ",\n ".join(lines) + "\n]\n")
    print(f"{len(rows)} connections in {OUT}")


if __name__ == "__main__":
    main()
