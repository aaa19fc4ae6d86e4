"""Secrets kept as objects in S3: `s3://bucket/key`, read whole; the object's version is the secret's."""

from __future__ import annotations

import contextlib
from typing import Any

from halgit.errors import ConflictError, NotFoundError, RefusedError
from halgit.operator_settings import Access, SourceSpec
from halgit.pipeline import Reference
from halgit.remotes.aws import get_aws
from halgit.remotes.engine import Presence, SecretData
from halgit.remotes.s3 import read_address


class S3Engine:
    """Reads objects with the run's AWS login."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._aws = get_aws(access)

    def read(self, reference: Reference) -> SecretData:
        what, client, arguments = self._request_arguments(reference)

        def get() -> SecretData:
            answer = client.get_object(**arguments, ChecksumMode="ENABLED")
            with contextlib.closing(answer["Body"]) as body:
                if answer["ContentLength"] > self._access.largest_file:
                    raise RefusedError(f"{what}: it exceeds {self._access.largest_file} bytes.")
                return SecretData(whole=body.read(), version=_version(answer))

        return self._aws.ask(what, get)

    def check(self, reference: Reference) -> Presence:
        what, client, arguments = self._request_arguments(reference)
        self._aws.ask(what, lambda: client.head_object(**arguments))
        return Presence("metadata")

    def _request_arguments(self, reference: Reference) -> tuple[str, Any, dict[str, str]]:
        bucket, key = reference.get("bucket"), reference.get("path")
        client = self._aws.bucket(bucket, reference.get("region"))
        arguments = {"Bucket": bucket, "Key": key}
        if reference.get("version"):
            arguments["VersionId"] = reference.get("version")
        return f"s3://{bucket}/{key}", client, arguments


def _version(answer: dict[str, Any]) -> str:
    """Return the object's version id, or the time of its last change, which can be compared but not requested.

    Never the ETag: it is an unkeyed digest of the secret.
    """
    version = str(answer.get("VersionId") or "null")
    return f"modified:{answer['LastModified'].isoformat()}" if version == "null" else version


class S3Store:
    """The objects below the prefix. Raises RemoteErrors."""

    def __init__(self, spec: SourceSpec, access: Access) -> None:
        self._bucket, prefix = read_address(spec.url)
        self._prefix = "".join(f"{part}/" for part in (prefix, spec.path.strip("/")) if part)
        self._aws = get_aws(access)
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
        except NotFoundError:
            self._tags[path] = ""
            return None
        return content

    def write(self, path: str, content: bytes) -> bool:
        """Write an object; returns whether it is new. Raises ConflictError if it has changed since it was read."""
        known = self._tags.get(path, "")
        condition = {"IfMatch": known} if known else {"IfNoneMatch": "*"}
        try:
            answer = self._aws.ask(
                self._named(path),
                lambda: self._client.put_object(
                    Bucket=self._bucket, Key=self._prefix + path, **condition, Body=content
                ),
            )
        except NotFoundError:
            if not known:
                raise
            raise ConflictError(f"{self._named(path)}: it was deleted since it was read.") from None
        self._tags[path] = str(answer["ETag"])
        return not known

    def delete(self, path: str) -> None:
        """Delete an object, whoever wrote it."""
        self._aws.ask(
            self._named(path), lambda: self._client.delete_object(Bucket=self._bucket, Key=self._prefix + path)
        )
        self._tags[path] = ""

    def _named(self, path: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{path}"
