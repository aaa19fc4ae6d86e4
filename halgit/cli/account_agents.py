"""Commands of `halgit accounts` that ask the controller: its agents, their manifests, logins of their services."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from halgit import publish
from halgit.cli.account_parts import CONTROLLING, require_controller
from halgit.cli.commands import Command
from halgit.cli.declarations import option
from halgit.cli.output import Output
from halgit.record import to_dict
from halgit.report.tables import table

if TYPE_CHECKING:
    from halgit.accounts.manifests import AgentManifest


@click.command("agents", cls=Command)
@CONTROLLING
@click.pass_obj
def agents(output: Output, /, **options: Any) -> None:
    """List the agents that are connected to the controller, with their endpoints and their last ping.

    \b
    Example:
      halgit accounts agents --controller-url https://controller:9003 --controller-ca-file ca.crt \\
          --controller-cert-file tls.crt --controller-key-file tls.key
    """
    found = require_controller(output, options).list_agents()
    if output.json:
        output.answer({"agents": [to_dict(agent) for agent in found]})
        return
    rows = []
    for agent in found:
        names = [f"{e.name} ({e.type}{'' if e.is_configured else ', not configured'})" for e in agent.endpoints]
        ping = "" if agent.last_ping is None else f"{agent.last_ping:.0f} s ago"
        rows.append([agent.name, agent.version, ping, ", ".join(names)])
    output.result(table(["agent", "version", "last ping", "endpoints"], rows) if rows else "No agent is connected.")


@click.command("service-credentials", cls=Command)
@click.argument("agent")
@click.argument("name")
@option("--type", "type_", required=True, metavar="TYPE", help="Type of the service, such as jenkins or aws.")
@option("--output", "target", required=True, metavar="FILE", help="File to write, 0600; - for standard output.")
@CONTROLLING
@click.pass_obj
def service_credentials(output: Output, /, agent: str, name: str, type_: str, target: str, **options: Any) -> None:
    """Have the controller issue a login for a service behind an agent. It is secret and cannot be revoked.

    \b
    Example:
      halgit accounts service-credentials shop jenkins --type jenkins --output login.json --controller-url URL \\
          --controller-ca-file ca.crt --controller-cert-file tls.crt --controller-key-file tls.key
    """
    from halgit.accounts.credentials import check_login

    controller = require_controller(output, options)
    _check_target(target)
    credentials = controller.service_credentials(agent, name, type_)
    check_login(credentials, agent)
    _write(output, target, json.dumps(dict(credentials), indent=1).encode() + b"\n", "")


@click.command("manifest", cls=Command)
@click.argument("agent")
@option("--namespace", required=True, help="Namespace of the agent in the remote cluster.")
@option("--endpoint", "endpoints", multiple=True, metavar="NAME[:TYPE]",
        help="A service of the agent; kubernetes unless given.")  # fmt: skip
@option("--agent-image", default="", help="Image of the agent, without a tag.")
@option("--agent-tag", default="", help="Tag of the image, if not the version that the controller names.")
@option("--replicas", type=click.IntRange(1, 9), default=1, show_default=True, help="Pods of the agent.")
@option("--cluster-wide", is_flag=True, help="Give the agent all rights in the cluster, not in one namespace.")
@option("--services", is_flag=True, help="Write the ConfigMap of the agent's services instead, to be created once.")
@option("--output", "target", required=True, metavar="FILE", help="File to write, 0600; - for standard output.")
@CONTROLLING
@click.pass_obj
def manifest(output: Output, /, services: bool, target: str, **options: Any) -> None:
    """Write the manifest of an agent with a new identity. It holds a private key.

    The services of the agent are a ConfigMap of their own, written with --services: create it once, then change it in
    the cluster. Applying the manifest again leaves it as it is.

    \b
    Example:
      halgit accounts manifest shop-cluster --namespace opsmx --output agent.yaml \\
          --controller-url https://controller:9003 --controller-ca-file ca.crt \\
          --controller-cert-file tls.crt --controller-key-file tls.key
    """
    from halgit.accounts.manifests import check_agent, write_services
    from halgit.accounts.service import build_manifest

    wanted = _agent_manifest(options)
    if services:
        check_agent(wanted)
        _write(output, target, write_services(wanted), f"Create it once: kubectl create -f {target}")
        return
    controller = require_controller(output, options)
    _check_target(target)
    text = build_manifest(controller, wanted)
    _write(output, target, text, f"Apply it in the remote cluster: kubectl apply -f {target}")


def _agent_manifest(options: dict[str, Any]) -> AgentManifest:
    from halgit.accounts.manifests import IMAGE, AgentManifest

    pairs = [text.partition(":") for text in options["endpoints"]]
    return AgentManifest(
        options["agent"],
        options["namespace"],
        tuple((name, type or "kubernetes") for name, _, type in pairs) or (("kubernetes", "kubernetes"),),
        options["agent_image"] or IMAGE,
        options["agent_tag"],
        options["replicas"],
        options["cluster_wide"],
    )


def _check_target(target: str) -> None:
    """Raise PublishError before anything is issued if the file could not be written afterwards."""
    if target != "-":
        publish.check_file(Path(target))


def _write(output: Output, target: str, text: bytes, next_step: str) -> None:
    """Write a secret file for its owner alone, or to standard output."""
    if target == "-":
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        return
    publish.write_file(Path(target), text, mode=0o600)
    output.result(f"Wrote {target}. {next_step}".rstrip())


AGENT_COMMANDS: Final = (agents, service_credentials, manifest)
