"""Values that are misspelt, of the wrong type, or cannot work together are refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from charts_values import ALONE, CI, ROOT, over
from helm_python import Chart, HelmError

Texts = Callable[..., dict[str, str]]
HOSTS: dict[str, Any] = CI["hosts"]


def refusal(texts: Texts, chart: str, values: dict[str, Any]) -> str:
    with pytest.raises(HelmError) as caught:
        texts(chart, values)
    return str(caught.value)


@pytest.mark.parametrize("chart", sorted(ALONE))
def test_a_misspelt_value_is_refused_by_every_chart(texts: Texts, chart: str) -> None:
    message = refusal(texts, chart, {**ALONE[chart], "replcas": 2})
    assert "additional properties 'replcas' not allowed" in message


MISSPELT = [
    ({"exposrue": {}}, "isd:\n- at '': additional properties 'exposrue' not allowed"),
    ({"sapor": {"encryptAcounts": True}}, "- at '': additional properties 'encryptAcounts' not allowed"),
    ({"global": {"hosts": {"iu": "x"}}}, "- at '/global/hosts': additional properties 'iu' not allowed"),
    ({"global": {"hsots": {}}}, "global.hsots is not a value of this chart. It has: addresses, affinity, caBundle,"),
    ({"global": {"credentials": {"database": {"pasword": "x"}}}}, "additional properties 'pasword' not allowed"),
    ({"sapor": {"replicas": "two"}}, "- at '/replicas': got string, want null or integer"),
    ({"global": {"spinnaker": {"install": "yes"}}}, "- at '/global/spinnaker/install': got string, want boolean"),
    ({"exposure": {"kind": "nginx"}}, "value must be one of 'ingress', 'gateway', 'istio', 'none'"),
    ({"sapor": {"image": {"digest": "latest"}}}, "- at '/image/digest': 'latest' does not match pattern"),
    ({"oes-gate": {"sessionTimeoutSeconds": 1}}, "- at '/sessionTimeoutSeconds': minimum: got 1, want 60"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "words"), MISSPELT, ids=lambda value: str(value)[:40])
def test_the_umbrella_refuses_what_it_does_not_know(texts: Texts, values: dict[str, Any], words: str) -> None:
    assert words in refusal(texts, "isd", over(HOSTS, values))


CONTROLLER = {"controller": {"enabled": True}, "hosts": {"controller": "agents.example.org"}}
IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"global": {"hosts": {"ui": ""}}},
     "global.hosts.ui: empty. Give the public name of the user interface, or set exposure.kind to none."),
    ({"global": {"hosts": {"gate": "gate.example.org"}}},
     "global.hosts.gate: given, and global.commonGate is on, so Spinnaker's own Gate has no host. "
     "Leave it empty, or turn commonGate off."),
    ({"configure": {"accountsRepository": "https://github.com/org/accounts.git"}},
     "configure.accountsRepository: given, and global.saporGate is off, so no Spinnaker is registered it could belong "
     "to. Turn global.saporGate.enabled on, or leave it empty."),
    ({"global": {"saporGate": {"enabled": True}}, "configure": {"accountsRepository": "git@github.com:org/a.git"}},
     "configure.accountsRepository: git@github.com:org/a.git is no https address, and sapor reaches no other."),
    ({"global": {"saporGate": {"enabled": True}}, "configure": {"accountsRepository": "https://git.acme.example/o/a"}},
     "configure.gitProvider: empty, and the host of accountsRepository does not tell what it is. "
     "Give github, gitlab or bitbucket."),
    ({"global": {"commonGate": False}},
     "global.hosts.gate: empty, and global.commonGate is off, so Deck would find no gate. "
     "Give the public name of Spinnaker's Gate, or turn commonGate on."),
    ({"global": {"hosts": {"deck": "isd.example.org"}}},
     "global.hosts.ui: isd.example.org is the host of deck too. Give each its own name, or leave this one empty."),
    ({"global": CONTROLLER},
     "exposure.kind: an Ingress ends TLS, and agents must reach the controller by TLS that ends there. "
     "Set controller.agent.service.type to LoadBalancer, give exposure.ingress.passthroughAnnotations, "
     "or take kind gateway or istio."),
    ({"global": {"controller": {"enabled": True}}, "controller": {"agent": {"service": {"type": "LoadBalancer"}}}},
     "global.hosts.controller: empty, and agents must be told a name the controller's certificate holds. "
     "Give its public name."),
    ({"exposure": {"kind": "gateway"}},
     "exposure.gateway.name: empty, and create is off. Name the Gateway the routes belong to, or set create."),
    ({"exposure": {"kind": "gateway", "gateway": {"create": True}}},
     "exposure.gateway.className: empty, and create is on. Give the class of the Gateway."),
    ({"exposure": {"kind": "istio"}},
     "exposure.tls: kind is istio, https is on, and there is no certificate. Give secretName or issuer, "
     "or turn global.tls.enabled off."),
    ({"oes-db": {"enabled": False}},
     "global.database.host: empty, and the release's own oes-db is off. Give it, or turn oes-db.enabled on."),
    ({"global": {"redis": {"host": "redis.example.org"}}},
     "global.redis.host: given, and the release's own oes-redis is on too. "
     "Turn oes-redis.enabled off, or leave it empty."),
    ({"oes-db": {"enabled": False}, "global": {"database": {"host": "db.example.org"}}},
     "global.credentials.database: empty, and global.database.host is given, whose server knows no random password. "
     "Give existingSecret or values."),
    ({"datascience": {"enabled": True}},
     "is empty. Give it, or turn datascience off (datascience.enabled), "
     "or set global.trial to run the servers it needs in the cluster."),
    ({"global": {"trial": True, "opa": {"url": "http://opa.policy:8181"}}},
     "global.opa.url: given, and the release's own opa is on too. Turn opa.enabled off, or leave it empty."),
    ({"global": {"login": {"kind": "ldap"}}},
     "global.ldap.url: empty, and the release's own openldap is off. Give it, or turn openldap.enabled on."),
    ({"global": {"login": {"kind": "saml"}}},
     "oes-gate.saml.existingSecret: empty, and global.login.kind is saml. "
     "Name the Secret with the key store and the metadata."),
    ({"global": {"login": {"kind": "oauth2"}}},
     "global.credentials.oauth2: oes-gate needs it, and it is never made at random. Give existingSecret or values."),
    ({"global": {"secretStore": {"kind": "vault"}}},
     "global.secretStore: kind is vault and address is empty. Give Vault's address, or take kind db."),
    ({"global": {"caBundle": {"configMap": "a", "secret": "b"}}},
     "global.caBundle: both configMap and secret are given. Keep one."),
    ({"global": {"credentials": {"database": {"existingSecret": "db", "values": {"password": "x"}}}}},
     "global.credentials.database: both existingSecret and values are given. Keep one."),
    ({"global": {"credentials": {"git": {"values": {"username": "robot"}}}}},
     "global.credentials.git.values: token is missing. Give it, or name an existingSecret."),
    ({"oes-redis": {"replicas": 2}},
     "oes-redis.replicas: oes-redis holds state in one place and runs once. Set it to 1 or leave it."),
    ({"sapor": {"fullnameOverride": "accounts-service"}},
     "sapor.fullnameOverride: given, and the others still call it isd-sapor. "
     "Set global.addresses.sapor to accounts-service too, or leave it empty."),
    ({"sapor": {"fullnameOverride": "s" * 53}, "global": {"addresses": {"sapor": "s" * 53}}},
     f"sapor: the name {'s' * 53} is longer than 52 characters. Take a shorter name for the release or in "
     "fullnameOverride."),
    ({"sapor": {"serviceAccount": {"create": False}}},
     "sapor.serviceAccount: create is off and name is empty. Name the account the pods run under."),
    ({"halyard": {"source": {"repositories": []}}},
     "halyard.source.repositories: empty. Say where the configuration is kept, "
     "or set global.spinnaker.install to false."),
    ({"halyard": {"source": {"repositories": ["/config"]}}},
     "halyard.source.repositories: /config is no https, ssh, s3 or vault address. "
     "A directory of the pod cannot be a source."),
    ({"halyard": {"source": {"repositories": ["https://user:secret@git.example.org/config"]}}},
     "halyard.source.repositories: an address holds a password. Leave it out and give global.credentials.git."),
    ({"accounts": {"enabled": True, "store": {"url": "https://user:secret@git.example.org/accounts.git"}}},
     "accounts.store.url: an address holds a password. Leave it out and give global.credentials.git."),
    ({"global": {"saporGate": {"enabled": True}},
      "configure": {"accountsRepository": "https://user:secret@github.com/org/accounts.git"}},
     "configure.accountsRepository: an address holds a password. Leave it out and give global.credentials.git."),
    ({"sapor": {"pipelinePromotion": {"kind": "github", "cloneUrl": "https://user:secret@github.com/org/pipelines"}}},
     "sapor.pipelinePromotion.cloneUrl: an address holds a password. Leave it out and give global.credentials.git."),
    ({"halyard": {"source": {"repositories": ["https://a.example.org", "https://b.example.org"], "ref": "main"}}},
     "halyard.source: ref and path go with one repository. With several, write \"ADDRESS?ref=REF&path=DIR\" for each."),
    ({"halyard": {"source": {"repositories": ["git@git.example.org:config"]}}},
     "halyard.credentials.sshSecret: empty, and a source is reached over SSH. "
     "Name the Secret with ssh-privatekey and known_hosts."),
    ({"halyard": {"source": {"repositories": ["vault://secret/hal"]}}},
     "halyard.credentials.vault.address: empty, and a source is in Vault. Give Vault's address."),
    ({"halyard": {"credentials": {"vault": {"address": "https://vault.example.org"}}}},
     "halyard.credentials.vault.role: empty, and auth is kubernetes. Give the role the pod logs in as."),
    ({"halyard": {"source": {"variant": "ssh"}}},
     "halyard.source.variant: ssh takes the key from halyard.credentials.sshSecret, which is empty. "
     "Name the Secret, or take variant token."),
    ({"halyard": {"credentials": {"git": True}}},
     "global.credentials.git: halyard needs it, and it is never made at random. Give existingSecret or values."),
    ({"halyard": {"mtls": {"enabled": True}}},
     "halyard.mtls: enabled, and nothing brings the certificates. "
     "Give existingSecret, or certManager.issuer and certManager.passwordSecret."),
    ({"bootstrap": {"renew": {"schedule": "30 4 * * 1"}}},
     "bootstrap.renew.schedule: given, and global.controller is off, so there is no certificate to renew. "
     "Turn global.controller.enabled on, or leave it empty."),
    ({"accounts": {"enabled": True}},
     "accounts.store.url: empty. Say where the accounts file is kept, such as https://git.example.org/org/accounts.git."),
    ({"pipelinePromotion": {"enabled": True}},
     "pipelinePromotion: organization or repository is empty. Say where the pipelines are kept, or turn it off."),
]  # fmt: skip


def test_secrets_are_no_plain_parameters(texts: Texts) -> None:
    """Every token of the opsmx dialect that is a secret; in the other dialect names are the source's own."""
    tokens = json.loads((ROOT / "halgit" / "halyard" / "tables" / "opsmx_tokens.json").read_text())
    secret = [name for name, token in tokens.items() if token["secret"]]
    assert "GIT_TOKEN" in secret
    for name in secret:
        message = refusal(texts, "halyard", over(ALONE["halyard"], {"parameters": {name: "canary"}}))
        assert (
            f"halyard.parameters.{name}: this is a secret, and would stand in the pod's specification. "
            "Name the Secret that holds it in halyard.secretParameters." in message
        )
        assert "canary" not in message
    own = {"source": {"dialect": "halgit"}, "parameters": {"KEY": "a key of the source's own"}}
    assert texts("halyard", over(ALONE["halyard"], own))


