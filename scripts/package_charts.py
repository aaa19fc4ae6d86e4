"""Package every chart under chart/ into a folder, with an index, the same bytes each time.

The charts name each other by file:// and are put into each other's charts/ folder first. Helm's own packager stamps the
current time into archives, so they are written here. Run: python scripts/package_charts.py [FOLDER] [--url URL]
"""

from __future__ import annotations

import argparse
import fnmatch
import gzip
import hashlib
import io
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CHARTS = ROOT / "chart"
EPOCH = 315532800  # 1980-01-01, so that unpacked files have a date every tool accepts
CREATED = "1980-01-01T00:00:00Z"


def names() -> list[str]:
    """Every chart of the project, the library too."""
    return sorted(file.parent.name for file in CHARTS.glob("*/Chart.yaml"))


def metadata(chart: Path) -> dict[str, Any]:
    """The content of a chart's Chart.yaml."""
    loaded: dict[str, Any] = yaml.safe_load((chart / "Chart.yaml").read_text())
    return loaded


def vendor(chart: Path, into: Path) -> Path:
    """Copy a chart with all it depends on to a folder `into`, as Helm wants it, and return the copy."""
    copy = into / chart.name
    ignored = _ignored(chart)
    for file in sorted(chart.rglob("*")):
        name = file.relative_to(chart).as_posix()
        if file.is_file() and not any(fnmatch.fnmatch(name, pattern) for pattern in ignored):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy / name)
    for dependency in metadata(chart).get("dependencies", []):
        vendor(chart / dependency["repository"].removeprefix("file://"), copy / "charts")
    return copy


def _ignored(chart: Path) -> list[str]:
    file = chart / ".helmignore"
    lines = file.read_text().split() if file.exists() else []
    return [*lines, "charts/*", "tests/*"]


def archive(folder: Path) -> bytes:
    """The .tgz of a vendored chart: sorted names, one date, no owner."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in sorted(folder.rglob("*"), key=lambda path: (path.name != "Chart.yaml", path.as_posix())):
            if file.is_file():
                entry = tarfile.TarInfo(f"{folder.name}/{file.relative_to(folder).as_posix()}")
                data = file.read_bytes()
                entry.size, entry.mtime, entry.mode = len(data), EPOCH, 0o644
                tar.addfile(entry, io.BytesIO(data))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=EPOCH) as stream:
        stream.write(plain.getvalue())
    return packed.getvalue()


def package(out: Path, url: str) -> list[Path]:
    """Write every chart's archive and the index into `out`; returns the archives."""
    out.mkdir(parents=True, exist_ok=True)
    entries: dict[str, Any] = {}
    written = []
    for name in names():
        chart = CHARTS / name
        with tempfile.TemporaryDirectory() as work:
            data = archive(vendor(chart, Path(work)))
        described = metadata(chart)
        file = out / f"{name}-{described['version']}.tgz"
        file.write_bytes(data)
        written.append(file)
        digest = hashlib.sha256(data).hexdigest()
        entries[name] = [{**described, "created": CREATED, "digest": digest, "urls": [url + file.name]}]
    index = {"apiVersion": "v1", "entries": entries, "generated": CREATED}
    (out / "index.yaml").write_text(yaml.safe_dump(index, sort_keys=True))
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "dist" / "charts", help="folder to write into")
    parser.add_argument("--url", default="", help="address the archives will be served from, written into the index")
    arguments = parser.parse_args()
    for file in package(arguments.out, arguments.url):
        print(file)


if __name__ == "__main__":
    main()
