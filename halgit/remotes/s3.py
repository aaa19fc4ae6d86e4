"""S3 as a source: the objects under a prefix, at one listing, one point in time or one list of versions.

Never mixed: an object is read only as it was listed, and a listing that changed meanwhile is refused. Key names that
would leave the tree or collide are refused too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from halgit.errors import ConflictError, CorruptError, NotFoundError, RefusedError, RemoteError, UsageError
from halgit.lazy import lazy_pattern
from halgit.operator_settings import Access, SourceSpec
from halgit.pipeline import SourceId
from halgit.record import Record
from halgit.remotes import files
from halgit.remotes.aws import MAX_CONCURRENT, get_aws

_ADDRESS = lazy_pattern(r"s3://([a-zA-Z0-9][a-zA-Z0-9._-]{2,254})(?:/(.*))?", re.DOTALL)
_MOMENT = lazy_pattern(r"\d{4}-\d\d-\d\dT.*")
_STEADY = 4
"""Listings tried for two that are the same."""


class Entry(Record):
    """One object. `etag`, `size` and `modified` are unknown (empty, -1) where only a list of versions names it."""

    key: str
    etag: str = ""
    size: int = -1
    version: str = ""
    modified: str = ""


def read_address(url: str) -> tuple[str, str]:
    """Bucket and prefix of `s3://bucket/prefix`. Raises UsageError."""
    match = _ADDRESS.fullmatch(url)
    if not match:
        raise UsageError("An S3 source must be s3://bucket/prefix.", "Fix --repo; set the endpoint with --s3-endpoint.")
    return match.group(1), (match.group(2) or "").strip("/")


def open_s3(spec: SourceSpec, access: Access) -> S3Snapshot:
    """The files below the prefix. `ref` is a point in time (`2026-01-31T12:00:00Z`) or the key of a version list.

    Raises RemoteErrors, UsageError for a ref that cannot be one.
    """
    bucket, prefix = read_address(spec.url)
    store = _Store(bucket, "/".join(part for part in (prefix, spec.path) if part), spec.url, access)
    if not spec.ref:
        listed = store.steady()
    elif _MOMENT.fullmatch(spec.ref):
        listed = store.at(_moment(spec.ref))
    else:
        listed = store.named(spec.ref)
    if not listed:
        place = f"{spec.url}, below {spec.path}," if spec.path else spec.url
        raise NotFoundError(f"{place} contains no objects.", "Check bucket, prefix and --path.")
    return S3Snapshot(store, spec, listed)


def _moment(ref: str) -> datetime:
    try:
        moment = datetime.fromisoformat(ref.replace("Z", "+00:00"))
    except ValueError:
        raise UsageError(f"--ref {ref} is not a point in time.", "Write it as 2026-01-31T12:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


class S3Snapshot:
    """The files of one listing; see `Snapshot` in `pipeline.py`.

    `fingerprint` changes with the contents, and is never written anywhere: it has ETags, which are digests of them.
    """

    def __init__(self, store: _Store, spec: SourceSpec, listed: Mapping[str, Entry]) -> None:
        self._store = store
        self._listed = listed
        self._changes = not spec.ref
        self.source = SourceId(spec.url, _revision(listed), spec.ref, spec.path)
        self.fingerprint = repr([(path, one.etag, one.modified, one.version) for path, one in sorted(listed.items())])

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self._listed)

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        wanted = list(paths)
        for path in wanted:
            if path not in self._listed:
                raise NotFoundError(f"{self.source.url}: file {path} not found.")
        if not wanted:
            return {}
        with ThreadPoolExecutor(MAX_CONCURRENT, thread_name_prefix="s3") as pool:
            contents = list(pool.map(lambda path: self._store.get(path, self._listed[path]), wanted))
        if self._changes and self._store.listing() != self._listed:
            raise CorruptError(f"{self.source.url}: it changed while it was being read.", "Run again.")
        return dict(zip(wanted, contents, strict=True))

    def close(self) -> None:
        """The connection belongs to the run."""


def _revision(listed: Mapping[str, Entry]) -> str:
    """A digest of every file's name and version, or time and size. Never of an ETag, which is a digest of a content."""
    lines = (f"{path}\0{one.version or f'{one.modified} {one.size}'}\n" for path, one in sorted(listed.items()))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


