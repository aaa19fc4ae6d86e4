"""Package every chart under chart/ into a folder, with an index, the same bytes each time.

The charts name each other by file:// and are copied into each other's charts/ folder first. Helm's own packager writes
the current time into archives, so they are written here. --image sets the image of halgit that a release built; --sign
writes a provenance file beside each archive, for `helm verify` and `helm push`.
Run: python scripts/package_charts.py [FOLDER] [--url URL] [--image REGISTRY/REPOSITORY:TAG@DIGEST] [--sign KEY]
"""

from __future__ import annotations

import argparse
import fnmatch
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
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


def set_image(folder: Path, image: str) -> None:
    """Put the image of halgit into the values of a vendored chart and all it contains. Raises ValueError."""
    parts = re.fullmatch(r"([^/]+)/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?", image)
    if parts is None:
        raise ValueError(f"{image} is not REGISTRY/REPOSITORY[:TAG][@DIGEST]")
    for file in folder.rglob("values.yaml"):
        split = re.split(r"(?m)(^  halgit:\n(?:    .*\n)+)", file.read_text())
        for key, value in zip(("registry", "repository", "tag", "digest"), parts.groups(), strict=True):
            if value and len(split) == 3:
                split[1] = re.sub(rf"(?m)^    {key}: .*$", f"    {key}: {json.dumps(value)}", split[1])
        file.write_text("".join(split))


def provenance(archive_file: Path, described: dict[str, Any], key: str) -> Path:
    """Write the .prov file of an archive: Chart.yaml and its digest, signed in clear text by a key of GnuPG."""
    digest = hashlib.sha256(archive_file.read_bytes()).hexdigest()
    text = yaml.safe_dump(described, sort_keys=False) + "\n...\n"
    text += yaml.safe_dump({"files": {archive_file.name: f"sha256:{digest}"}})
    command = ["gpg", "--batch", "--yes", "--clearsign", "--digest-algo", "SHA512", "--local-user", key]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"gpg did not sign with {key}: {done.stderr.strip()}")
    file = archive_file.with_name(archive_file.name + ".prov")
    file.write_text(done.stdout)
    return file


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


def package(out: Path, url: str, image: str = "", key: str = "") -> list[Path]:
    """Write every chart's archive, signed if there is a key, and the index into `out`; returns the archives."""
    out.mkdir(parents=True, exist_ok=True)
    entries: dict[str, Any] = {}
    written = []
    for name in names():
        chart = CHARTS / name
        with tempfile.TemporaryDirectory() as work:
            folder = vendor(chart, Path(work))
            if image:
                set_image(folder, image)
            data = archive(folder)
        described = metadata(chart)
        file = out / f"{name}-{described['version']}.tgz"
        file.write_bytes(data)
        written.append(file)
        if key:
            provenance(file, described, key)
        digest = hashlib.sha256(data).hexdigest()
        entries[name] = [{**described, "created": CREATED, "digest": digest, "urls": [url + file.name]}]
    index = {"apiVersion": "v1", "entries": entries, "generated": CREATED}
    (out / "index.yaml").write_text(yaml.safe_dump(index, sort_keys=True))
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "dist" / "charts", help="folder to write into")
    parser.add_argument("--url", default="", help="address the archives will be served from, written into the index")
    parser.add_argument("--image", default="", help="image of halgit, as REGISTRY/REPOSITORY:TAG@DIGEST")
    parser.add_argument("--sign", default="", metavar="KEY", help="key of GnuPG to sign the archives with")
    arguments = parser.parse_args()
    for file in package(arguments.out, arguments.url, arguments.image, arguments.sign):
        print(file)


if __name__ == "__main__":
    main()
