"""Sources for the charts' containers: servers on loopback, and the values and Secrets with which a pod reads them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from charts_values import over
from servers.aws import aws
from servers.certificates import Authority
from servers.git_http import GitHttpServer
from servers.git_ssh import GitSshServer
from servers.kubernetes_api import kubernetes
from servers.openbao import openbao
from servers.repositories import Repository
from servers.token_reviews import review_token, service_token

Object = dict[str, Any]
TOKEN = "a-token/of&the-test"


@dataclass
class Source:
    """A source as the chart is told of it: its address, the values it needs, and the Secrets these name."""

    url: str
    values: Object = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


def https(stack: ExitStack, folder: Path, files: Mapping[str, str], *, private: bool = True) -> Source:
    """A private git repository over https, whose CA is the company's."""
    authority = Authority(folder / "authority")
    repository = Repository(folder / "repositories" / "config")
    repository.commit(dict(files))
    tls = authority.server("127.0.0.1")
    login = {"token": TOKEN, "user": "robot"} if private else {}
    server = stack.enter_context(GitHttpServer(folder / "repositories", tls=tls, **login))
    values: Object = {"global": {"caBundle": {"configMap": "company-ca"}}}
    secrets = {"company-ca": {"ca.crt": authority.ca.read_text()}}
    if private:
        git = {"existingSecret": "git-login", "keys": {"token": "password"}}
        values = over(values, {"credentials": {"git": True}, "global": {"credentials": {"git": git}}})
        secrets["git-login"] = {"username": "robot", "password": TOKEN}
    return Source(f"{server.url}/config", values, secrets)


def public(stack: ExitStack, folder: Path, files: Mapping[str, str]) -> Source:
    """A public one: no login is given."""
    return https(stack, folder, files, private=False)


def ssh(stack: ExitStack, folder: Path, files: Mapping[str, str]) -> Source:
    """A git repository over ssh."""
    Repository(folder / "repositories" / "config").commit(dict(files))
    server = stack.enter_context(GitSshServer(folder / "repositories", folder / "ssh"))
    key = {"ssh-privatekey": server.key.read_text(), "known_hosts": server.known_hosts.read_text()}
    return Source(f"ssh://git@{server.server}/config", {"credentials": {"sshSecret": "git-ssh"}}, {"git-ssh": key})


def s3(stack: ExitStack, folder: Path, files: Mapping[str, str]) -> Source:
    """A bucket, with the login in a credentials file."""
    cloud = stack.enter_context(aws())
    cloud.bucket("config-bucket", {f"prod/{name}": text.encode() for name, text in files.items()})
    values = {"credentials": {"awsSecret": "aws-login", "s3": {"endpoint": cloud.url, "region": "us-east-1"}}}
    login = "[default]\naws_access_key_id = testing\naws_secret_access_key = testing\n"
    return Source("s3://config-bucket/prod", values, {"aws-login": {"credentials": login}})


def vault(stack: ExitStack, folder: Path, files: Mapping[str, str]) -> Source:
    """A path of a key-value store of Vault, with a token."""
    bao = stack.enter_context(openbao(folder))
    bao.mount("hal", 2)
    for name, text in files.items():
        bao.put("hal", f"prod/{name}", {"content": text})
    values = {"credentials": {"vault": {"address": bao.url, "auth": "token", "tokenSecret": "vault-login"}}}
    return Source("vault://hal/prod", values, {"vault-login": {"token": bao.token("root")}})


def vault_by_account(stack: ExitStack, folder: Path, files: Mapping[str, str]) -> Source:
    """The same with the login of the pod's account, which Vault has the cluster review."""
    bao = stack.enter_context(openbao(folder))
    cluster = stack.enter_context(kubernetes(folder))
    cluster.rule = review_token
    bao.mount("hal", 2)
    for name, text in files.items():
        bao.put("hal", f"prod/{name}", {"content": text})
    bao.policy("reader", {"hal/*": ["read", "list"]})
    bao.call("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
    trust = {"kubernetes_host": cluster.url, "kubernetes_ca_cert": cluster.ca.read_text()}
    bao.call("POST", "auth/kubernetes/config", {**trust, "disable_iss_validation": True})
    names = {"bound_service_account_names": ["halyard"], "bound_service_account_namespaces": ["spinnaker"]}
    bao.call("POST", "auth/kubernetes/role/hal", {**names, "token_policies": ["reader"]})
    (folder / "account-token").write_text(service_token("halyard"))
    values = {"credentials": {"vault": {"address": bao.url, "auth": "kubernetes", "role": "hal"}}}
    return Source("vault://hal/prod", values, {}, {"HALGIT_VAULT_SECRET_FILE": str(folder / "account-token")})
