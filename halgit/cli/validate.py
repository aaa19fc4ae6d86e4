"""`halgit validate`: everything Halyard would refuse, or silently get wrong, said in the pull request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from halgit import __version__, publish
from halgit.cli import options as given
from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.compiler import check_names, refuse
from halgit.errors import UsageError
from halgit.pipeline import Finding
from halgit.report import baseline
from halgit.report.formats import FORMATS, json, text
from halgit.report.report import About, Report
from halgit.validation.rules import ALL

Line = Callable[[str, int], str]


@click.command("validate")
@given.source_options
@given.option("--all-overlays", is_flag=True, help="Validate every overlay; a finding they share is said once.")
@given.option("--select", multiple=True, metavar="RULE", help="Run only these rules, e.g. kubernetes or security/*.")
@given.option("--ignore", multiple=True, metavar="RULE", help="Leave these rules out.")
@given.option("--baseline", type=click.Path(path_type=Path), help="Leave out what this JSON report already has.")
@given.option(
    "--format", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How the findings are told."
)
@given.option("--output", type=click.Path(path_type=Path), help="Write the report to a file instead of stdout.")
@given.fail_on()
@given.trust_options
@given.access_options
@given.log_options
@click.pass_obj
def command(output: Output, /, **options: Any) -> None:
    """Validate a repository offline: no Halyard, no cluster, no credential for secrets.

    \b
    Examples:
      halgit validate --repo . --all-overlays
      halgit validate --repo . --all-overlays --format sarif --output halgit.sarif
      halgit validate --repo . --overlay prod --format json --output baseline.json
      halgit validate --repo . --overlay prod --baseline baseline.json --fail-on warning
    """
    with Session(options, output) as run:
        check_names("--select", options["select"])
        check_names("--ignore", options["ignore"])
        found, line = _findings(run, options)
        found = baseline.without(found, given.read(options["baseline"], "--baseline")) if options["baseline"] else found
        abouts = {rule.id: About(rule.summary, f"{rule.halyard} {rule.impact} {rule.fix}") for rule in ALL}
        report = Report(found, abouts, line, _prefix(run), __version__)
        _tell(output, report, options)
        refuse(found, run.operator.fail_on, written="")


def _findings(run: Session, options: dict[str, Any]) -> tuple[tuple[Finding, ...], Line]:
    """The findings of the overlay, or of all of them, and the function that gives a line of a file."""
    snapshots = run.open()
    if not options["all_overlays"]:
        compilation = run.compile(snapshots)
        return compilation.findings, compilation.places.line
    if options["overlay"]:
        raise UsageError("--overlay and --all-overlays exclude each other.", "Leave one of them out.")
    return run.compile_all(snapshots)


def _prefix(run: Session) -> str:
    """What leads from the working directory to the files of a source, so that annotations find them."""
    if len(run.specs) != 1:
        return ""
    spec = run.specs[0]
    folder = Path(spec.url)
    inside = [folder] if folder.is_dir() and not folder.is_absolute() else []
    parts = [part.as_posix() for part in (*inside, Path(spec.path)) if part.as_posix() != "."]
    return "".join(f"{part}/" for part in parts)


def _tell(output: Output, report: Report, options: dict[str, Any]) -> None:
    chosen = options["format"]
    if chosen == "json":
        output.answer({"summary": report.counts()} if options["output"] else json.value(report))
    in_colour = chosen == "text" and not options["output"]
    told = text.render(report, output.colour) if in_colour else FORMATS[chosen](report)
    if options["output"]:
        publish.write_file(options["output"], (output.redactor.clean(told) + "\n").encode("utf-8"), mode=0o644)
        output.say(f"Wrote {options['output']}.")
    elif told and chosen != "json":
        output.result(told)
