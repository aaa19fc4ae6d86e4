"""`halgit sync`: keeps the tree and the running Spinnaker equal to the repository; once, or as a loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from halgit.cli.commands import GroupWithOptions
from halgit.cli.declarations import Seconds, combine, option
from halgit.cli.options import (
    OUTPUT,
    SOURCE,
    VALIDATION,
    access_options,
    fail_on_option,
    format_option,
    log_options,
    source_options,
    trust_options,
)
from halgit.cli.output import Output
from halgit.remotes.halyard import ADDRESS, SEVERITIES

DEPLOY: Final = "Deploy"
WHEN: Final = "When"
REPORT: Final = "Reports and replicas"

_RENDER = combine(
    [
        option("--out", default=".hal", show_default=True, type=click.Path(path_type=Path), help="Tree to write."),
        option("--secrets", type=click.Choice(["resolve", "native"]), default="resolve", show_default=True,
               help="resolve: read all secrets. native: keep references that Spinnaker itself decrypts."),
        option("--locked", is_flag=True, group=SOURCE, help="Render the revisions of halgit.lock."),
        option("--no-validate", is_flag=True, group=VALIDATION,
               help="Skip the rules; merge, parameter and reference errors still count."),
        option("--group-access", is_flag=True, group=OUTPUT,
               help="Let the group read and write the tree (0660, 2770)."),
        option("--wait", type=Seconds(0), default=60.0, show_default=True, metavar="SECONDS", group=OUTPUT,
               help="Timeout for another run on the same tree."),
        option("--daemon-config", type=click.Path(path_type=Path), metavar="DIR", group=OUTPUT,
               help="Also write halyard.yml and halyard-local.yml to this folder."),
        option("--halyard-address", default="", metavar="HOST", group=OUTPUT,
               help="Address the Halyard daemon listens on."),
        option("--state-file", type=click.Path(path_type=Path), metavar="FILE", group=OUTPUT,
               help="File that remembers what was deployed. Default: NAME.sync.json beside the tree."),
    ]
)  # fmt: skip
_DEPLOY = combine(
    [
        option("--halyard-url", default=ADDRESS, show_default=True, metavar="URL", group=DEPLOY,
               help="Address of Halyard's API."),
        option("--deployment", default="", metavar="NAME", group=DEPLOY,
               help="Deployment to deploy. Default: the one that the repository names."),
        option("--severity", type=click.Choice(SEVERITIES), default="WARNING", show_default=True, group=DEPLOY,
               help="Highest severity of Halyard's problems that does not stop a deploy."),
        option("--full", is_flag=True, group=DEPLOY,
               help="Deploy all services, at the start and on each change. Default: those that a change affects."),
        option("--delete-orphaned-services", is_flag=True, group=DEPLOY,
               help="With a deploy of all services, delete those that are disabled."),
        option("--completion-minutes", type=click.IntRange(0, 1440), default=0, metavar="MINUTES", group=DEPLOY,
               help="Let Halyard wait this long for the pods of each service. Default: do not wait."),
        option("--attempts", type=click.IntRange(1, 100), default=3, show_default=True, group=DEPLOY,
               help="Deploys of one tree before it is given up (--once) or rolled back (--rollback)."),
        option("--rollback", is_flag=True, group=DEPLOY,
               help="After that many failed deploys, render the last good revision again and deploy it."),
        option("--self-heal", is_flag=True, group=DEPLOY,
               help="Correct drift: a tree that was changed, or a deploy that halgit did not start."),
        option("--halyard-wait", type=Seconds(1), default=300.0, show_default=True, metavar="SECONDS", group=DEPLOY,
               help="Timeout for Halyard to answer after a start."),
        option("--deploy-timeout", type=Seconds(1), default=2400.0, show_default=True, metavar="SECONDS",
               group=DEPLOY, help="Timeout of a deploy; halgit interrupts it then."),
        option("--poll", type=Seconds(0.01), default=1.5, show_default=True, metavar="SECONDS", group=DEPLOY,
               help="Interval of the questions about a running deploy."),
    ]
)  # fmt: skip
_WHEN = combine(
    [
        option("--once", is_flag=True, help="Do everything that is due, then exit."),
        option("--interval", type=Seconds(0.05), default=60.0, show_default=True, metavar="SECONDS", group=WHEN,
               help="Time between two looks at the sources."),
        option("--retry", type=Seconds(0.1), default=10.0, show_default=True, metavar="SECONDS", group=WHEN,
               help="Pause after a failure; it doubles with each further failure, up to 15 minutes."),
        option("--refresh", type=Seconds(0), default=3600.0, show_default=True, metavar="SECONDS", group=WHEN,
               help="Render this often without a change, so that rotated secrets are deployed; 0: never."),
        option("--suspend", "suspend_file", type=click.Path(path_type=Path), metavar="FILE", group=WHEN,
               help="Publish and deploy nothing while this file exists."),
        option("--window", "windows", multiple=True, metavar="WINDOW", group=WHEN,
               help="Publish and deploy only in this window, such as 'Mon-Fri 09:00-17:00 Europe/Berlin'; repeatable."),
        option("--plan-only", is_flag=True, group=WHEN,
               help="Publish and deploy nothing; show what would be deployed."),
    ]
)  # fmt: skip

_REPORT = combine(
    [
        option("--listen", default="", metavar="HOST:PORT", group=REPORT,
               help="Serve /livez, /readyz, /metrics, /status and /webhook there; needs the server extra."),
        option("--webhook-listen", default="", metavar="HOST:PORT", group=REPORT,
               help="Serve /webhook there instead, apart from probes and metrics."),
        option("--webhook-secret-file", default="", metavar="FILE", group=REPORT,
               help="Secrets of webhooks, one a line, of GitHub, GitLab, Bitbucket or Gitea."),
        option("--commit-status", default="", metavar="NAME", group=REPORT,
               help="Set a status of this name on each commit."),
        option("--require-check", "required_checks", multiple=True, metavar="NAME", group=WHEN,
               help="Publish and deploy only commits whose check of this name is green; repeatable."),
        option("--forge", type=click.Choice(["github", "gitlab", "bitbucket", "gitea"]), group=REPORT,
               help="Kind of the git server. Default: by its host name."),
        option("--forge-api", default="", metavar="URL", group=REPORT, help="Address of the git server's API."),
        option("--forge-token-file", default="", metavar="FILE", group=REPORT,
               help="Token for statuses and checks. Default: the git token."),
        option("--notify-url-file", default="", metavar="FILE", group=REPORT,
               help="File with a URL that gets each event as JSON; Slack shows its text."),
        option("--namespace", default="", metavar="NS", group=REPORT,
               help="Namespace of the objects below. Default: that of the pod."),
        option("--status-config-map", default="", metavar="NAME", group=REPORT,
               help="ConfigMap for the status and a condition; its annotation halgit.opsmx.io/suspend suspends."),
        option("--pod-name", default="", metavar="NAME", group=REPORT, help="Pod that Kubernetes Events are about."),
        option("--pod-uid", default="", metavar="UID", group=REPORT, help="UID of that pod."),
        option("--lease", default="", metavar="NAME", group=REPORT,
               help="Act only while holding this Lease; other replicas stand by."),
        option("--identity", default="", metavar="NAME", group=REPORT,
               help="Name of this replica in the Lease. Default: --pod-name."),
    ]
)  # fmt: skip


@click.group("sync", cls=GroupWithOptions)
@_WHEN
@source_options
@_RENDER
@trust_options
@access_options
@fail_on_option()
@_DEPLOY
@_REPORT
@format_option()
@log_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Keep the tree and the running Spinnaker equal to the repository.

    A change of the repository is rendered and validated, published, and deployed through Halyard's API. Only services
    that it affects are deployed. A change that fails validation never touches the tree.

    Without --once, halgit watches the sources until it is stopped; SIGUSR1 starts a full round at once.

    \b
    Examples:
      halgit sync --repo https://git.example.com/ops/spinnaker.git --overlay prod --out /home/spinnaker/.hal
      halgit sync --once --repo https://git.example.com/ops/spinnaker.git --overlay prod --out /home/spinnaker/.hal
      halgit sync --once --repo . --overlay prod --out /home/spinnaker/.hal --plan-only
    """
    if ctx.invoked_subcommand is not None:
        return
    from halgit.cli.sync_parts import SyncParts

    output: Output = ctx.obj
    options["validate"] = not options.pop("no_validate")
    with SyncParts(options, output) as parts:
        if options["once"]:
            parts.run_once()
        else:
            parts.run()


@command.command("status")
@option("--address", default="http://127.0.0.1:9105", show_default=True, metavar="URL", help="Where sync listens.")
@access_options
@format_option()
@log_options
@click.pass_obj
def status(output: Output, /, **options: Any) -> None:
    """Show what a running sync does and did.

    \b
    Examples:
      halgit sync status
      halgit sync status --address http://spin-halyard:9105 --format json
    """
    from halgit.cli.settings import access_settings
    from halgit.remotes.http import WebService
    from halgit.report.sync_status import format_status

    output.json = options["format"] == "json"
    access = access_settings(options, output)
    web = WebService(access, "sync", options["address"], {})
    try:
        found = web.get("/status")
    finally:
        web.close()
        access.cache.close()
    if output.json:
        output.answer(found)
    else:
        output.result(format_status(found))
