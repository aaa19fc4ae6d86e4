"""Values that are misspelt, of the wrong type, or cannot work together are refused with a message."""

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
    ({"global": {"hsots": {}}}, "global.hsots is not a value of this chart. Known: addresses, affinity,"),
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
     "global.hosts.ui: required. Set the public name of the user interface, or set exposure.kind to none."),
    ({"global": {"hosts": {"gate": "gate.example.org"}}},
     "global.hosts.gate: not used with global.commonGate. Remove it, or set commonGate to false."),
    ({"configure": {"accountsRepository": "https://github.com/org/accounts.git"}},
     "configure.accountsRepository: requires global.saporGate.enabled, which registers the Spinnaker that it "
     "belongs to. Set that to true, or remove this value."),
    ({"global": {"saporGate": {"enabled": True}}, "configure": {"accountsRepository": "git@github.com:org/a.git"}},
     "configure.accountsRepository: git@github.com:org/a.git is not an https address, the only kind that sapor "
     "supports. Write https://HOST/ORGANIZATION/REPOSITORY.git."),
    ({"global": {"saporGate": {"enabled": True}}, "configure": {"accountsRepository": "https://git.acme.example/o/a"}},
     "configure.gitProvider: required, because the host of accountsRepository does not show the provider. Set "
     "github, gitlab or bitbucket."),
    ({"global": {"commonGate": False}},
     "global.hosts.gate: required without global.commonGate, because Deck calls it. Set the public name of "
     "Spinnaker's Gate, or set commonGate to true."),
    ({"global": {"hosts": {"deck": "isd.example.org"}}},
     "global.hosts.ui: isd.example.org is also the host of deck. Set another name, or remove this one."),
    ({"global": CONTROLLER},
     "exposure.kind: an Ingress ends TLS, but agents need TLS that ends in the controller. Set "
     "controller.agent.service.type to LoadBalancer, set exposure.ingress.passthroughAnnotations, or set kind to "
     "gateway or istio."),
    ({"global": {"controller": {"enabled": True}}, "controller": {"agent": {"service": {"type": "LoadBalancer"}}}},
     "global.hosts.controller: required, because agents connect to a name in the controller's certificate. Set its"
     " public DNS name."),
    ({"exposure": {"kind": "gateway"}},
     "exposure.gateway.name: required without create. Set the name of the Gateway, or set create to true."),
    ({"exposure": {"kind": "gateway", "gateway": {"create": True}}},
     "exposure.gateway.className: required with create. Set the class of the Gateway."),
    ({"exposure": {"kind": "istio"}},
     "exposure.tls: kind istio with https requires a certificate. Set secretName or issuer, or set "
     "global.tls.enabled to false."),
    ({"oes-db": {"enabled": False}},
     "global.database.host: required without the release's own oes-db. Set it, or set oes-db.enabled to true."),
    ({"global": {"redis": {"host": "redis.example.org"}}},
     "global.redis.host: set although the release's own oes-redis is enabled. Set oes-redis.enabled to false, or "
     "remove this value."),
    ({"oes-db": {"enabled": False}, "global": {"database": {"host": "db.example.org"}}},
     "global.credentials.database: required with global.database.host, because an external server does not know a "
     "generated password. Set existingSecret or values."),
    ({"datascience": {"enabled": True}},
     "is required. Set it, set datascience.enabled to false, or set global.trial to run the servers in the "
     "cluster."),
    ({"global": {"trial": True, "opa": {"url": "http://opa.policy:8181"}}},
     "global.opa.url: set although the release's own opa is enabled. Set opa.enabled to false, or remove this "
     "value."),
    ({"global": {"login": {"kind": "ldap"}}},
     "global.ldap.url: required without the release's own openldap. Set it, or set openldap.enabled to true."),
    ({"global": {"login": {"kind": "saml"}}},
     "oes-gate.saml.existingSecret: required with global.login.kind saml. Set the name of a Secret with the key "
     "store and the metadata."),
    ({"global": {"login": {"kind": "oauth2"}}},
     "global.credentials.oauth2: required by oes-gate and never generated. Set existingSecret or values."),
    ({"global": {"secretStore": {"kind": "vault"}}},
     "global.secretStore.address: required with kind vault. Set Vault's address, or set kind to db."),
    ({"global": {"caBundle": {"configMap": "a", "secret": "b"}}},
     "global.caBundle: both configMap and secret are set. Keep one."),
    ({"global": {"credentials": {"database": {"existingSecret": "db", "values": {"password": "x"}}}}},
     "global.credentials.database: more than one of existingSecret, values and generate is set. Keep one."),
    ({"global": {"credentials": {"git": {"values": {"username": "robot"}}}}},
     "global.credentials.git.values: token is missing. Set it, or set existingSecret."),
    ({"oes-redis": {"replicas": 2}},
     "oes-redis.replicas: oes-redis holds state in one place and runs as one pod. Remove this value."),
    ({"sapor": {"fullnameOverride": "accounts-service"}},
     "sapor.fullnameOverride: the other components still call it isd-sapor. Set global.addresses.sapor to "
     "accounts-service, or remove it."),
    ({"sapor": {"fullnameOverride": "s" * 53}, "global": {"addresses": {"sapor": "s" * 53}}},
     f"sapor: the name {'s' * 53} is longer than 52 characters. Use a shorter name for the release or in "
     "fullnameOverride."),
    ({"sapor": {"serviceAccount": {"create": False}}},
     "sapor.serviceAccount.name: required with create false. Set the name of the account that the pods use."),
    ({"halyard": {"source": {"repositories": []}}},
     "halyard.source.repositories: required, because there is no usable default. Set the address of your "
     "configuration repository (halgit init creates one), or set global.spinnaker.install to false."),
    ({"halyard": {"source": {"repositories": ["/config"]}}},
     "halyard.source.repositories: /config is not an https, ssh, s3 or vault address. A directory of the pod "
     "cannot be a source."),
    ({"halyard": {"source": {"repositories": ["https://user:secret@git.example.org/config"]}}},
     "halyard.source.repositories: an address contains a password. Remove it and set global.credentials.git."),
    ({"accounts": {"enabled": True, "store": {"url": "https://user:secret@git.example.org/accounts.git"}}},
     "accounts.store.url: an address contains a password. Remove it and set global.credentials.git."),
    ({"global": {"saporGate": {"enabled": True}},
      "configure": {"accountsRepository": "https://user:secret@github.com/org/accounts.git"}},
     "configure.accountsRepository: an address contains a password. Remove it and set global.credentials.git."),
    ({"sapor": {"pipelinePromotion": {"kind": "github", "cloneUrl": "https://user:secret@github.com/org/pipelines"}}},
     "sapor.pipelinePromotion.cloneUrl: an address contains a password. Remove it and set global.credentials.git."),
    ({"halyard": {"source": {"repositories": ["https://a.example.org", "https://b.example.org"], "ref": "main"}}},
     'halyard.source: ref and path are for one repository. With several, write "ADDRESS?ref=REF&path=DIR" for '
     "each."),
    ({"halyard": {"source": {"repositories": ["git@git.example.org:config"]}}},
     "halyard.credentials.sshSecret: required for a source over SSH. Set the name of a Secret with ssh-privatekey "
     "and known_hosts."),
    ({"halyard": {"source": {"repositories": ["vault://secret/hal"]}}},
     "halyard.credentials.vault.address: required for a source in Vault. Set Vault's address."),
    ({"halyard": {"credentials": {"vault": {"address": "https://vault.example.org"}}}},
     "halyard.credentials.vault.role: required with auth kubernetes. Set the role that the pod logs in with."),
    ({"global": {"spinnaker": {"dialect": "opsmx"}, "credentials": {"redis": {"generate": True}}},
      "halyard": {"source": {"variant": "ssh"}}},
     "halyard.source.variant: ssh requires halyard.credentials.sshSecret. Set it, or set variant to token."),
    ({"halyard": {"credentials": {"git": True}}},
     "global.credentials.git: required by halyard and never generated. Set existingSecret or values."),
    ({"halyard": {"mtls": {"enabled": True}}},
     "halyard.mtls: enabled without certificates. Set existingSecret, or certManager.issuer and "
     "certManager.passwordSecret."),
    ({"bootstrap": {"renew": {"schedule": "30 4 * * 1"}}},
     "bootstrap.renew.schedule: there is no certificate to renew without global.controller.enabled. Set that to "
     "true, or remove this value."),
    ({"accounts": {"enabled": True}},
     "accounts.store.url: required. Set where the accounts file is stored, such as "
     "https://git.example.org/org/accounts.git."),
    ({"sapor": {"podLabels": {"app.kubernetes.io/name": "other"}}},
     "sapor.podLabels: app.kubernetes.io/name is part of selectors, which Kubernetes does not let differ from the "
     "pods' labels. Use another label."),
    ({"sapor": {"extraVolumes": [{"name": "config", "emptyDir": {}}]}},
     "sapor.extraVolumes: there is already a volume with the name config. Use another name."),
    ({"sapor": {"extraVolumes": [{"name": "sapor-tmp", "emptyDir": {}}]}},
     "sapor.extraVolumes: there is already a volume with the name sapor-tmp. Use another name."),
    ({"sapor": {"extraVolumes": [{"name": "more", "emptyDir": {}}],
                "extraVolumeMounts": [{"name": "more", "mountPath": "/var/log"}]}},
     "sapor.extraVolumeMounts: something is already mounted at /var/log. Use another path."),
    ({"sapor": {"extraContainers": [{"name": "sapor", "image": "x"}]}},
     "sapor.extraContainers: there is already a container with the name sapor. Use another name."),
    ({"sapor": {"initContainers": [{"name": "wait", "image": "x"}, {"name": "wait", "image": "x"}]}},
     "sapor.initContainers: there is already a container with the name wait. Use another name."),
    ({"sapor": {"resources": {"limits": {"memory": "512Mi"}}}},
     "sapor.resources: the request of memory, 1Gi, is more than the limit 512Mi. Set requests.memory too."),
    ({"sapor": {"resources": {"limits": {"cpu": "100m"}}}},
     "sapor.resources: the request of cpu, 250m, is more than the limit 100m. Set requests.cpu too."),
    ({"global": {"halgit": {"resources": {"limits": {"memory": "8Mi"}}}}}, "Mi, is more than the limit 8Mi."),
    ({"sapor": {"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 2}}},
     "sapor.autoscaling: minReplicas 5 is more than maxReplicas 2. Raise maxReplicas."),
    ({"global": {"managementPort": 8085}},
     "global.managementPort: sapor has another use of port 8085. Set another one."),
    ({"global": CONTROLLER, "controller": {"agent": {"service": {"type": "LoadBalancer"}},
                                           "incomingServices": [{"name": "x", "port": 9002}]}},
     "controller.incomingServices: port 9002 is taken or is no port. Set another port for each service, such as 9010."),
    ({"sapor": {"disruptionBudget": {"enabled": False}}},
     "sapor.disruptionBudget: this value was renamed or removed. Use podDisruptionBudget."),
    ({"bootstrap": {"runOnUpgrade": True}},
     "bootstrap.runOnUpgrade: this value was renamed or removed. Remove it: the job runs at every upgrade and creates "
     "only what is missing."),
    ({"halyard": {"check": {"enabled": True}}},
     "halyard.check: this value was renamed or removed. Use halyard.sync."),
    ({"global": {"networkPolicy": {"apiServerCidrs": ["10.0.0.0/8"]}}},
     "global.networkPolicy.apiServerCidrs: this value was renamed or removed. "
     "Use global.networkPolicy.apiServer.cidrs."),
    ({"global": {"spinnaker": {"dialect": "opsmx"}}},
     "global.credentials.redis: required with dialect opsmx, whose configuration contains the password of oes-redis. "
     "Set existingSecret or values to that password, or set generate to true where the configuration refers to the "
     "Secret isd-redis."),
    ({"global": {"spinnaker": {"dialect": "opsmx", "namespace": "spinnaker"}}},
     "global.spinnaker.namespace: with dialect opsmx Spinnaker runs in the release's namespace, because its "
     "configuration calls ISD's services by short names. Remove it, or set global.spinnaker.dialect to halgit."),
    ({"global": CONTROLLER, "controller": {"agent": {"service": {"type": "LoadBalancer"}}, "image": {"tag": "v4.2.5"}}},
     "controller.image.tag: v4.2.5 is of generation 4 or 5, which does not start with this configuration (it has "
     "agentAuth instead of a CA). Use v3.5.7 or another tag of 3.x."),
    ({"global": CONTROLLER, "exposure": {"kind": "gateway", "gateway": {"name": "public", "passthroughPort": 443}}},
     "controller.agent.advertisePort: agents would connect to port 9001, and gateway exposes port 443. Set it to 443."),
    ({"halyard": {"rbac": {"spinnaker": {"bind": True}}}},
     "halyard.rbac.spinnaker: bind is true without a place. Set namespaces, or set cluster to true."),
    ({"sapor": {"service": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}}},
     "sapor.service: loadBalancerClass and loadBalancerSourceRanges need type LoadBalancer, "
     "and the type is ClusterIP."),
    ({"opa": {"enabled": True, "replicas": 2}},
     "opa.replicas: opa holds state in one place and runs as one pod. Remove this value."),
    ({"pipelinePromotion": {"enabled": True}},
     "pipelinePromotion: organization and repository are required. Set where the pipelines are stored, or set "
     "enabled to false."),
]  # fmt: skip


