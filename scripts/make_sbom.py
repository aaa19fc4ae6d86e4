"""Write the SBOM of a release, CycloneDX JSON: locked Python packages, lit-html, and Debian packages of the image.

python scripts/make_sbom.py FILE [PACKAGES]; PACKAGES has a line `name version architecture` for each Debian package.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from halgit import __version__

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "halgit" / "server" / "page" / "lit-html.js"
LIT_HTML = "3.3.3"


def python_packages() -> dict[str, Any]:
    """Return the SBOM of requirements.lock, reproducible."""
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", "--output-reproducible"]
    done = subprocess.run(
        [*command, "--output-format", "JSON", str(ROOT / "requirements.lock")], capture_output=True, check=True
    )
    bom: dict[str, Any] = json.loads(done.stdout)
    for component in bom["components"]:
        component.pop("description", None)  # the line of the lock, which the hashes repeat
    return bom


def page_library() -> dict[str, Any]:
    """Return the component of the library that the page of accounts uses, which the wheel contains."""
    purl, digest = f"pkg:npm/lit-html@{LIT_HTML}", hashlib.sha256(LIBRARY.read_bytes()).hexdigest()
    return {"type": "library", "bom-ref": purl, "name": "lit-html", "version": LIT_HTML, "purl": purl,
            "hashes": [{"alg": "SHA-256", "content": digest}],
            "licenses": [{"license": {"id": "BSD-3-Clause"}}]}  # fmt: skip


def debian_package(line: str) -> dict[str, str]:
    """Return the component of one Debian package."""
    name, version, architecture = line.split()
    purl = f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}?arch={architecture}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def main(target: Path, packages: Path | None) -> None:
    """Write the SBOM."""
    bom = python_packages()
    purl = f"pkg:pypi/halgit@{__version__}"
    root = {"type": "application", "bom-ref": purl, "name": "halgit", "version": __version__, "purl": purl,
            "licenses": [{"expression": "Apache-2.0 AND BSD-3-Clause"}]}  # fmt: skip
    bom.setdefault("metadata", {})["component"] = root
    bom["components"].append(page_library())
    if packages:
        bom["components"] += [debian_package(line) for line in sorted(packages.read_text().splitlines())]
    depends = sorted(component["bom-ref"] for component in bom["components"])
    bom["dependencies"] = [{"ref": purl, "dependsOn": depends}, *({"ref": ref} for ref in depends)]
    target.write_text(json.dumps(bom, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
