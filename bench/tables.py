"""The tables of README.md and bench/README.md, written from the measured costs."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cases import BARE, CHECK, CLONE, FLOOR, KUSTOMIZE, kustomize
from measure import ROOT, Cost

Results = Mapping[str, Mapping[str, Cost]]
"""The costs of each case: `ours`, and those of the programs it was compared with, by their names."""

COLUMNS = (FLOOR, KUSTOMIZE, CHECK, CLONE)


def head() -> str:
    """Return the head of the table of results."""
    names = ["case", "CPU ms", "wall ms", "MB", *COLUMNS, "compared with"]
    return "| " + " | ".join(names) + " |\n|" + "---|" * len(names)


def row(name: str, costs: Mapping[str, Cost]) -> str:
    """Return the line of a case. A comparison is the CPU time of the other program and the ratio of halgit to it."""
    ours = costs["ours"]
    cells = [name, f"{ours.cpu * 1000:.0f}", f"{ours.wall * 1000:.0f}", f"{ours.memory:.0f}"]
    cells += [_compared(ours, costs[column]) if column in costs else "-" for column in COLUMNS]
    others = [name for name in costs if name not in COLUMNS and name != "ours"]
    cells.append("; ".join(f"{other}: {_compared(ours, costs[other])}" for other in others) or "-")
    return "| " + " | ".join(cells) + " |"


def _compared(ours: Cost, other: Cost) -> str:
    runs = "" if other.runs > 6 else f", {other.runs} run{'s' if other.runs > 1 else ''}"
    return f"{other.cpu * 1000:.0f}: {ours.cpu / other.cpu:.2f}{runs}"


TARGETS = (
    ("`--version` / bare Python", ("halgit --version", "ours"), ("halgit --version", BARE), 1.5),
    ("validate the sample / bare Python", ("validate the sample repository", "ours"),
     ("validate the sample repository", BARE), 9),
    ("render 10 accounts / kustomize", ("render 10 accounts", "ours"), ("render 10 accounts", KUSTOMIZE), 1.2),
    ("render 1,000 accounts / kustomize", ("render 1,000 accounts", "ours"),
     ("render 1,000 accounts", KUSTOMIZE), 0.22),
    ("10,000 accounts / 1,000 accounts", ("render 10,000 accounts", "ours"),
     ("render 10,000 accounts", "1,000 accounts"), 6),
    ("10 accounts, nothing changed / first render", ("render 10 accounts, nothing changed", "ours"),
     ("render 10 accounts, nothing changed", "a first render"), 0.5),
    ("1,000 accounts, nothing changed / first render", ("render 1,000 accounts, nothing changed", "ours"),
     ("render 1,000 accounts, nothing changed", "a first render"), 0.5),
    ("8 overlays of 1,000 accounts / one", ("validate 8 overlays of 1,000 accounts", "ours"),
     ("validate 8 overlays of 1,000 accounts", "one of them"), 2.6),
)  # fmt: skip
"""What is measured, the two costs whose CPU ratio it is, and the highest ratio that counts as met."""


def targets(results: Results) -> str:
    """Return the table of targets with the measured ratios."""
    lines = ["| CPU ratio | target | measured | |", "|---|---|---|---|"]
    for name, (case, ours), (other_case, other), most in TARGETS:
        if other not in results.get(other_case, {}) or case not in results:
            lines.append(f"| {name} | {most:g} | - | not measured |")
            continue
        ratio = results[case][ours].cpu / results[other_case][other].cpu
        lines.append(f"| {name} | {most:g} | {ratio:.2f} | {'met' if ratio <= most else 'not met'} |")
    return "\n".join(lines)


def machine() -> str:
    """Return a line about the machine and the programs."""
    words = [
        f"{os.cpu_count()} cores",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
    ]
    program = kustomize(Path())
    if program:
        command = ["kubectl", "version", "--client"] if program.words[0] == "kubectl" else ["kustomize", "version"]
        text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        words += [f"kustomize {match[0]}" for match in [re.search(r"(?<=Kustomize Version: )\S+|^v\S+", text)] if match]
    return ", ".join(words) + "."


def write_documents(results: Results, sections: Mapping[str, str]) -> None:
    """Write the results into README.md and bench/README.md, between the markers of each section."""
    page = ROOT / "bench" / "README.md"
    table = "\n".join([head(), *(row(name, costs) for name, costs in results.items())])
    text = page.read_text(encoding="utf-8")
    for name, content in {"machine": machine(), "results": table, "targets": targets(results), **sections}.items():
        text = _replaced(text, name, content)
    page.write_text(text, encoding="utf-8")
    readme = ROOT / "README.md"
    readme.write_text(_with_ratios(readme.read_text(encoding="utf-8"), results), encoding="utf-8")


def _replaced(text: str, name: str, content: str) -> str:
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    before, middle, rest = text.partition(begin)
    assert middle, f"bench/README.md has no section {name}"
    return before + begin + "\n" + content + "\n" + end + rest.partition(end)[2]


_README_ROW = re.compile(r"^\| CPU time with [^\n]*\|$", re.MULTILINE)


def _with_ratios(text: str, results: Results) -> str:
    """Replace the row of README.md that compares CPU time."""
    counts = [
        count for count in ("10", "100", "1,000", "10,000") if KUSTOMIZE in results.get(f"render {count} accounts", {})
    ]
    if not counts:
        return text
    ratios = [results[f"render {one} accounts"] for one in counts]
    shown = ", ".join(_rounded(one["ours"].cpu / one[KUSTOMIZE].cpu) for one in ratios)
    case = f"CPU time with {', '.join(counts[:-1])} and {counts[-1]} accounts"
    line = f"| {case} | {shown} of kustomize's, with all rules on | 1 | - |"
    assert _README_ROW.search(text), "README.md has no row for CPU time"
    return _README_ROW.sub(lambda _: line, text)


def _rounded(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 0.1 else f"{ratio:.2f}"