UNACCEPTABLE: list[tuple[dict[str, Any], str]] = [
    ({"global": {"hosts": {"ui": "ISD.example.org"}}}, "'/global/hosts/ui'"),
    ({"global": {"hosts": {"ui": "https://isd.example.org"}}}, "'/global/hosts/ui'"),
    ({"global": {"hosts": {"controller": "203.0.113.7"}}}, "'/global/hosts/controller'"),
    ({"global": {"hosts": {"controller": "agents.example.org:9001"}}}, "'/global/hosts/controller'"),
    ({"global": {"hosts": {"controller": "*.example.org"}}}, "'/global/hosts/controller'"),
    ({"global": {"networkPolicy": {"externalCidrs": ["10.0.0.1"]}}}, "'/global/networkPolicy/externalCidrs/0'"),
    ({"global": {"networkPolicy": {"apiServer": {"cidrs": ["fd00::1"]}}}}, "'/global/networkPolicy/apiServer/cidrs/0'"),
    ({"oes-db": {"persistence": {"size": "8GB"}}}, "'/persistence/size'"),
    ({"oes-db": {"persistence": {"size": "2 GB"}}}, "'/persistence/size'"),
    ({"sapor": {"resources": {"limits": {"memory": "2 GB"}}}}, "'/resources/limits/memory'"),
    ({"sapor": {"tolerations": [{"key": "a", "operator": "Exist"}]}}, "'/tolerations/0/operator'"),
    ({"sapor": {"podLabels": {"a": "not a label"}}}, "'/podLabels/a'"),
    ({"sapor": {"image": {"tag": "v1 2"}}}, "'/image/tag'"),
    ({"sapor": {"x509": {"existingSecret": "DB_Login"}}}, "'/x509/existingSecret'"),
    ({"bootstrap": {"renew": {"schedule": "every day"}}}, "'/bootstrap/renew/schedule'"),
    ({"pipelinePromotion": {"gitToken": {"name": "Git_Token"}}}, "'/pipelinePromotion/gitToken/name'"),
]
"""What the API server refuses, each at the one place where it is."""


