"""`halgit render`: the main job. Layers in, one `.hal` tree out, all at once or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from halgit import lock, publish, secrets
from halgit.cli import options as given
from halgit.cli.output import Output
from halgit.cli.session import Compilation, Session
from halgit.compiler import part, refuse
from halgit.errors import DifferenceError
from halgit.pipeline import Resolved
from halgit.report.rendering import comparison_json, comparison_lines, rendering_json, rendering_text


@click.command("render")
@given.source_options
@given.option("--out", default=".hal", show_default=True, type=click.Path(path_type=Path), help="The tree to write.")
@given.option("--daemon-config", type=click.Path(path_type=Path), help="Also write halyard.yml and halyard-local.yml.")
@given.option("--halyard-address", default="", metavar="HOST", help="Address the daemon listens on.")
@given.option(
    "--secrets",
    type=click.Choice(["resolve", "native", "mask", "keep"]),
    default="resolve",
    show_default=True,
    help="Read all secrets; leave those Spinnaker decrypts; write stand-ins; leave all.",
)
@given.trust_options
@given.access_options
@given.option("--locked", is_flag=True, help="Render what halgit.lock holds, or say what moved.")
@given.option("--no-validate", is_flag=True, help="Skip the rules; merge, parameter and reference faults still count.")
@given.fail_on()
@given.option("--check", is_flag=True, help="Write nothing; exit 1 if a render would change the tree.")
@given.option("--dry-run", is_flag=True, help="Write nothing; say what a render would change.")
@given.option("--force", is_flag=True, help="Take a target that is not ours; the old one is kept beside it.")
@given.option("--group-access", is_flag=True, help="Let the group read and write the tree (0660, 2770).")
@given.option("--wait", type=given.Seconds(0), default=60.0, show_default=True, metavar="SECONDS",
              help="How long to wait for another run on the same target.")  # fmt: skip
@given.log_options
@given.option("--format", type=click.Choice(["text", "json"]), default="text", help="The summary on stdout.")
@click.pass_obj
def command(output: Output, /, **options: Any) -> None:
    """Make the .hal tree of a repository and write it, all at once or not at all.

    \b
    Examples:
      halgit render --repo . --overlay prod --out .hal
      halgit render --repo 'https://git.example.com/ops/spinnaker.git?ref=main' --overlay prod \\
        --git-token-file /etc/git/token --out /home/spinnaker/.hal
      halgit render --repo sample-repo --overlay prod --secrets mask --out /tmp/prod/.hal
    """
    options["validate"] = not options.pop("no_validate")
    with Session(options, output) as run:
        snapshots, locked = run.open_locked() if options["locked"] else (run.open(), None)
        compilation = run.compile(snapshots)
        if locked:
            lock.hold(locked, lock.entry(compilation.compiled, {}))
        if output.json:
            output.answer(rendering_json(compilation.compiled, compilation.findings))
        run.tell(compilation.findings)
        refuse(compilation.findings, run.operator.fail_on)
        resolved = _reveal(run, compilation, locked.secrets if locked else {})
        tree, daemon = part(resolved, run.operator.halyard_address)
        _write(run, tree, daemon, options)


def _reveal(run: Session, compilation: Compilation, pinned: Mapping[str, str]) -> Resolved:
    if compilation.plan.uses and run.operator.secrets in ("resolve", "native"):
        run.output.progress("Reading secrets")
    return secrets.resolve_secrets(
        compilation.plan, run.engine, run.output.redactor, pinned=pinned, put=compilation.places.put
    )


def _write(run: Session, tree: Resolved, daemon: Resolved, options: dict[str, Any]) -> None:
    output, target = run.output, options["out"]
    files = publish.serialise(tree)
    manifest = publish.Manifest.of(tree, run.operator.secrets)
    settings = publish.Options(
        force=options["force"],
        group_access=options["group_access"],
        wait=options["wait"],
        secrets=publish.holds_secrets(tree),
        ignored=run.ignored,
    )
    if options["check"] or options["dry_run"]:
        _compare(output, publish.compare(files, manifest, target, settings), options)
        return
    output.progress(f"Writing {target}")
    outcome = publish.publish(files, manifest, target, settings)
    if options["daemon_config"]:
        publish.write_daemon_config(
            publish.serialise(daemon), options["daemon_config"], group_access=options["group_access"]
        )
    for warning in outcome.warnings:
        _warn(output, warning)
    if output.json:
        output.say(_told(outcome, tree))
    else:
        output.result(rendering_text(tree.compiled, _told(outcome, tree)))


_WAYS = {
    "unchanged": "nothing changed, nothing written",
    "rename": "written in one step",
    "exchange": "exchanged with the old one in one step",
    "journal": "written file by file behind a journal (no exchange is possible there)",
}


def _told(outcome: publish.Outcome, tree: Resolved) -> str:
    text = f"{outcome.target}: {_WAYS[outcome.way]}"
    if outcome.carried:
        text += f"; carried over: {', '.join(outcome.carried)}"
    if outcome.kept:
        text += f"; the old one is kept as {', '.join(str(path) for path in outcome.kept)}"
    if outcome.recovered:
        text += "; cleared up after a run that had died"
    return text + ("; SECRETS ARE STAND-INS" if tree.masked else "")


def _compare(output: Output, found: publish.Comparison, options: Mapping[str, Any]) -> None:
    target = options["out"]
    lines = comparison_lines(found.added, found.changed, found.removed, found.modified)
    if output.json:
        output.add(changes=comparison_json(found.added, found.changed, found.removed, found.modified))
    elif lines:
        output.result("\n".join(lines))
    if found.same:
        output.say(f"{target} is up to date.")
        return
    if (found.foreign or found.modified) and not options["force"]:
        reason = "halgit did not write what stands there" if found.foreign else "it was changed since halgit wrote it"
        _warn(output, f"{target}: {reason}, so a render is refused. Choose another --out, or use --force.")
    if options["check"]:
        raise DifferenceError(f"A render would change {target} ({len(lines)} differences).", "Run render to change it.")


def _warn(output: Output, text: str) -> None:
    output.say(f"{output.colour('warning', 'warning', err=True)}: {text}", level="warning")
