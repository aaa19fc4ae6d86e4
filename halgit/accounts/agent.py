"""The manifest that makes a remote cluster reachable: the controller's agent with its identity and its rights. Pure.

A person applies it there. The services it offers stand in a ConfigMap of its own, so that they can be changed without
the manifest; a checksum rolls the pods when the identity changes. Rights are those of one namespace, or of the
cluster where that is asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from halgit import yaml as hyaml
from halgit.errors import AccountError
from halgit.pipeline import Value
from halgit.record import Record

IMAGE: Final = "quay.io/opsmxpublic/forwarder-agent"
_DEPLOYS: Final[list[Value]] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
]


class Agent(Record):
    """What a person chooses of an agent. `endpoint` is the name kubeconfigs are made for; no `tag` takes the
    controller's own version. With `cluster_wide` it may do everything in the cluster, else in its namespace."""

    name: str
    namespace: str
    endpoint: str = "kubernetes"
    image: str = IMAGE
    tag: str = ""
    replicas: int = 1
    cluster_wide: bool = False


def manifest(agent: Agent, components: Mapping[str, str]) -> bytes:
    """The objects as one YAML text, which holds a private key. Raises AccountError for a controller too new."""
    if not components.get("agentCertificate"):
        raise AccountError(
            "This controller gives its agents tokens (generation 5); halgit writes manifests for agents with "
            "certificates.",
            "Use the manifest that came with the controller.",
        )
    objects = _objects(agent, components)
    return b"---\n".join(hyaml.dump(each) for each in objects)


def _objects(agent: Agent, components: Mapping[str, str]) -> list[dict[str, Value]]:
    name = f"opsmx-agent-{agent.name}"
    labels: dict[str, Value] = {
        "app": name,
        "agent.opsmx.com/name": agent.name,
        "agent.opsmx.com/role": "agent",
        "app.kubernetes.io/name": "opsmx-agent",
        "app.kubernetes.io/instance": agent.name,
    }

    def meta(own: str) -> dict[str, Value]:
        return {"name": own, "namespace": agent.namespace, "labels": dict(labels)}

    host = f"{components['serverHostname']}:{components.get('serverPort', '9001')}"
    config = hyaml.dump({"controllerHostname": host, "caCert64": components["caCert"]}).decode()
    services = hyaml.dump(
        {"outgoingServices": [{"name": agent.endpoint, "type": "kubernetes", "enabled": True}]}
    ).decode()
    secret = {"tls.crt": components["agentCertificate"], "tls.key": components["agentKey"]}
    digest = hashlib.sha256(json.dumps([config, secret], sort_keys=True).encode()).hexdigest()
    kind, group = ("ClusterRole", True) if agent.cluster_wide else ("Role", False)
    own = f"{agent.namespace}-{name}" if group else name
    role_meta: dict[str, Value] = {"name": own, "labels": dict(labels)} if group else meta(own)
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(name)},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": role_meta, "rules": _DEPLOYS},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": f"{kind}Binding",
            "metadata": role_meta,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": own},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": agent.namespace}],
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta(name), "type": "kubernetes.io/tls", "data": secret},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name), "data": {"config.yaml": config}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta(f"opsmx-services-{agent.name}"),
            "data": {"services.yaml": services},
        },
        _deployment(agent, components, meta(name), labels, digest),
    ]


def _deployment(
    agent: Agent, components: Mapping[str, str], meta: Mapping[str, Value], labels: Mapping[str, Value], digest: str
) -> dict[str, Value]:
    name = f"opsmx-agent-{agent.name}"
    tag = agent.tag or components.get("agentVersion", "")
    if not tag or tag == "latest":
        raise AccountError("The controller does not say which version of the agent fits it.", "Give --agent-tag.")

    def mount(volume: str, path: str, sub: str = "") -> dict[str, Value]:
        return {"name": volume, "mountPath": path, "readOnly": True, **({"subPath": sub} if sub else {})}

    container: dict[str, Value] = {
        "name": "agent",
        "image": f"{agent.image}:{tag}",
        "env": [{"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
        "resources": {
            "requests": {"cpu": "100m", "memory": "64Mi"},
            "limits": {"cpu": "250m", "memory": "128Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            mount("identity", "/app/secrets/agent"),
            mount("config", "/app/config/config.yaml", "config.yaml"),
            mount("services", "/app/config/services.yaml", "services.yaml"),
        ],
    }
    pod: dict[str, Value] = {
        "serviceAccountName": name,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [
            {"name": "identity", "secret": {"secretName": name}},
            {"name": "config", "configMap": {"name": name}},
            {"name": "services", "configMap": {"name": f"opsmx-services-{agent.name}"}},
        ],
    }
    template = {"metadata": {"labels": dict(labels), "annotations": {"halgit/identity": digest}}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": dict(meta),
        "spec": {"replicas": agent.replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    }
