#!/usr/bin/env bash
# Builds the container image with buildah. Needs root, buildah and debootstrap; needs no image registry.
#
#   scripts/make_image.sh [ARCHIVE]     also writes the image as an OCI archive
#   scripts/make_image.sh --context     only prepares build/image: the wheels and the lock
#
# The base is a minimal Debian from debootstrap, kept in the cache; BASE_IMAGE names another one. Times in the image are
# SOURCE_DATE_EPOCH (default: the last commit), so that the same input gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=${DEBIAN_SUITE:-bookworm}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/halgit
python=${PYTHON:-.venv/bin/python}
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' halgit/__init__.py)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
image=localhost/halgit:$version
export BUILDAH_ISOLATION=chroot

# The wheels that requirements.lock names, for the Python of the base, and our own.
prepare_context() {
  local minor=13 platforms=()
  [ "$suite" != bookworm ] || minor=11
  for tag in manylinux_2_28 manylinux_2_27 manylinux_2_26 manylinux_2_24 manylinux_2_17 manylinux2014 manylinux_2_5; do
    platforms+=(--platform "${tag}_$(uname -m)")
  done
  mkdir -p "$cache/wheels"
  "$python" -m pip download --quiet --require-hashes --only-binary=:all: --no-deps --python-version "3.$minor" \
    "${platforms[@]}" --find-links "$cache/wheels" --dest "$cache/wheels" --requirement requirements.lock
  rm -rf build/image
  mkdir -p build/image
  "$python" -m pip download --quiet --require-hashes --only-binary=:all: --no-deps --python-version "3.$minor" \
    "${platforms[@]}" --no-index --find-links "$cache/wheels" --dest build/image --requirement requirements.lock
  SOURCE_DATE_EPOCH=$epoch "$python" -m hatchling build -t wheel -d build/image >/dev/null 2>&1
  cp requirements.lock build/image/
}

# A minimal Debian: required packages and certificates.
make_base() {
  local root container
  if [ ! -f "$cache/$suite.tar" ]; then
    root=$(mktemp -d)
    mkdir -p "$cache"
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" >"$cache/$suite.log"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/var/cache/ldconfig/*
    tar -C "$root" --sort=name --numeric-owner -cf "$cache/$suite.tar.part" .
    mv "$cache/$suite.tar.part" "$cache/$suite.tar"
    rm -rf "$root"
  fi
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$cache/$suite.tar" / >/dev/null
  buildah commit --quiet --rm --timestamp 0 "$container" "localhost/halgit-base:$suite" >/dev/null
}

prepare_context
[ "${1:-}" != --context ] || exit 0

for program in buildah debootstrap; do
  command -v "$program" >/dev/null || { echo "make image needs $program (Debian package $program)." >&2; exit 1; }
done
base=${BASE_IMAGE:-localhost/halgit-base:$suite}
if [ -z "${BASE_IMAGE:-}" ] && ! buildah inspect --type image "$base" >/dev/null 2>&1; then make_base; fi

buildah bud --quiet --layers --timestamp "$epoch" --build-arg BASE_IMAGE="$base" --build-arg VERSION="$version" \
  --build-arg REVISION="$(git rev-parse HEAD)" --build-arg CREATED="$(date -u -d "@$epoch" +%FT%TZ)" \
  --build-arg PIP_NO_INDEX=1 --tag "$image" . >build/image.log 2>&1 || { cat build/image.log >&2; exit 1; }
container=$(buildah from "$image")
root=$(buildah mount "$container")
size=$(du -sxm "$root" | cut -f1)
chroot "$root" dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' >build/image-packages
buildah rm "$container" >/dev/null
echo "$image: $size MB"
if [ -n "${1:-}" ]; then
  mkdir -p "$(dirname "$1")"
  rm -f "$1"
  rm -rf build/oci
  buildah push --quiet "$image" "oci:build/oci:$version" >/dev/null
  tar -C build/oci --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw -cf "$1" .
fi
