"""The table of secret engines. Each is a module of `remotes` that follows `remotes.held.Engine`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from halgit.operator_settings import Access
from halgit.remotes.aws_secrets_manager import SecretsManagerEngine
from halgit.remotes.gcp import GcsEngine, GoogleSecretManagerEngine
from halgit.remotes.held import Engine
from halgit.remotes.kubernetes import KubernetesEngine
from halgit.remotes.local import EnvEngine, FileEngine, NoopEngine
from halgit.remotes.s3_objects import S3Engine
from halgit.remotes.vault import VaultEngine
from halgit.secrets.reading import Engines

ENGINES: Final[Mapping[str, Callable[[Access], Engine]]] = {
    "vault": VaultEngine,
    "k8s": KubernetesEngine,
    "s3": S3Engine,
    "secrets-manager": SecretsManagerEngine,
    "gcs": GcsEngine,
    "google-secrets-manager": GoogleSecretManagerEngine,
    "noop": NoopEngine,
    "env": EnvEngine,
    "file": FileEngine,
}


def engines(access: Access) -> Engines:
    """The engines with the operator's servers and logins; each connects when it is first asked for."""

    def of(name: str) -> Engine:
        return ENGINES[name](access)

    return of
