"""The manifest that connects a remote cluster: the controller's agent with its identity and its rights. Pure.

A person applies it there. The services of the agent are a ConfigMap of their own, which `kubectl create` creates once:
applying the manifest again changes the identity and never the services. A checksum restarts the pods when the identity
changes. Rights are those of one namespace, or of the cluster on request.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from halgit import yaml as hyaml
from halgit.accounts.credentials import expires
from halgit.errors import AccountError, UsageError
from halgit.pipeline import Value
from halgit.record import Record

IMAGE: Final = "quay.io/opsmxpublic/forwarder-agent"
_PREFIX: Final = "opsmx-agent-"
_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_TYPE: Final = re.compile(r"[a-z0-9]+")
_TAG: Final = re.compile(r"[A-Za-z0-9_][-.\w]{0,127}")
_LONGEST_LABEL: Final = 63
_RULES: Final[list[Value]] = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
_UNKNOWN: Final = "latest"
_UNNAMED: Final = b"""\
# The controller does not name the version of its agent, so the image has the tag latest.
# Replace it by the controller's version, or write the manifest with --agent-tag.
"""
_RBAC: Final = "rbac.authorization.k8s.io"


class AgentManifest(Record):
    """The settings of an agent. `endpoints` are the names and types of its services; without a `tag` the image has the
    controller's own version. With `cluster_wide` it may do everything in the cluster, else in its namespace."""

    name: str
    namespace: str
    endpoints: tuple[tuple[str, str], ...] = (("kubernetes", "kubernetes"),)
    image: str = IMAGE
    tag: str = ""
    replicas: int = 1
    cluster_wide: bool = False


def check_agent(agent: AgentManifest) -> None:
    """Raise UsageError with every name that Kubernetes or the controller would refuse."""
    faults = list(_name_faults(agent))
    if faults:
        raise UsageError(
            f"The manifest of agent {agent.name} cannot be written: {'; '.join(faults)}.", "Correct the names."
        )


def _name_faults(agent: AgentManifest) -> Iterator[str]:
    longest = _LONGEST_LABEL - len(_PREFIX)
    if not _LABEL.fullmatch(agent.name) or len(agent.name) > longest:
        yield f"the agent's name is not at most {longest} lower case letters, digits and dashes"
    if not _LABEL.fullmatch(agent.namespace) or len(agent.namespace) > _LONGEST_LABEL:
        yield f"{agent.namespace!r} is not a namespace"
    if not agent.endpoints:
        yield "it has no endpoint"
    names = [name for name, _ in agent.endpoints]
    for name, type in agent.endpoints:
        if not name.strip() or names.count(name) > 1:
            yield f"the endpoint {name!r} is empty or duplicate"
        if not _TYPE.fullmatch(type):
            yield f"the endpoint type {type!r} is not lower case letters and digits"
    if agent.tag and not _TAG.fullmatch(agent.tag):
        yield f"{agent.tag!r} is not an image tag"


def write_manifest(agent: AgentManifest, components: Mapping[str, str]) -> bytes:
    """Return the objects as one YAML text, which holds a private key.

    Raises AccountError for a controller that is too new.
    """
    if not components.get("agentCertificate"):
        raise AccountError(
            "This controller issues tokens to its agents (generation 5); halgit writes manifests for agents with"
            " certificates.",
            "Use the manifest that came with the controller.",
        )
    text = b"---\n".join(hyaml.dump(each) for each in _objects(agent, components))
    return text if _image_tag(agent, components) != _UNKNOWN else _UNNAMED + text


def write_services(agent: AgentManifest) -> bytes:
    """Return the ConfigMap of the agent's services, which the cluster's owner may change afterwards."""
    services: list[Value] = [{"name": name, "type": type, "enabled": True} for name, type in agent.endpoints]
    return hyaml.dump(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": _metadata(agent, f"opsmx-services-{agent.name}"),
            "data": {"services.yaml": hyaml.dump({"outgoingServices": services}).decode()},
        }
    )


def _labels(agent: AgentManifest) -> dict[str, Value]:
    return {
        "app": _PREFIX + agent.name,
        "agent.opsmx.com/name": agent.name,
        "agent.opsmx.com/role": "agent",
        "app.kubernetes.io/name": "opsmx-agent",
        "app.kubernetes.io/instance": agent.name,
    }


def _metadata(agent: AgentManifest, name: str) -> dict[str, Value]:
    return {"name": name, "namespace": agent.namespace, "labels": _labels(agent)}


def _objects(agent: AgentManifest, components: Mapping[str, str]) -> list[dict[str, Value]]:
    name = _PREFIX + agent.name
    host = f"{components['serverHostname']}:{components.get('serverPort', '9001')}"
    config = hyaml.dump({"controllerHostname": host, "caCert64": components["caCert"]}).decode()
    secret: dict[str, Value] = {"tls.crt": components["agentCertificate"], "tls.key": components["agentKey"]}
    digest = hashlib.sha256(json.dumps([config, components["agentCertificate"]]).encode()).hexdigest()
    notes: dict[str, Value] = {"halgit/identity": digest, "halgit/expires": expires(components["agentCertificate"])}
    meta = _metadata(agent, name)
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": agent.namespace}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        *_role(agent),
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {**meta, "annotations": {"halgit/expires": notes["halgit/expires"]}},
            "type": "kubernetes.io/tls",
            "data": secret,
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"config.yaml": config}},
        _deployment(agent, components, notes),
    ]


def _role(agent: AgentManifest) -> Iterator[dict[str, Value]]:
    name = _PREFIX + agent.name
    kind = "ClusterRole" if agent.cluster_wide else "Role"
    own = f"{agent.namespace}-{name}" if agent.cluster_wide else name
    meta: dict[str, Value] = {"name": own, "labels": _labels(agent)}
    if not agent.cluster_wide:
        meta = _metadata(agent, own)
    yield {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": meta, "rules": _RULES}
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": meta,
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": own},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": agent.namespace}],
    }


def _deployment(
    agent: AgentManifest, components: Mapping[str, str], annotations: Mapping[str, Value]
) -> dict[str, Value]:
    name = _PREFIX + agent.name
    pod: dict[str, Value] = {
        "serviceAccountName": name,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(f"{agent.image}:{_image_tag(agent, components)}")],
        "volumes": [
            {"name": "identity", "secret": {"secretName": name}},
            {"name": "config", "configMap": {"name": name}},
            {"name": "services", "configMap": {"name": f"opsmx-services-{agent.name}"}},
        ],
    }
    template = {"metadata": {"labels": _labels(agent), "annotations": dict(annotations)}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(agent, name),
        "spec": {"replicas": agent.replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


def _image_tag(agent: AgentManifest, components: Mapping[str, str]) -> str:
    return agent.tag or components.get("agentVersion") or _UNKNOWN


def _container(image: str) -> dict[str, Value]:
    return {
        "name": "agent",
        "image": image,
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
            _mount("identity", "/app/secrets/agent"),
            _mount("config", "/app/config/config.yaml", "config.yaml"),
            _mount("services", "/app/config/services.yaml", "services.yaml"),
        ],
    }


def _mount(volume: str, path: str, sub: str = "") -> dict[str, Value]:
    return {"name": volume, "mountPath": path, "readOnly": True, **({"subPath": sub} if sub else {})}
