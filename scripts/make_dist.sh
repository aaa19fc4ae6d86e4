#!/usr/bin/env bash
# Builds everything a release publishes into dist/: wheel, sdist, charts, image, SBOM and checksums.
# All times are SOURCE_DATE_EPOCH (default: the last commit), so that one commit gives the same bytes.
#
#   scripts/make_dist.sh [--no-image]
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-.venv/bin/python}
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' halgit/__init__.py)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

rm -rf dist
mkdir dist
"$python" -m hatchling build -d dist >/dev/null
"$python" scripts/package_charts.py dist/charts
packages=()
if [ "${1:-}" != --no-image ]; then
  scripts/make_image.sh "dist/halgit-$version-image.tar"
  packages=(build/image-packages)
fi
"$python" scripts/make_sbom.py "dist/halgit-$version.cdx.json" "${packages[@]}"
cd dist
find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS
echo "dist/: $(wc -l <SHA256SUMS) files"
