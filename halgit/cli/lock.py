"""`halgit lock`: record what an overlay is rendered from, for `render --locked`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from halgit import lock, publish, secrets
from halgit.cli.declarations import declare_command
from halgit.cli.options import access_options, log_options, output_option, source_options, trust_options
from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.cli.settings import read_file
from halgit.compiler import require_below
from halgit.errors import UsageError
from halgit.pipeline import Severity
from halgit.report.tables import counted


@declare_command("lock")
@source_options
@output_option("The lock file; default: halgit.lock beside the root halgit.yaml.")
@trust_options
@access_options
@log_options
def command(output: Output, /, **options: Any) -> None:
    """Write halgit.lock: the revisions of all sources, the files, and the versions of versioned secrets.

    `halgit render --locked` then renders the same bytes, or reports what has changed. Entries of other overlays are
    kept.

    \b
    Example:
      halgit lock --repo . --overlay prod --vault-address https://vault.example.com
      halgit render --repo . --overlay prod --locked --out .hal
    """
    with Session({**options, "validate": False}, output) as run:
        target = options["output"] or _default_file(run)
        publish.check_file(target, mode=0o644)
        compilation = run.compile(run.open())
        run.report([one for one in compilation.findings if one.severity >= Severity.ERROR])
        require_below(compilation.findings, Severity.ERROR)
        engines = run.engines(compilation.plan, "Reading secrets")
        resolved = secrets.resolve_secrets(
            compilation.plan, engines, output.redactor, locate=compilation.locator.locate_findings
        )
        known = lock.parse(read_file(target, "halgit.lock")) if target.exists() else {}
        hide = secrets.hide_plain_secrets(compilation.compiled)
        entry = lock.entry(compilation.compiled, resolved.versions, hide)
        publish.write_file(target, lock.encode({**known, run.operator.overlay: entry}), mode=0o644)
        sources, versions = counted(len(entry.sources), "source"), counted(len(entry.secrets), "secret version")
        output.result(f"{target}: {sources}, {counted(sum(len(s.files) for s in entry.sources), 'file')}, {versions}.")


def _default_file(run: Session) -> Path:
    folders = [Path(spec.url) / spec.path for spec in run.specs if Path(spec.url).is_dir()]
    if not folders:
        raise UsageError("No --repo is a directory, so the lock file has no default.", "Name a file with --output.")
    return folders[-1] / lock.LOCK