@pytest.mark.parametrize(("values", "words"), IMPOSSIBLE, ids=lambda value: str(value)[:60])
def test_what_cannot_work_is_refused_in_words(texts: Texts, values: dict[str, Any], words: str) -> None:
    message = refusal(texts, "isd", over(HOSTS, values))
    assert words in message
    assert "secret@" not in message


def test_a_wrapping_chart_may_have_globals_of_its_own(vendored: Callable[[str], Path], tmp_path: Path) -> None:
    """Only at the root of a release is an unknown global a slip."""
    isd = vendored("isd")
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "isd").symlink_to(isd)
    (tmp_path / "Chart.yaml").write_text(
        "apiVersion: v2\nname: company\nversion: 1.0.0\ndependencies:\n- {name: isd, version: 0.1.0, repository: ''}\n"
    )
    values = over(HOSTS, {"global": {"other": 1, "credentials": {"database": {"values": {"password": "given"}}}}})
    with Chart.load(tmp_path) as chart:
        rendered = chart.render(values, name="isd", namespace="isd-ns")
    secrets = [one for text in rendered.values() for one in text.split("---") if "kind: Secret\n" in one]
    assert len(secrets) == 1
    assert "name: isd-database" in secrets[0]


def test_a_misspelt_global_is_named_at_the_root_of_a_component_too(texts: Texts) -> None:
    assert "global.other is not a value of this chart." in refusal(texts, "sapor", {"global": {"other": 1}})


def test_a_release_whose_names_would_not_fit_is_refused(vendored: Callable[[str], Path]) -> None:
    """Names are never cut off: "...-audit-service" and "...-audit-client" might be cut to one."""
    fits = "r" * (52 - len("audit-service-"))
    with Chart.load(vendored("isd")) as chart:
        chart.render(HOSTS, name=fits, namespace="isd-ns")
    with Chart.load(vendored("isd")) as chart, pytest.raises(HelmError) as caught:
        chart.render(HOSTS, name=fits + "r", namespace="isd-ns")
    assert f"audit-service: the name {fits}r-audit-service is longer than 52 characters." in str(caught.value)
    assert "Take a shorter name for the release." in str(caught.value)
