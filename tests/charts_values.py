"""Values that tests render the charts with: each chart alone, and the umbrella with its ci files and examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CHARTS = ROOT / "chart"
ALONE: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "charts" / "alone.yaml").read_text())
CI: dict[str, Any] = {
    file.name.removesuffix("-values.yaml"): yaml.safe_load(file.read_text())
    for file in sorted((CHARTS / "isd" / "ci").glob("*-values.yaml"))
}
EXAMPLES: dict[str, Any] = {
    f"example {file.stem}": yaml.safe_load(file.read_text())
    for file in sorted((CHARTS / "isd" / "examples").glob("*.yaml"))
}


def over(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """More values over a base, mapping by mapping."""
    compiled = dict(base)
    for key, value in more.items():
        compiled[key] = over(base.get(key, {}), value) if isinstance(value, dict) else value
    return compiled


EVERYTHING = over(
    over(CI["trial"], CI["controller"]),
    {
        "halyard": {"sync": {"watch": True}},
        "controller": {"restart": {"schedule": "30 4 1 */3 *"}},
        "global": {"serviceMonitor": {"enabled": True}, "replicas": 2, **CI["private-registry"]["global"]},
    },
)
"""Every component, every job, every sidecar, from a private registry."""
