"""`halgit export`: a rendered overlay as a SpinnakerService resource or a kleat repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from halgit import publish, secrets
from halgit.cli.commands import Command
from halgit.cli.declarations import option
from halgit.cli.options import VALIDATION, access_options, format_option, log_options, source_options
from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.compiler import require_below
from halgit.convert import export_tree
from halgit.errors import UsageError
from halgit.pipeline import Finding, Severity
from halgit.report.summaries import Decision
from halgit.report.tables import counted, table

_ACCOUNT = "deployment-environment/account"
"""A finding that means nothing to a target that deploys to its own cluster."""


@click.command("export", cls=Command)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@option("--to", "target", required=True, type=click.Choice(["spinnakerservice", "kleat"]), help="Format to write.")
@source_options
@option("--no-validate", is_flag=True, group=VALIDATION,
        help="Skip the rules, and write an export that does not fit the schema of its target.")  # fmt: skip
@access_options
@format_option()
@log_options
@click.pass_obj
def command(output: Output, /, directory: Path, target: str, **options: Any) -> None:
    """Write a rendered overlay to DIR as a SpinnakerService resource or a kleat repository.

    Secret references are kept. The output and export-report.md list what the target cannot express. The export is
    checked against a strict schema of its target. DIR must be new or empty.

    \b
    Examples:
      halgit export --to spinnakerservice --overlay prod /tmp/prod
      halgit export --to kleat --repo . --overlay prod /tmp/prod
    """
    publish.check_empty(directory)
    is_checked = not options["no_validate"]
    with Session({**options, "secrets": "keep", "validate": is_checked}, output) as run:
        compilation = run.compile(run.open())
        errors = [one for one in compilation.findings if one.severity >= Severity.ERROR and one.rule != _ACCOUNT]
        run.report(errors)
        require_below(errors, Severity.ERROR)
        locate, engines = compilation.locator.locate_findings, run.engines(compilation.plan, "Reading secrets")
        resolved = secrets.resolve_secrets(compilation.plan, engines, output.redactor, locate=locate)
        if publish.has_secrets(resolved):
            hint = "Set secret parameters as references, so that the export contains no secret."
            raise UsageError("A secret parameter has a plain value.", hint)
        compiled = compilation.compiled
        exported = export_tree(publish.serialize(resolved), compiled.deployment, compiled.hal_home, target)
        violations = run.filter(locate([_violation(one, target) for one in exported.violations]), compilation)
        run.report(violations)
        require_below(violations if is_checked else [], Severity.ERROR)
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


def _violation(one: Decision, target: str) -> Finding:
    message = f"{one.place} does not fit the schema of {target}. {one.what}"
    hint = "Correct the value in its layer, or use --no-validate to write it as it is."
    return Finding("export/schema", Severity.ERROR, message, hint, "config")
