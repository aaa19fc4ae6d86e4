"""`halgit import`: an existing `.hal`, or a repository of the OpsMx dialect, into a new layered repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from halgit import convert, publish
from halgit.cli import options as given
from halgit.cli.output import Output
from halgit.cli.session import Compilation, Session
from halgit.compiler import overlays, refuse
from halgit.convert import Source, Values
from halgit.errors import UsageError
from halgit.pipeline import Finding, Severity, Skipped, Snapshot
from halgit.report.importing import importing_json, importing_text

_LET_BE = ("opsmx/open-token", "opsmx/empty-token", "opsmx/no-private-key", "opsmx/in-key", "opsmx/several-documents",
           "reference/")  # fmt: skip
"""Errors that an import does not mind: values are not given yet, and secrets not read."""

_TO_DECIDE = ("secrets/", "opsmx/in-key", "opsmx/several-documents", "opsmx/misplaced-token", "opsmx/misspelt-token",
              "reference/")  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][-._A-Za-z0-9]*")


@click.command("import")
@click.argument("source", metavar="SRC")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@given.option("--values", default="", metavar="FILE", help="Values of a predecessor's Helm release, for parameters.")
@given.option("--overlay", "name", default="prod", show_default=True, metavar="NAME",
              help="Name of the overlay to make.")  # fmt: skip
@given.option("--ref", default="", metavar="REF", help="Branch, tag or full commit of SRC.")
@given.option("--path", default="", metavar="DIR", help="Folder of SRC that is the tree.")
@given.option("--variant", type=click.Choice(["token", "ssh", "s3"]), help="File variants of the opsmx dialect.")
@given.option("--hal-home", default="/home/spinnaker/.hal", show_default=True, metavar="DIR",
              help="Where Halyard sees the tree.")  # fmt: skip
@given.access_options
@given.log_options
@given.option("--format", type=click.Choice(["text", "json"]), default="text", help="The report on stdout.")
@click.pass_obj
def command(output: Output, /, source: str, directory: Path, name: str, **options: Any) -> None:
    """Make a repository of layers in DIR of an existing .hal or OpsMx repository SRC.

    DIR must be new or empty. Tokens become declared parameters, OpsMx references canonical ones, and what is rendered
    means the same. The report says what a person must decide. Secrets of --values are never written.

    \b
    Examples:
      halgit import ~/.hal spinnaker-config
      halgit import https://git.example.com/ops/isd-gitops.git spinnaker-config --values old-values.yaml
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be the name of an overlay.", "Use letters, digits, dots and dashes.")
    publish.check_free(directory)
    values = (
        convert.read_values(given.read(options["values"], "--values"), options["values"])
        if options["values"]
        else Values()
    )
    settings = {**options, "repos": (source,), "dialect": "opsmx", "secrets": "keep", "daemon_config": True}
    with Session(settings, output) as run:
        (snapshot,) = run.open()
        _refuse_layered(snapshot, source)
        compilation = run.compile([snapshot])
        wrong = [one for one in compilation.findings if one.severity >= Severity.ERROR]
        wrong = [one for one in wrong if not one.rule.startswith(_LET_BE)]
        run.tell(wrong)
        refuse(wrong, Severity.ERROR)
        made = convert.layered(_source(compilation, snapshot, options["variant"] or "token"), name, values)
        publish.write_folder(made.files, directory)
        if output.json:
            output.answer(importing_json(made.account))
        else:
            output.result(importing_text(made.account))
        output.say(f"Next: halgit render --repo {directory} --overlay {name} --secrets mask --out /tmp/.hal")


def _refuse_layered(snapshot: Snapshot, source: str) -> None:
    if "halgit.yaml" in snapshot.paths or overlays(snapshot):
        raise UsageError(f"{source}: it is a repository of layers already.", "Render it with --repo instead.")


def _source(compilation: Compilation, snapshot: Snapshot, variant: Any) -> Source:
    compiled = compilation.compiled
    manifest = snapshot.read([publish.MANIFEST]) if publish.MANIFEST in snapshot.paths else {}
    told = publish.told(manifest.get(publish.MANIFEST, b""))
    extra = sorted(set(told.files) & snapshot.paths - compiled.files.keys()) if told else []
    return Source(
        files=compiled.files,
        extra=snapshot.read(extra),
        accounts=compiled.accounts,
        skipped=tuple(left for left in _skipped(compilation) if left.path not in extra),
        findings=_to_decide(compilation.findings),
        deployment=compiled.deployment,
        variant=variant,
        hal_home=compiled.hal_home,
    )


def _skipped(compilation: Compilation) -> tuple[Skipped, ...]:
    taken = {*compilation.compiled.accounts, publish.MANIFEST}
    return tuple(left for left in compilation.compiled.skipped if left.path not in taken)


def _to_decide(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(one for one in findings if one.rule.startswith(_TO_DECIDE))
