"""The content of `halgit.lock`, which pins the inputs of a render so that a later render is identical or fails.

For each overlay it records the revision of every source, the digest of every layer file, and the versions of versioned
secrets, never a value. A digest of a file covers no secret: those in plain text are hidden before, so that they are
pinned by the commit of their source only; files of Vault have no digest, and are pinned by their versions. Pure: the
caller reads and writes the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from halgit.errors import SourceError
from halgit.lazy import lazy_pattern
from halgit.operator_settings import SourceSpec
from halgit.pipeline import EMPTY, Compiled, Layer, Snapshot, SourceId
from halgit.record import Record, replace, to_dict

LOCK = "halgit.lock"
_FORMAT = 1
_HAS_COMMITS = lazy_pattern(r"(?!s3:|vault:)[A-Za-z][A-Za-z0-9+.-]*://|[^/:]+@[^/:]+:")
_WRITE = "Run `halgit lock` to update it."
_REMOVE = "Remove it, then run `halgit lock`."


class LockedSource(Record):
    """One source: its URL, ref and path, its revision, and the SHA-256 of each layer file without its secrets."""

    url: str
    ref: str
    path: str
    revision: str
    files: Mapping[str, str]


class Entry(Record):
    """One overlay: its sources in order, and the versions of secrets by address."""

    sources: tuple[LockedSource, ...]
    secrets: Mapping[str, str] = EMPTY


def entry(compiled: Compiled, versions: Mapping[str, str], hide: Callable[[bytes], bytes]) -> Entry:
    """Build the lock entry of a compiled tree; `hide` removes the secrets of a text."""
    sources = tuple(_source(source, compiled.layers, hide) for source in compiled.sources)
    return Entry(sources, dict(sorted(versions.items())))


def _source(source: SourceId, layers: Sequence[Layer], hide: Callable[[bytes], bytes]) -> LockedSource:
    texts: dict[str, bytes] = {}
    for layer in layers:
        if layer.id.source == source:
            texts.update({layer.id.file(path): text for path, text in layer.files.items()})
            if layer.settings.file:
                texts[layer.settings.file] = layer.settings.text
    is_vault = _is_vault(source.url)
    files = {path: "" if is_vault else hashlib.sha256(hide(text)).hexdigest() for path, text in sorted(texts.items())}
    return LockedSource(source.url, source.ref, source.path, source.revision, files)


def _is_vault(url: str) -> bool:
    """Whether every file of a source is a secret."""
    return url.lower().startswith("vault:")


def encode(entries: Mapping[str, Entry]) -> bytes:
    """Encode a lock file; equal entries give equal bytes."""
    overlays = {name or ".": to_dict(replace(one, secrets=dict(one.secrets))) for name, one in sorted(entries.items())}
    return json.dumps({"format": _FORMAT, "overlays": overlays}, indent=2, ensure_ascii=False).encode() + b"\n"


def parse(text: bytes) -> dict[str, Entry]:
    """Parse a lock file into entries by overlay (empty: the root layer). Raises SourceError if invalid."""
    try:
        data = json.loads(text)
        if data["format"] != _FORMAT:
            raise SourceError(
                f"{LOCK} has format {data['format']}; this version of halgit reads format {_FORMAT}.", _REMOVE
            )
        return {"" if name == "." else name: _entry(one) for name, one in data["overlays"].items()}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise SourceError(f"{LOCK} is not a lock file written by halgit.", _REMOVE) from None


def _entry(content: Mapping[str, object]) -> Entry:
    sources, secrets = content["sources"], content["secrets"]
    if not isinstance(sources, list) or not isinstance(secrets, dict):
        raise TypeError
    return Entry(tuple(LockedSource(**one) for one in sources), {str(k): str(v) for k, v in secrets.items()})


def entry_of(entries: Mapping[str, Entry], overlay: str) -> Entry:
    """Return the entry of an overlay. Raises SourceError if there is none."""
    if overlay not in entries:
        named = f"overlay {overlay}" if overlay else "the root layer"
        raise SourceError(f"{LOCK} has no entry for {named}.", "Run `halgit lock` for it.")
    return entries[overlay]


def pins(locked: Entry, sources: Sequence[SourceId], holder: int) -> dict[int, str]:
    """Find the git sources whose ref has moved; returns the commit to fetch by source number.

    `holder` is the number of the source that contains the lock file; its files are compared, not its commit.
    Raises SourceError if the sources differ from the locked ones.
    """
    if [source.path for source in sources] != [one.path for one in locked.sources]:
        raise SourceError(f"{LOCK} was written for {len(locked.sources)} sources with another order or path.", _WRITE)
    moved: dict[int, str] = {}
    for number, (source, one) in enumerate(zip(sources, locked.sources, strict=True)):
        if number == holder or source.revision == one.revision:
            continue
        if source.url != one.url:
            raise SourceError(f"{LOCK} was written for {one.url}, not for {source.url}.", _WRITE)
        if is_commit(one):
            moved[number] = one.revision
    return moved


def is_commit(source: LockedSource) -> bool:
    """Return whether the revision of a source is a commit, which can be fetched by its id."""
    return len(source.revision) in (40, 64) and _HAS_COMMITS.match(source.url) is not None


def locked_specs(
    snapshots: Sequence[Snapshot], specs: Sequence[SourceSpec], overlay: str
) -> tuple[Entry, dict[int, SourceSpec]]:
    """Return the lock file's entry for an overlay, and the sources to open again by their number.

    The last source that has a lock file gives it. Raises SourceError where none does.
    """
    holders = [number for number, snapshot in enumerate(snapshots) if LOCK in snapshot.paths]
    if not holders:
        raise SourceError("No source has a halgit.lock, which --locked reads.", "Run `halgit lock`.")
    text = snapshots[holders[-1]].read([LOCK])[LOCK]
    locked = entry_of(parse(text), overlay)
    moved = pins(locked, [snapshot.source for snapshot in snapshots], holders[-1])
    return locked, {number: replace(specs[number], commit=commit) for number, commit in moved.items()}


def hold(locked: Entry, now: Entry) -> None:
    """Raise SourceError with every file that changed since the lock was written, and the revisions."""
    moved = [text for pair in zip(locked.sources, now.sources, strict=True) for text in _moved(*pair)]
    if moved:
        listed = "\n".join(f"  {text}" for text in moved)
        raise SourceError(f"The sources do not match {LOCK}:\n{listed}.", _WRITE)


def _moved(then: LockedSource, now: LockedSource) -> Iterator[str]:
    if then.files == now.files and (then.revision == now.revision or not _is_vault(now.url)):
        return
    if then.revision != now.revision:
        yield f"{now.url} was at {then.revision or 'no revision'} and is now at {now.revision or 'no revision'}"
    prefix = f"{now.url}//"
    for file in sorted({*then.files, *now.files}):
        before, after = then.files.get(file), now.files.get(file)
        if before != after:
            yield prefix + file + (" is new" if before is None else " is missing" if after is None else " has changed")
