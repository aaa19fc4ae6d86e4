"""Where the time of a short command goes: what it imports, by `python -X importtime`, and the rest."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Mapping

from cases import HALGIT
from measure import PYTHON, Command, environment, run_once

GROUPS = ("halgit", "click", "PyYAML", "jsonschema_rs", "standard library")
_PACKAGES = {"halgit": "halgit", "click": "click", "yaml": "PyYAML", "jsonschema_rs": "jsonschema_rs"}

Imports = Mapping[str, tuple[int, float]]
"""The number of modules of each group, and their milliseconds."""

FIRST: Mapping[str, Imports] = {
    "render 10 accounts": {
        "halgit": (183, 85.6), "click": (13, 4.7), "PyYAML": (18, 7.2), "jsonschema_rs": (3, 1.8),
        "standard library": (160, 42.6),
    },
    "validate the sample repository": {
        "halgit": (191, 94.2), "click": (13, 4.6), "PyYAML": (18, 7.6), "jsonschema_rs": (3, 1.9),
        "standard library": (166, 42.9),
    },
}  # fmt: skip
"""What halgit 0.2.0 imported, when this was first measured."""


def measure_imports(command: Command, runs: int = 5) -> dict[str, tuple[int, float]]:
    """Return what a command imports; the time of a module is the best of several runs."""
    best: dict[str, int] = {}
    for _ in range(runs):
        run_once(Command((PYTHON, "-c", "pass"), command.outputs))  # removes the outputs
        words = [str(word) for word in command.words[1:]]
        done = subprocess.run(
            [PYTHON, "-X", "importtime", str(HALGIT[0]), *words], capture_output=True, text=True, check=False,
            env=environment(),
        )  # fmt: skip
        for line in done.stderr.splitlines():
            if line.startswith("import time:") and "self" not in line:
                own, _, name = line.removeprefix("import time:").split("|")
                best[name.strip()] = min(int(own), best.get(name.strip(), int(own)))
    found: dict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for name, own in best.items():
        group = _PACKAGES.get(name.split(".")[0], "standard library")
        found[group] = (found[group][0] + 1, found[group][1] + own / 1000)
    return found


def import_table(name: str, now: Imports) -> str:
    """Return the Markdown table of what a command imports, first and now."""
    lines = [f"{name[0].upper()}{name[1:]}:", "", "| | modules first | ms first | modules now | ms now |"]
    lines.append("|---|---|---|---|---|")
    for group in GROUPS:
        first, here = FIRST[name][group], now.get(group, (0, 0.0))
        lines.append(f"| {group} | {first[0]} | {first[1]:.1f} | {here[0]} | {here[1]:.1f} |")
    totals = [
        [sum(one.get(group, (0, 0.0))[part] for group in GROUPS) for part in (0, 1)] for one in (FIRST[name], now)
    ]
    lines.append(f"| all | {totals[0][0]} | {totals[0][1]:.1f} | {totals[1][0]} | {totals[1][1]:.1f} |")
    return "\n".join(lines)


def parts_table(parts: Mapping[str, tuple[float, float, Imports]]) -> str:
    """Return the Markdown table of what each command spends its CPU time on.

    `parts` has for each command its CPU time and that of bare Python, in seconds, and what it imports.
    """
    head = ["part", *(f"{name}, CPU ms" for name in parts)]
    rows: list[list[str]] = [
        ["Python itself"],
        ["standard library"],
        ["PyYAML"],
        ["jsonschema_rs"],
        ["click"],
        ["halgit's modules"],
        ["the work: read, merge, validate, write"],
        ["all"],
    ]
    for cpu, bare, imports in parts.values():
        taken = [
            imports.get(group, (0, 0.0))[1]
            for group in ("standard library", "PyYAML", "jsonschema_rs", "click", "halgit")
        ]
        values = [bare * 1000, *taken, max(0.0, (cpu - bare) * 1000 - sum(taken)), cpu * 1000]
        for row, value in zip(rows, values, strict=True):
            row.append(f"{value:.1f}")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
