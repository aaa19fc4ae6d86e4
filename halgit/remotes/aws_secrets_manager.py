"""AWS Secrets Manager: `secrets-manager://name`, a text or bytes with versions."""

from __future__ import annotations

from typing import Any

from halgit.errors import Missing
from halgit.operator_settings import Access
from halgit.pipeline import Reference
from halgit.remotes.aws import aws
from halgit.remotes.held import Held, Presence

_SHORTEST_ID = 32
"""A version id has at least this many characters; what is shorter is a stage (`AWSPREVIOUS`)."""


class SecretsManagerEngine:
    """Reads secrets with the run's AWS login."""

    def __init__(self, access: Access) -> None:
        self._aws = aws(access)

    def read(self, reference: Reference) -> Held:
        name, version = reference.get("name"), reference.get("version")
        asked = {"SecretId": name}
        if version:
            asked["VersionId" if len(version) >= _SHORTEST_ID else "VersionStage"] = version
        client = self._client(reference)
        answer = self._aws.ask(_what(reference), lambda: client.get_secret_value(**asked))
        text = answer.get("SecretString")
        whole = text.encode("utf-8") if text is not None else bytes(answer["SecretBinary"])
        return Held(whole=whole, version=str(answer.get("VersionId", "")))

    def check(self, reference: Reference) -> Presence:
        client = self._client(reference)
        answer = self._aws.ask(_what(reference), lambda: client.describe_secret(SecretId=reference.get("name")))
        if answer.get("DeletedDate"):
            raise Missing(f"{_what(reference)}: it is marked for deletion.", "Restore it, or use another.")
        return Presence("metadata")

    def _client(self, reference: Reference) -> Any:
        return self._aws.client("secretsmanager", region=reference.get("region"))


def _what(reference: Reference) -> str:
    return f"secrets-manager://{reference.get('name')}"
