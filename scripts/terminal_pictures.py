"""Draw docs/images/*.svg: the terminal output of real runs on the sample repository. Run by `make docs`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 110
COLORS = {"31": "#ff8f86", "32": "#7fd3a1", "33": "#f0c067", "36": "#7fd0e8", "2": "#8b96a8"}
LINE, CHARACTER, MARGIN = 19, 8.02, 18

RUNS = {
    "validate": (
        "sed -i 's/cacheThreads: 2/cacheThread: 2/' sample-repo/overlays/prod/config && "
        "sed -i \"s/'1.36.0'/'1.36'/\" sample-repo/overlays/prod/halgit.yaml",
        "halgit validate --repo sample-repo --overlay prod",
    ),
    "explain": (
        "",
        "halgit explain --repo sample-repo --overlay prod 'config:deploymentConfigurations[name=default].version'",
    ),
    "diff": (
        "cp -r sample-repo main && sed -i 's/cacheThreads: 2/cacheThreads: 4/' sample-repo/overlays/prod/config && "
        "sed -i 's/gateReplicas: 3/gateReplicas: 5/' sample-repo/overlays/prod/halgit.yaml",
        "halgit diff --repo sample-repo --overlay prod --base-repo main",
    ),
}
"""Each picture: what is prepared, and the command that is shown."""


def run(preparation: str, command: str) -> str:
    """Return what a command prints on a terminal, in a folder with a copy of the sample repository."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "sample-repo", Path(folder) / "sample-repo")
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HALGIT_COLOR": "always",
            "COLUMNS": str(COLUMNS),
            "HOME": folder,
        }
        if preparation:
            subprocess.run(["sh", "-c", preparation], cwd=folder, env=environment, check=True)
        done = subprocess.run(
            ["sh", "-c", f"{command} 2>&1"], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout


def wrap(line: str) -> list[str]:
    """Break a line between words at the width of the terminal; colors do not count."""
    lines, width = [""], 0
    for word in re.findall(r"\S+\s*|\s+", line):
        visible = re.sub(r"\x1b\[\d+m", "", word)
        if width and width + len(visible.rstrip()) > COLUMNS:
            lines.append("")
            width = 0
        lines[-1] += word
        width += len(visible)
    return lines


def spans(line: str, style: str) -> tuple[str, str]:
    """Return a line as tspans, and the style that continues on the next line."""
    found = ""
    for part in re.split(r"(\x1b\[\d+m)", line):
        if match := re.fullmatch(r"\x1b\[(\d+)m", part):
            code = match[1]
            style = "" if code == "0" else 'font-weight="bold"' if code == "1" else f'fill="{COLORS[code]}"'
        elif part:
            found += f"<tspan {style}>{escape(part)}</tspan>"
    return found, style


def draw(command: str, output: str) -> str:
    """Return the picture of a command and its output."""
    lines = [part for line in [f"$ {command}", *output.rstrip("\n").split("\n")] for part in wrap(line)]
    width, height = COLUMNS * CHARACTER + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    rows, style = [], ""
    for number, line in enumerate(lines):
        text, style = spans(line, style)
        rows.append(f'<text x="{MARGIN}" y="{MARGIN + LINE * number + 13}" xml:space="preserve">{text}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" role="img">\n'
        f"<title>{escape(command)}</title>\n"
        f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#11151c"/>\n'
        f'<g fill="#e4e8ef" font-family="ui-monospace, Menlo, DejaVu Sans Mono, monospace" font-size="13.3">\n'
        + "\n".join(rows)
        + "\n</g>\n</svg>\n"
    )


def main(folder: Path) -> None:
    """Draw every picture into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (preparation, command) in RUNS.items():
        (folder / f"{name}.svg").write_text(draw(command, run(preparation, command)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
