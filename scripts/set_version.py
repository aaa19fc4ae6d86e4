"""Set the version of the project: python scripts/set_version.py 0.3.0.

`halgit/__init__.py` is the one place that holds it. What must repeat it (charts, their READMEs and snapshots, tags in
the documentation) is rewritten here, and the entries of the changelog move from Unreleased to the new version.
"""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "halgit" / "__init__.py"
REPEATS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/**/*.md",
    "ci/gitlab.yml",
    "chart/*/Chart.yaml",
    "chart/*/values.yaml",
    "chart/*/README.md",
    "tests/charts/snapshots/*.yaml",
    "tests/charts/*.py",
)
REPOSITORY = "https://github.com/opsmx/halgit"


def current() -> str:
    """Return the version of the project."""
    found = re.search(r'__version__ = "(.+)"', HOME.read_text())
    assert found
    return found[1]


def repeats(version: str) -> list[Path]:
    """Return the files that repeat a version."""
    word = re.compile(rf"(?<![\d.]){re.escape(version)}(?![\d.]*\d)")
    files = [file for pattern in REPEATS for file in sorted(ROOT.glob(pattern))]
    return [file for file in files if word.search(file.read_text(encoding="utf-8"))]


def main(new: str) -> None:
    """Write a new version everywhere."""
    old = current()
    word = re.compile(rf"(?<![\d.]){re.escape(old)}(?![\d.]*\d)")
    for file in (HOME, *repeats(old)):
        file.write_text(word.sub(new, file.read_text(encoding="utf-8")), encoding="utf-8")
    release(new)
    subprocess.run([sys.executable, str(ROOT / "scripts" / "chart_readme.py")], check=True)


def release(version: str) -> None:
    """Move the unreleased entries of the changelog to a version of today."""
    file = ROOT / "CHANGELOG.md"
    today = datetime.datetime.now(tz=datetime.timezone.utc).date()
    head, _, entries = file.read_text(encoding="utf-8").partition("## [Unreleased]\n")
    entries = entries.split("\n[Unreleased]: ", 1)[0].rstrip()
    links = f"[Unreleased]: {REPOSITORY}/compare/v{version}...HEAD\n[{version}]: {REPOSITORY}/releases/tag/v{version}\n"
    file.write_text(f"{head}## [Unreleased]\n\n## [{version}] - {today}\n{entries}\n\n{links}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
