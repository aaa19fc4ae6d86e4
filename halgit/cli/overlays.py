"""`halgit overlays`: what differs between the overlays of a repository."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from halgit import diff, publish
from halgit.cli.declarations import declare_command, option
from halgit.cli.options import (
    access_options,
    complete_overlays,
    format_option,
    log_options,
    output_option,
    parameter_options,
    repo_option,
    source_details,
    trust_options,
)
from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.compiler import is_unreadable, overlays
from halgit.errors import UsageError
from halgit.pipeline import Finding
from halgit.report.environment_formats import FORMATS, text
from halgit.report.environments import EnvironmentComparison, as_json
from halgit.text.phrases import suggest_nearest


@declare_command("overlays")
@repo_option
@option("--overlay", "names", multiple=True, metavar="NAME", shell_complete=complete_overlays,
        help="Overlay to compare; repeatable. Default: all.")  # fmt: skip
@source_details
@parameter_options
@format_option(*FORMATS)
@output_option("Write the report to this file, and text to the terminal.")
@trust_options
@access_options
@log_options
def command(output: Output, /, **options: Any) -> None:
    """Compare the overlays of a repository: settings with their layers, accounts, versions, files and findings.

    One row for each setting that differs. `--format html` writes one self-contained page with search and filters.
    References are compared as written, no secret is read, and secrets are masked.

    \b
    Examples:
      halgit overlays
      halgit overlays --repo . --overlay staging --overlay prod
      halgit overlays --repo . --format html --output overlays.html
    """
    names = options.pop("names")
    with Session({**options, "secrets": "keep"}, output) as run:
        snapshots = run.open()
        known = sorted({name for snapshot in snapshots for name in overlays(snapshot)})
        chosen = _choose(names, known)
        compilations = run.compile_overlays(snapshots, chosen)
        for name, one in zip(chosen, compilations, strict=True):
            _warn(output, name, one.findings)
        environments = [
            diff.Environment(name, one.compiled, one.findings, one.locator.position)
            for name, one in zip(chosen, compilations, strict=True)
        ]
        key, clean = secrets.token_bytes(32), output.redactor.clean
        _report(output, diff.compare_environments(environments, key, clean), options)


def _warn(output: Output, name: str, findings: Sequence[Finding]) -> None:
    """Warn of an overlay whose settings are not all known."""
    unreadable = [one for one in findings if is_unreadable(one)]
    if unreadable:
        first = f"{unreadable[0].file}:{unreadable[0].line}: {unreadable[0].message}"
        output.warning(f"Overlay {name} has files that cannot be read, so more than its own settings differs. {first}")


def _choose(names: tuple[str, ...], known: list[str]) -> list[str]:
    """Return the overlays to compare. Raises UsageError for an unknown one, and for fewer than two."""
    for name in names:
        if name not in known:
            hint = suggest_nearest(name, known, f"The overlays are {', '.join(known) or 'none'}.")
            raise UsageError(f"Unknown overlay {name}.", hint)
    chosen = list(dict.fromkeys(names)) or known
    if len(chosen) < 2:
        raise UsageError("A comparison needs at least two overlays.", f"The overlays are {', '.join(known) or 'none'}.")
    return chosen


def _report(output: Output, comparison: EnvironmentComparison, options: dict[str, Any]) -> None:
    name, file = options["format"], options["output"]
    if file:
        content = (output.clean_json if name == "json" else output.clean)(FORMATS[name](comparison))
        publish.write_file(file, f"{content}\n".encode(), mode=0o644)
        if name == "json":
            output.message(text(comparison, output.paint_message, output.layout()))
        else:
            output.result(text(comparison, output.paint, output.layout()))
        output.message(f"Wrote {file}.")
    elif name == "json":
        output.answer(as_json(comparison))
    else:
        output.result(text(comparison, output.paint, output.layout()) if name == "text" else FORMATS[name](comparison))
