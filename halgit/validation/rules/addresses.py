"""Rules on the `services` section of profiles: addresses inside the cluster that no service of Spinnaker answers."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from halgit.halyard import services
from halgit.halyard.coercion import coerce_boolean, coerce_integer
from halgit.pipeline import Severity
from halgit.text.phrases import suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.view import Node, View


def _no_answer(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        name = str(deployment.get("name"))
        for file, document in view.documents("profiles"):
            if not file.path.startswith(f"{name}/"):
                continue
            for _, entry in document.entries("services"):
                address = _split(entry.get("baseUrl"))
                if address is not None and coerce_boolean(entry.get("enabled")) is not False:
                    wrong = _wrong(view, deployment, address)
                    if wrong:
                        yield Hit(entry.at("baseUrl"), wrong[0], file.path, wrong[1])


def _split(value: object) -> SplitResult | None:
    """An address of Spinnaker's own, `spin-<service>`, taken apart; None for all others."""
    if not isinstance(value, str) or "spin-" not in value:
        return None
    try:
        split = urlsplit(value)
        return split if (split.hostname or "").startswith("spin-") and split.port != 0 else None
    except ValueError:
        return None


def _wrong(view: View, deployment: Node, address: SplitResult) -> tuple[str, str] | None:
    """Why nothing answers at an address, and the next step; None where something does, or nobody can say."""
    host, *rest = (address.hostname or "").split(".")
    if rest and rest[0] != deployment.get("deploymentEnvironment", "location"):
        return None
    service, running = host.removeprefix("spin-"), view.running[str(deployment.get("name"))]
    if service not in services.SERVICES:
        hint = suggest_nearest(host, [f"spin-{name}" for name in running], "Write the name of a service that runs.")
        return f"No service of Spinnaker is called {host}.", hint
    settings = Node((), view.settings(str(deployment.get("name"))).get(service))
    if settings.get("overrideBaseUrl") or coerce_boolean(settings.get("skipLifeCycleManagement")):
        return None
    if service not in running:
        parts = [f"spin-{name}" for name in services.list_family(service) if name in running]
        hint = f"Write one of {', '.join(parts)}." if parts else "Take the address out, or enable the service."
        return f"{service} does not run in this deployment, so nothing answers at {host}.", hint
    port = coerce_integer(settings.get("port"), 32) if settings.get("port") is not None else services.get_port(service)
    if address.port is not None and port is not None and address.port != port:
        return f"{host} listens on port {port}, not on {address.port}.", f"Write {host}:{port}."
    return None


RULES = (
    Rule(
        id="profiles/no-answer",
        severity=Severity.WARNING,
        summary="A profile sends a service to an address that no service of Spinnaker answers.",
        halyard="Halyard makes a Kubernetes Service spin-<service> for each service that runs, and copies profiles.",
        impact="Calls to the address fail while Spinnaker runs.",
        fix="Write the address of a service that runs.",
        check=_no_answer,
    ),
)
