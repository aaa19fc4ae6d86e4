"""Objects below an S3 prefix as a place to write to: each is written only over what was read (If-Match).

S3 changes one object at a time, so the caller's order counts: what an entry names is written before the entry.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from halgit.errors import Missing
from halgit.operator_settings import Access, SourceSpec
from halgit.remotes.aws import aws
from halgit.remotes.s3 import read_address


class S3Folder:
    """The objects below the prefix. Raises RemoteErrors."""

    def __init__(self, spec: SourceSpec, access: Access) -> None:
        self._bucket, prefix = read_address(spec.url)
        self._prefix = "".join(f"{part}/" for part in (prefix, spec.path.strip("/")) if part)
        self._aws = aws(access)
        self._client = self._aws.bucket(self._bucket)
        self._tags: dict[str, str] = {}

    def read(self, path: str) -> bytes | None:
        """An object, whose ETag is remembered; None where there is none."""
        key = self._prefix + path

        def get() -> tuple[bytes, str]:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
            with contextlib.closing(answer["Body"]) as body:
                return body.read(), answer["ETag"]

        try:
            content, self._tags[path] = self._aws.ask(self._named(path), get)
        except Missing:
            self._tags[path] = ""
            return None
        return content

    def write(self, changes: Mapping[str, bytes | None]) -> str:
        """Write (None: delete) these objects in their order; the ETag of the last one (none where it is gone).

        Raises Conflicting where one that was read is another one now, or one that was not there is.
        """
        return [self._put(path, content) for path, content in changes.items()][-1]

    def _put(self, path: str, content: bytes | None) -> str:
        asked = {"Bucket": self._bucket, "Key": self._prefix + path}
        if content is None:
            self._aws.ask(self._named(path), lambda: self._client.delete_object(**asked))
            return ""
        known = self._tags.get(path, "")
        condition = {"IfMatch": known} if known else {"IfNoneMatch": "*"}
        answer = self._aws.ask(self._named(path), lambda: self._client.put_object(**asked, **condition, Body=content))
        self._tags[path] = str(answer["ETag"])
        return self._tags[path].strip('"')

    def _named(self, path: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{path}"
