"""The rule on parts of pods that Halyard hands to Kubernetes as they are: init containers, host aliases, tolerations.

The fields are those of the Kubernetes API. `kubectl apply` refuses a Deployment with others, or without required ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from halgit.annotations import Final
from halgit.halyard.coercion import coerce_enum
from halgit.pipeline import EMPTY
from halgit.record import Record
from halgit.text.phrases import join_words, suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.deployment import environment
from halgit.validation.rules.environment import is_service
from halgit.validation.rules.fields import empty, text
from halgit.validation.view import Node, View


class Fields(Record):
    """The fields of an object of the Kubernetes API; those below a field are in `parts`, as a mapping or list items."""

    what: str
    known: frozenset[str]
    required: tuple[str, ...] = ()
    parts: Mapping[str, Fields] = EMPTY


def _fields(what: str, known: str, *required: str, **parts: Fields) -> Fields:
    return Fields(what, frozenset((*known.split(), *required, *parts)), required, parts)


_PROBE: Final = _fields(
    "a probe", "exec grpc initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold"
    " terminationGracePeriodSeconds",
    httpGet=_fields("httpGet", "host path scheme httpHeaders", "port"),
    tcpSocket=_fields("tcpSocket", "host", "port"),
)  # fmt: skip
_CONTAINER: Final = _fields(
    "a container", "command args workingDir resizePolicy restartPolicy restartPolicyRules volumeDevices lifecycle"
    " terminationMessagePath terminationMessagePolicy imagePullPolicy stdin stdinOnce tty",
    "name", "image",
    ports=_fields("a port", "hostIP hostPort name protocol", "containerPort"),
    envFrom=_fields("envFrom", "configMapRef prefix secretRef"),
    env=_fields("a variable", "value valueFrom", "name"),
    resources=_fields("resources", "claims limits requests"),
    volumeMounts=_fields(
        "a volume mount", "mountPropagation readOnly recursiveReadOnly subPath subPathExpr", "name", "mountPath"
    ),
    livenessProbe=_PROBE, readinessProbe=_PROBE, startupProbe=_PROBE,
    securityContext=_fields(
        "a security context", "allowPrivilegeEscalation appArmorProfile privileged procMount readOnlyRootFilesystem"
        " runAsGroup runAsNonRoot runAsUser seLinuxOptions seccompProfile windowsOptions",
        capabilities=_fields("capabilities", "add drop"),
    ),
)  # fmt: skip
_LISTS: Final = {"initContainers": _CONTAINER, "hostAliases": _fields("a host alias", "hostnames", "ip")}


def _pod_fields(view: View) -> Iterator[Hit]:
    for map_, fields in _LISTS.items():
        for service, entry in environment(view).entries(map_):
            for item in entry.items() if is_service(service) else ():
                yield from _faults(item, fields, f"{map_} of {service}")
    yield from _tolerations(view)


def _faults(node: Node, fields: Fields, where: str) -> Iterator[Hit]:
    if not isinstance(node.value, dict):
        return
    gone = [key for key in fields.required if empty(node, key)]
    if gone:
        whose = f"Item {node.path[-1] + 1} of {where}" if isinstance(node.path[-1], int) else where
        yield Hit(node.path, f"{whose} has no {join_words(gone)}, which Kubernetes requires.", hint=_set(gone))
    for key, below in node.entries():
        if key not in fields.known:
            hint = suggest_nearest(key, fields.known, "Remove it.")
            message = f"{key} in {where} is not a field of {fields.what}; Kubernetes refuses the pod."
            yield Hit(below.path, message, hint=hint)
        elif key in fields.parts:
            for part in (below, *below.items()):
                yield from _faults(part, fields.parts[key], f"{key} of {where}")


def _set(keys: Iterable[str]) -> str:
    return f"Set {join_words(keys)}."


_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def _tolerations(view: View) -> Iterator[Hit]:
    for service, entry in environment(view).entries("tolerations"):
        for item in entry.items() if is_service(service) else ():
            for message, hint in _faults_of_toleration(item):
                yield Hit(item.path, f"Item {int(item.path[-1]) + 1} of tolerations of {service} {message}.", hint=hint)


def _faults_of_toleration(item: Node) -> Iterator[tuple[str, str]]:
    """Yield what the API server refuses in a toleration."""
    operator = coerce_enum(item.get("operator"), "node.Toleration.Operator")
    exists = operator == "Exists"
    effect = text(item, "effect")
    if not isinstance(item.value, dict):
        return
    if empty(item, "key") and not exists:
        yield "has no key, which needs the operator Exists", "Set key, or operator: Exists."
    if exists and not empty(item, "value"):
        yield "has the operator Exists and a value", "Remove the value."
    if operator == "DoesNotExist":
        yield "has the operator DoesNotExist, which Kubernetes refuses", "Write Exists or Equal."
    if effect and effect not in _EFFECTS:
        yield f"has the effect {effect}, which Kubernetes refuses", suggest_nearest(effect, _EFFECTS, "Correct it.")


RULES = (Rule("deployment-environment/pod-field", _pod_fields),)
