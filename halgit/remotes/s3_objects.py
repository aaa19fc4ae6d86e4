"""Secrets kept as objects in S3: `s3://bucket/key`, read whole; the object's version is the secret's."""

from __future__ import annotations

import contextlib
from typing import Any

from halgit.errors import Refused
from halgit.operator_settings import Access
from halgit.pipeline import Reference
from halgit.remotes.aws import aws
from halgit.remotes.held import Held, Presence


class S3Engine:
    """Reads objects with the run's AWS login."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._aws = aws(access)

    def read(self, reference: Reference) -> Held:
        what, client, asked = self._asked(reference)

        def get() -> Held:
            answer = client.get_object(**asked, ChecksumMode="ENABLED")
            with contextlib.closing(answer["Body"]) as body:
                if answer["ContentLength"] > self._access.largest_file:
                    raise Refused(f"{what}: it is larger than {self._access.largest_file} bytes.")
                return Held(whole=body.read(), version=_version(answer))

        return self._aws.ask(what, get)

    def check(self, reference: Reference) -> Presence:
        what, client, asked = self._asked(reference)
        self._aws.ask(what, lambda: client.head_object(**asked))
        return Presence("metadata")

    def _asked(self, reference: Reference) -> tuple[str, Any, dict[str, str]]:
        bucket, key = reference.get("bucket"), reference.get("path")
        client = self._aws.bucket(bucket, reference.get("region"))
        asked = {"Bucket": bucket, "Key": key}
        if reference.get("version"):
            asked["VersionId"] = reference.get("version")
        return f"s3://{bucket}/{key}", client, asked


def _version(answer: dict[str, Any]) -> str:
    """The object's version id; where the bucket keeps none its ETag, which can be compared but not asked for."""
    version = answer.get("VersionId")
    return version if version and version != "null" else f"etag:{answer['ETag'].strip(chr(34))}"
