"""`halgit validate`: the findings of a repository, in the formats that people, forges and scanners read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from halgit import __version__, publish
from halgit.annotations import Any
from halgit.cli.declarations import FilePath, declare_command, option
from halgit.cli.options import (
    VALIDATION,
    access_options,
    fail_on_option,
    format_option,
    log_options,
    output_option,
    source_options,
    trust_options,
)
from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.cli.settings import read_file
from halgit.compiler import check_rule_names, require_below
from halgit.errors import UsageError
from halgit.pipeline import Finding
from halgit.record import replace
from halgit.redaction import Redactor
from halgit.report.finding_formats import FORMATS, json_value, text
from halgit.report.findings import Report, without_baseline

Line = Callable[[str, int], str]


@declare_command("validate")
@source_options
@option("--all-overlays", is_flag=True, help="Validate every overlay; report shared findings once.")
@option("--select", multiple=True, metavar="RULE", group=VALIDATION,
        help="Run only these rules, such as kubernetes or security/*.")  # fmt: skip
@option("--ignore", multiple=True, metavar="RULE", group=VALIDATION, help="Skip these rules.")
@option("--baseline", type=FilePath(), metavar="FILE", group=VALIDATION,
        help="Skip findings that this JSON report lists.")  # fmt: skip
@fail_on_option()
@format_option(*FORMATS)
@output_option("Write the report to this file, and text to the terminal.")
@trust_options
@access_options
@log_options
def command(output: Output, /, **options: Any) -> None:
    """Validate a repository offline, without Halyard, a cluster or credentials.

    \b
    Examples:
      halgit validate --all-overlays
      halgit validate --repo . --all-overlays --format sarif --output halgit.sarif
      halgit validate --repo . --overlay prod --format json --output baseline.json
      halgit validate --repo . --overlay prod --baseline baseline.json --fail-on warning
    """
    with Session(options, output) as run:
        check_rule_names("--select", options["select"])
        check_rule_names("--ignore", options["ignore"])
        found, line = _findings(run, options)
        if options["baseline"]:
            found = without_baseline(found, read_file(options["baseline"], "--baseline"))
        report = Report(found, line, _prefix(run), __version__, own=frozenset({run.operator.params_file}))
        _report(output, _mask(report, output.redactor), options)
        require_below(found, run.operator.fail_on, written="")


def _findings(run: Session, options: dict[str, Any]) -> tuple[tuple[Finding, ...], Line]:
    """Return the findings of one or all overlays, and the function that reads a line of a file."""
    snapshots = run.open()
    if not options["all_overlays"]:
        compilation = run.compile(snapshots)
        return compilation.findings, compilation.locator.line
    if options["overlay"]:
        raise UsageError("--overlay and --all-overlays are mutually exclusive.", "Remove one of them.")
    return run.compile_all(snapshots)


def _prefix(run: Session) -> str:
    """Return the path from the working directory to the source, so that annotations name files of the work tree."""
    if len(run.specs) != 1:
        return ""
    spec = run.specs[0]
    folder = Path(spec.url)
    inside = [folder] if folder.is_dir() and not folder.is_absolute() else []
    parts = [part.as_posix() for part in (*inside, Path(spec.path)) if part.as_posix() != "."]
    return "".join(f"{part}/" for part in parts)


def _mask(report: Report, redactor: Redactor) -> Report:
    """Mask every value before a format encodes or shortens it; rule ids, severities and syntax do not change."""
    clean = redactor.clean
    findings = tuple(replace(one, message=clean(one.message), hint=clean(one.hint)) for one in report.findings)
    return replace(report, findings=findings, line=lambda file, number: clean(report.line(file, number)))


def _report(output: Output, report: Report, options: dict[str, Any]) -> None:
    name, file = options["format"], options["output"]
    if name == "json":
        output.answer({"summary": report.counts()} if file else json_value(report))
    if file:
        publish.write_file(file, (output.escape(FORMATS[name](report)) + "\n").encode("utf-8"), mode=0o644)
        if name == "json":
            output.message(text(report, output.paint_message))
        else:
            output.result(text(report, output.paint), is_masked=True)
        output.message(f"Wrote {file}.")
    elif name != "json":
        formatted = text(report, output.paint) if name == "text" else FORMATS[name](report)
        if formatted:
            output.result(formatted, is_masked=True)
