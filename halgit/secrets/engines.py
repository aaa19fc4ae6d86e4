"""The table of secret engines, and concurrent reads through them.

Each distinct secret is read once, with bounded concurrency; failures are returned so that all are reported. Retries and
timeouts belong to the remotes. After several connection failures an engine is not tried for further secrets.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections import Counter
from collections.abc import Callable, Mapping

from halgit.annotations import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar
from halgit.errors import RemoteError, UnreachableError, UntrustedError
from halgit.operator_settings import Access
from halgit.pipeline import EMPTY, Reference

if TYPE_CHECKING:
    from halgit.remotes.engine import Engine

ENGINES: Final[Mapping[str, str]] = {
    "vault": "vault:VaultEngine",
    "k8s": "kubernetes:KubernetesEngine",
    "s3": "s3_objects:S3Engine",
    "secrets-manager": "aws:SecretsManagerEngine",
    "gcs": "gcp:GcsEngine",
    "google-secrets-manager": "gcp:GoogleSecretManagerEngine",
    "noop": "engine:NoopEngine",
    "env": "engine:EnvEngine",
    "file": "engine:FileEngine",
}
"""Every engine with its module below `halgit.remotes` and its class. A remote is imported when it is first used."""


def engines(access: Access, encrypted: Mapping[str, bytes] = EMPTY) -> Engines:
    """The engines with the operator's servers and logins; each connects when it is first asked for.

    `encrypted` are the layer files that SOPS encrypted, as `Compiled.encrypted` has them.
    """

    def of(name: str) -> Engine:
        if name == "sops":
            from halgit.secrets.sops import SopsEngine

            return SopsEngine(access, encrypted)
        from importlib import import_module

        module, _, kind = ENGINES[name].partition(":")
        engine: Engine = getattr(import_module(f"halgit.remotes.{module}"), kind)(access)
        return engine

    return of


AT_ONCE: Final = 8
"""Reads under way at once."""

_ENOUGH: Final = 3
"""Secrets of one engine that could not be reached before the rest of them is not tried."""

Answer = TypeVar("Answer")
Engines: TypeAlias = "Callable[[str], Engine]"
"""The engine of a name; made at the first call. Raises RemoteError where it cannot be used at all."""


def ask_engines(
    wanted: Mapping[str, Reference], engines: Engines, ask: Callable[[Engine, Reference], Answer]
) -> dict[str, Answer | RemoteError]:
    """Return the result of `ask` for each of these secrets, or its error, in their order."""
    from concurrent.futures import ThreadPoolExecutor

    turn = _Asker(engines, ask)
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="secrets")
    try:
        answers = list(pool.map(turn, wanted.values()))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # a stopped run does not wait for servers
    return dict(zip(wanted, answers, strict=True))


class _Asker(Generic[Answer]):
    def __init__(self, engines: Engines, ask: Callable[[Engine, Reference], Answer]) -> None:
        self._engines = engines
        self._ask = ask
        self._lock = allocate_lock()
        self._made: dict[str, Engine | RemoteError] = {}
        self._down: Counter[str] = Counter()
        self._last: dict[str, RemoteError] = {}

    def __call__(self, reference: Reference) -> Answer | RemoteError:
        name = reference.engine
        engine = self._engine(name)
        if isinstance(engine, RemoteError):
            return engine
        if self._down[name] >= _ENOUGH:
            return self._last[name]
        try:
            return self._ask(engine, reference)
        except (UnreachableError, UntrustedError) as reason:
            with self._lock:
                self._last[name] = reason
                self._down[name] += 1
            return reason
        except RemoteError as reason:
            return reason

    def _engine(self, name: str) -> Engine | RemoteError:
        with self._lock:
            if name not in self._made:
                try:
                    self._made[name] = self._engines(name)
                except RemoteError as reason:
                    self._made[name] = reason
            return self._made[name]