@pytest.mark.parametrize(("values", "place"), UNACCEPTABLE, ids=lambda value: str(value)[:70])
def test_what_kubernetes_would_refuse_is_refused_once_by_the_schema(
    texts: Texts, values: dict[str, Any], place: str
) -> None:
    message = refusal(texts, "isd", over(HOSTS, values))
    assert message.count(f"at {place}") == 1, message
    assert message.count("- at '") == 1, message


@pytest.mark.parametrize("name", ["1isd", "my.isd"])
def test_a_release_that_cannot_name_a_service_is_refused(vendored: Callable[[str], Path], name: str) -> None:
    with Chart.load(vendored("isd")) as chart, pytest.raises(HelmError) as caught:
        chart.render(HOSTS, name=name, namespace="isd-ns")
    assert f"The release name {name} cannot begin the name of a Service" in str(caught.value)


def test_secrets_are_no_plain_parameters(texts: Texts) -> None:
    """Every token of the opsmx dialect that is a secret; in the other dialect names are the source's own."""
    tokens = json.loads((ROOT / "halgit" / "halyard" / "tables" / "opsmx_tokens.json").read_text())
    secret = [name for name, token in tokens.items() if token["secret"]]
    assert "GIT_TOKEN" in secret
    for name in secret:
        opsmx = {"parameters": {name: "canary"}, "global": {"spinnaker": {"dialect": "opsmx"}}}
        message = refusal(texts, "halyard", over(ALONE["halyard"], opsmx))
        assert (
            f"halyard.parameters.{name}: this is a secret, and the pod's specification would show it. "
            f"Set halyard.secretParameters.{name} instead." in message
        )
        assert "canary" not in message
    own = {"parameters": {"KEY": "a key of the source's own"}}
    assert texts("halyard", over(ALONE["halyard"], own))


@pytest.mark.parametrize(("values", "words"), IMPOSSIBLE, ids=lambda value: str(value)[:60])
def test_what_cannot_work_is_refused_with_a_hint(texts: Texts, values: dict[str, Any], words: str) -> None:
    message = refusal(texts, "isd", over(HOSTS, values))
    assert words in message
    assert "secret@" not in message


def test_a_wrapping_chart_may_have_globals_of_its_own(vendored: Callable[[str], Path], tmp_path: Path) -> None:
    """Only at the root of a release is an unknown global a slip."""
    isd = vendored("isd")
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "isd").symlink_to(isd)
    (tmp_path / "Chart.yaml").write_text(
        "apiVersion: v2\nname: company\nversion: 1.0.0\ndependencies:\n- {name: isd, version: 0.2.0, repository: ''}\n"
    )
    values = over(HOSTS, {"global": {"other": 1, "credentials": {"database": {"values": {"password": "a-password"}}}}})
    with Chart.load(tmp_path) as chart:
        rendered = chart.render({**values, "isd": {"halyard": values["halyard"]}}, name="isd", namespace="isd-ns")
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
    assert "Use a shorter name for the release." in str(caught.value)
