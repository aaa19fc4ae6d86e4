"""Values that may be seen nowhere but in the rendered tree, planted wherever a secret can be, and how to find them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from servers.aws import KEYS, Cloud, aws
from servers.google import google
from servers.kubernetes_api import TOKEN, kubernetes
from servers.openbao import ROOT_TOKEN, Bao, openbao

_HOSTILE = "'q\"d\\b/é&<i>|%+ $x: #"
"""What stands in the middle of each value: characters that every way of quoting writes differently."""

NAMES = (
    "vault", "k8s", "opsmx", "s3", "s3file", "manager", "gcs", "google", "env", "file", "paramfile", "paramenv",
    "paramref", "marked", "password", "secret", "token", "credential", "privatekey", "noop", "url", "beaten", "blob",
)  # fmt: skip


def core(name: str) -> str:
    """The part of a canary that no quoting changes; it begins and ends the value."""
    return f"c4N4ry{name}Zq"


def value(name: str) -> str:
    """The whole canary."""
    return core(name) if name in {"noop", "url"} else core(name) + _HOSTILE + core(name)


def _spellings(text: str) -> Iterator[bytes]:
    """The text raw, which is also how it is quoted in URLs, JSON, YAML and shells, in base64 and in hex."""
    raw = text.encode()
    yield raw
    yield raw.hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        yield encoded[(0, 2, 3)[shift] : -1]


LOGINS = {"vault token": ROOT_TOKEN, "kubernetes token": TOKEN}
NEEDLES = {name: tuple(_spellings(text)) for name, text in {**{name: core(name) for name in NAMES}, **LOGINS}.items()}


def seen(text: str | bytes) -> set[str]:
    """Which canaries are in this text, however they are written."""
    data = text if isinstance(text, bytes) else text.encode()
    return {name for name, forms in NEEDLES.items() if any(form in data for form in forms)}


@dataclass
class Plant:
    """The servers with their secrets, and the environment that lets halgit reach them."""

    folder: Path
    bao: Bao
    cloud: Cloud
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def repo(self) -> Path:
        return self.folder / "repo"


@contextmanager
def planted(folder: Path) -> Iterator[Plant]:
    """Every engine with a canary in it, and a repository that refers to all of them."""
    keys = folder / "keys"
    keys.mkdir()
    with ExitStack() as stack:
        bao = stack.enter_context(openbao(keys))
        cluster = stack.enter_context(kubernetes(keys))
        cloud = stack.enter_context(aws())
        gcp = stack.enter_context(google(keys))
        bao.mount("kv", 2)
        bao.put("kv", "hal/gate", {"k": value("vault"), "p": value("paramref")})
        cluster.secrets["spinnaker/gate"] = {"pw": value("k8s").encode(), "sh": value("opsmx").encode()}
        cloud.bucket("planted", {"all.yml": json.dumps({"db": {"password": value("s3")}}).encode(),
                                 "kubeconfig": kubeconfig(value("s3file")).encode()}, versions=True)  # fmt: skip
        cloud.client("secretsmanager").create_secret(Name="planted", SecretString=json.dumps({"pw": value("manager")}))
        gcp.objects["objects/all.yml"] = [json.dumps({"pw": value("gcs")}).encode()]
        gcp.secrets["77/gate"] = [json.dumps({"pw": value("google")}).encode()]
        (folder / "local").write_text(value("file"))
        (folder / "paramfile").write_text(value("paramfile") + "\n")
        plant = Plant(folder, bao, cloud)
        plant.environment = {
            **KEYS, **gcp.access().environment, "AWS_ENDPOINT_URL_SECRETS_MANAGER": cloud.url,
            "HALGIT_S3_ENDPOINT": cloud.url, "VAULT_ADDR": bao.url, "VAULT_TOKEN": ROOT_TOKEN,
            "KUBECONFIG": cluster.kubeconfig(), "OF_HAL": value("env"), "HALGIT_ALLOW_ENGINE": "env\nfile",
            "HALGIT_PARAM_FROM_FILE_FILE": str(folder / "paramfile"), "HALGIT_PARAM_FROM_ENV": value("paramenv"),
            "HALGIT_RETRIES": "0", "HALGIT_TIMEOUT": "10",
        }  # fmt: skip
        for path, text in _files(folder).items():
            place = plant.repo / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        yield plant


def kubeconfig(token: str) -> str:
    """One with this token."""
    return json.dumps(
        {
            "apiVersion": "v1", "kind": "Config", "current-context": "prod", "preferences": {},
            "clusters": [{"name": "c", "cluster": {"server": "https://k.example.com"}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        }
    )  # fmt: skip


def _quoted(name: str) -> str:
    return json.dumps(value(name), ensure_ascii=False)


def _files(folder: Path) -> dict[str, str]:
    """A layered repository; JSON strings are YAML strings, too."""
    config = f"""\
deploymentConfigurations:
- name: default
  version: 1.36.1
  persistentStorage: {{persistentStoreType: s3, s3: {{bucket: b, secretAccessKey: {_quoted("marked")}}}}}
  providers:
    kubernetes:
      enabled: true
      accounts:
      - {{name: prod, context: prod, kubeconfigFile: 'encryptedFile:s3!r:us-east-1!b:planted!f:kubeconfig'}}
"""
    gate = f"""\
vault: encrypted:vault!e:kv!p:hal/gate!k:k
k8s: encrypted:k8s!n:gate!k:pw
opsmx: encrypted:gate:sh
s3: encrypted:s3!r:us-east-1!b:planted!f:all.yml!k:db.password
manager: encrypted:secrets-manager!r:us-east-1!s:planted!k:pw
gcs: encrypted:gcs!b:objects!f:all.yml!k:pw
google: encrypted:google-secrets-manager!p:77!s:gate!k:pw
noop: encrypted:noop!v:{value("noop")}
env: ${{{{ secret('env://OF_HAL') }}}}
file: ${{{{ secret('file://{folder}/local') }}}}
inside: redis://:${{{{ secret('vault://kv/hal/gate#k') }}}}@redis:6379
params:
  file: ${{{{ params.fromFile }}}}
  env: redis://:${{{{ params.fromEnv }}}}@redis:6379
  reference: ${{{{ params.fromReference }}}}
"""
    orca = f"""\
spring.datasource.password: {_quoted("password")}
jobs:
- {{name: one, clientSecret: {_quoted("secret")}, api-token: [{_quoted("token")}]}}
credential: {_quoted("credential")}
database: 'jdbc:mysql://orca:{value("url")}@db/orca'
privateKey: |
  -----BEGIN PRIVATE KEY-----
  {core("privatekey")}AAAABBBB/CCCC+DDDD
  EEEE{core("privatekey")}FFFF=
  -----END PRIVATE KEY-----
"""
    params = "params:\n  fromFile: {type: string, secret: true}\n  fromEnv: {type: string, secret: true}\n"
    params += "  fromReference: {type: string, secret: true}\n"
    top, rest = gate.split("params:\n")
    return {
        "halgit.yaml": params,
        "base/config": config,
        "base/default/profiles/gate-local.yml": f"params:\n  password: {_quoted('beaten')}\n{top}",
        "base/default/profiles/orca-local.yml": orca,
        "base/default/profiles/rosco-local.yml": f"job:\n  GATE_PASSWORD: {_quoted('blob')}\n",
        "overlays/prod/halgit.yaml": "bases: [../../base]\nparams:\n"
        "  fromReference: ${{ secret('vault://kv/hal/gate#p') }}\n",
        "overlays/prod/default/profiles/gate-local.yml": f"params:\n  password: null\n{rest}",
    }
