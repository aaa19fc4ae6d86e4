"""`halgit export`: a rendered overlay as a SpinnakerService resource or a kleat repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from halgit import publish, secrets
from halgit.cli.commands import Command, option
from halgit.cli.options import access_options, format_option, log_options, source_options
from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.compiler import require_below
from halgit.convert import export_tree
from halgit.errors import UsageError
from halgit.pipeline import Severity
from halgit.report.tables import counted, table


@click.command("export", cls=Command)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@option("--to", "target", required=True, type=click.Choice(["spinnakerservice", "kleat"]), help="Format to write.")
@source_options
@access_options
@format_option()
@log_options
@click.pass_obj
def command(output: Output, /, directory: Path, target: str, **options: Any) -> None:
    """Write a rendered overlay to DIR as a SpinnakerService resource or a kleat repository.

    Secret references are kept. The output and export-report.md list what the target cannot express. DIR must be new or
    empty.

    \b
    Examples:
      halgit export --to spinnakerservice --overlay prod /tmp/prod
      halgit export --to kleat --repo . --overlay prod /tmp/prod
    """
    publish.check_empty(directory)
    with Session({**options, "secrets": "keep"}, output) as run:
        compilation = run.compile(run.open())
        errors = [one for one in compilation.findings if one.severity >= Severity.ERROR]
        run.report(errors)
        require_below(errors, Severity.ERROR)
        locate, engines = compilation.locator.locate_findings, run.engines(compilation.plan, "Reading secrets")
        resolved = secrets.resolve_secrets(compilation.plan, engines, output.redactor, locate=locate)
        if publish.has_secrets(resolved):
            hint = "Set secret parameters as references, so that the export contains no secret."
            raise UsageError("A secret parameter has a plain value.", hint)
        compiled = compilation.compiled
        exported = export_tree(publish.serialize(resolved), compiled.deployment, compiled.hal_home, target)
        lines = [f"- `{one.place}`: {one.what}" for one in exported.decisions] or ["- nothing"]
        report = "# Export report\n\nNot exported, or to decide:\n\n" + "\n".join(lines) + "\n"
        publish.write_folder({**exported.files, "export-report.md": report.encode()}, directory)
        if output.json:
            decisions = [{"place": one.place, "what": one.what} for one in exported.decisions]
            output.answer({"files": sorted(exported.files), "decisions": decisions})
        else:
            rows = [[one.place, one.what] for one in exported.decisions]
            summary = f"{counted(len(exported.files), 'file')}, {counted(len(rows), 'item')} to decide."
            output.result(summary + ("\n\n" + table(["to decide", ""], rows, indent="  ") if rows else ""))
