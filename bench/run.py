"""`make bench`: what halgit costs, as ratios against other programs in one run.

Times depend on the machine, ratios hardly do. Each figure is the median of 7 runs after a warm-up; the commands of a
case run in turn. A program that is missing has no ratio. The whole run takes about 25 minutes, most of them kustomize
with 10,000 accounts; with `--quick` that runs once, which saves 18 minutes.

    python bench/run.py [--runs N] [--only WORD] [--quick] [--write]

`--write` writes the tables of README.md and bench/README.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tables
from cases import BARE_COMMAND, HALGIT, SAMPLE, Case, cases, render, validate
from imports import import_table, measure_imports, parts_table
from measure import Cost, compile_bytecode, measure_all


def measure_case(case: Case, runs: int) -> dict[str, Cost]:
    """Measure one case; programs that are not installed are skipped."""
    commands = {"ours": case.ours, **{name: command for name, command in case.others.items() if command}}
    with case.around():
        return measure_all(commands, runs)


def import_sections(folder: Path, runs: int) -> dict[str, str]:
    """Measure where the time of the two short commands goes; returns the sections of bench/README.md about it."""
    commands = {
        "render 10 accounts": render(folder / "accounts-10", folder / "10.hal"),
        "validate the sample repository": validate(SAMPLE, "--overlay", "prod"),
    }
    found, parts = [], {}
    for name, command in commands.items():
        imports = measure_imports(command)
        costs = measure_all({"ours": command, "bare": BARE_COMMAND}, runs)
        found.append(import_table(name, imports))
        parts[name] = (costs["ours"].cpu, costs["bare"].cpu, imports)
    return {"imports": "\n\n".join(found), "parts": parts_table(parts)}


def note(text: str) -> None:
    """Show progress on stderr."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write needs all cases")
    compile_bytecode()
    subprocess.run([*HALGIT, "--version"], check=True, capture_output=True)
    start, results, sections = time.monotonic(), {}, {}
    print(tables.head(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in cases(folder, is_quick=options.quick):
            if options.only not in case.name:
                continue
            note(f"{time.monotonic() - start:4.0f} s  {case.name}")
            results[case.name] = measure_case(case, options.runs)
            print(tables.row(case.name, results[case.name]), flush=True)
        if not options.only:
            note(f"{time.monotonic() - start:4.0f} s  imports")
            sections = import_sections(folder, options.runs)
    print("\n" + tables.targets(results), *sections.values(), sep="\n\n", flush=True)
    if options.write:
        tables.write_documents(results, sections)
        note(f"{time.monotonic() - start:4.0f} s  wrote README.md and bench/README.md")


if __name__ == "__main__":
    main()