class _Store:
    """The requests for one prefix of one bucket."""

    def __init__(self, bucket: str, prefix: str, url: str, access: Access) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._url = url
        self._largest = access.largest_file
        self._aws = get_aws(access)
        self._client = self._aws.bucket(bucket)

    # --- listings

    def steady(self) -> Mapping[str, Entry]:
        """A listing; one of several pages is made until two in a row are the same."""
        before, pages = self._pages()
        for _ in range(_STEADY):
            if pages <= 1:
                return before
            now, pages = self._pages()
            if now == before:
                return now
            before = now
        raise CorruptError(f"{self._url}: it changes while it is being listed.", "Run again when nothing writes there.")

    def listing(self) -> Mapping[str, Entry]:
        """The listing as it is now."""
        return self._pages()[0]

    def _pages(self) -> tuple[dict[str, Entry], int]:
        found: list[Entry] = []
        asked: dict[str, str] = {"Bucket": self._bucket, "Prefix": self._prefix}
        pages = 0
        while True:
            page = self._ask(lambda: self._client.list_objects_v2(**asked))
            pages += 1
            found += map(_entry, page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return self._by_path(found), pages
            token = page.get("NextContinuationToken")
            if not token or token == asked.get("ContinuationToken"):
                raise CorruptError(f"{self._url}: the listing is incomplete.", "Run again; check the endpoint.")
            asked["ContinuationToken"] = token

    def at(self, moment: datetime) -> Mapping[str, Entry]:
        """The objects as they were at a point in time."""
        self._need_versions()
        newest: dict[str, tuple[datetime, Entry | None]] = {}
        for each, deleted in self._versions():
            when, key = each["LastModified"], each["Key"]
            if when <= moment and (key not in newest or when > newest[key][0]):
                gone = deleted or None
                entry = None if gone else Entry(key, each["ETag"].strip('"'), each["Size"], each["VersionId"])
                newest[key] = (when, entry)
        return self._by_path([entry for _, entry in newest.values() if entry is not None])

    def _need_versions(self) -> None:
        try:
            status = self._ask(lambda: self._client.get_bucket_versioning(Bucket=self._bucket)).get("Status")
        except RefusedError:
            return
        if status != "Enabled":
            raise RefusedError(
                f"{self._url}: versioning is off for the bucket, so --ref cannot be a point in time.",
                "Enable versioning, or omit --ref.",
            )

    def _versions(self) -> Iterable[tuple[Mapping[str, Any], bool]]:
        asked: dict[str, str] = {"Bucket": self._bucket, "Prefix": self._prefix}
        while True:
            page = self._ask(lambda: self._client.list_object_versions(**asked))
            yield from ((each, False) for each in page.get("Versions", ()))
            yield from ((each, True) for each in page.get("DeleteMarkers", ()))
            if not page.get("IsTruncated"):
                return
            if not page.get("NextKeyMarker"):
                raise CorruptError(f"{self._url}: the listing is incomplete.", "Run again; check the endpoint.")
            asked["KeyMarker"] = page["NextKeyMarker"]
            asked["VersionIdMarker"] = page.get("NextVersionIdMarker", "")

    def named(self, ref: str) -> Mapping[str, Entry]:
        """The objects of a version list: a JSON object below the prefix, `{"files": {path: version id}}`."""
        text = self.get(ref, Entry(self._prefix + ref))
        try:
            given = json.loads(text)["files"]
            wanted = {str(path): str(version) for path, version in given.items()}
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise CorruptError(
                f"{self._url}: --ref {ref} is not a list of versions.", 'Write {"files": {"config": "VERSION-ID"}}.'
            ) from None
        return self._by_path([Entry(self._prefix + path, version=version) for path, version in wanted.items()])

    def _by_path(self, entries: Iterable[Entry]) -> dict[str, Entry]:
        """The entries by their path below the prefix. Raises Corrupt for names that cannot be files of a tree."""
        found: dict[str, Entry] = {}
        folded: dict[str, str] = {}
        root: files.Folder = {}
        for entry in entries:
            path = entry.key[len(self._prefix) :]
            if not path or (path.endswith("/") and entry.size == 0):
                continue
            self._refuse_name(path, folded.setdefault(path.casefold(), path))
            try:
                files.add_node(root, path, files.File(entry.key))
            except ValueError:
                raise CorruptError(f"{self._url}: {path} is both a file and a folder.", "Remove one of them.") from None
            found[path] = entry
        if len(found) > files.MAX_FILES:
            raise files.too_many_files(self._url)
        return found

    def _refuse_name(self, path: str, first: str) -> None:
        files.refuse_name(self._url, path)
        if "\\" in path:
            raise CorruptError(f"{self._url}: the file name {path!r} contains a backslash.", "Rename the object.")
        if first != path:
            raise CorruptError(f"{self._url}: {first} and {path} differ only in case.", "Remove one of them.")

    # --- contents

    def get(self, path: str, entry: Entry) -> bytes:
        """The content of an object as it was listed. Raises Corrupt where it is another by now, or too large."""
        files.refuse_size(self._url, path, entry.size, self._largest)
        asked = {"Bucket": self._bucket, "Key": entry.key, "ChecksumMode": "ENABLED"}
        asked |= {"VersionId": entry.version} if entry.version else {}
        asked |= {"IfMatch": f'"{entry.etag}"'} if entry.etag and not entry.version else {}
        try:
            content = self._aws.ask(f"{self._url}: {path}", self._getter(path, asked))
        except (ConflictError, NotFoundError) as reason:
            if isinstance(reason, NotFoundError) and not entry.etag:
                raise
            raise CorruptError(f"{self._url}: {path} changed while it was being read.", "Run again.") from None
        files.refuse_content(self._url, path, content)
        return content

    def _getter(self, path: str, asked: Mapping[str, str]) -> Callable[[], bytes]:
        def get() -> bytes:
            answer = self._client.get_object(**asked)
            with contextlib.closing(answer["Body"]) as body:
                files.refuse_size(self._url, path, answer["ContentLength"], self._largest)
                content: bytes = body.read()
            if not _fits(content, answer):
                raise CorruptError(f"{self._url}: {path} does not match its checksum.", "Upload it again.")
            return content

        return get

    def _ask(self, call: Callable[[], Any]) -> Any:
        try:
            return self._aws.ask(self._url, call)
        except RemoteError as reason:
            if isinstance(reason, NotFoundError):
                raise NotFoundError(
                    f"{self._url}: bucket {self._bucket} not found.", "Check --repo and the region."
                ) from None
            raise


def _entry(listed: Mapping[str, Any]) -> Entry:
    modified = listed.get("LastModified")
    when = modified.isoformat() if modified else ""
    return Entry(listed["Key"], listed["ETag"].strip('"'), listed["Size"], modified=when)


def _fits(content: bytes, answer: Mapping[str, Any]) -> bool:
    """True if the content fits the ETag, where that is an MD5: one part, and no key of KMS or of the customer."""
    etag = str(answer.get("ETag", "")).strip('"')
    kept = answer.get("ServerSideEncryption") in {None, "AES256"} and not answer.get("SSECustomerAlgorithm")
    if not kept or not re.fullmatch(r"[0-9a-f]{32}", etag):
        return True
    return hashlib.md5(content, usedforsecurity=False).hexdigest() == etag
