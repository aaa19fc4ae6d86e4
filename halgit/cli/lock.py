"""`halgit lock`: write down what an overlay is rendered from, for `render --locked`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from halgit import lock, publish, secrets
from halgit.cli import options as given
from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.compiler import refuse
from halgit.errors import UsageError
from halgit.pipeline import Severity
from halgit.report.tables import counted


@click.command("lock")
@given.source_options
@given.option("--output", type=click.Path(path_type=Path), help="The lock file, if not beside the root halgit.yaml.")
@given.trust_options
@given.access_options
@given.log_options
@click.pass_obj
def command(output: Output, /, **options: Any) -> None:
    """Write halgit.lock: the revisions of all sources, the files, and the versions of all secrets that have them.

    `halgit render --locked` then gives the same bytes, or says what moved. Other overlays of the file are kept.

    \b
    Example:
      halgit lock --repo . --overlay prod --vault-address https://vault.example.com
      halgit render --repo . --overlay prod --locked --out .hal
    """
    with Session({**options, "validate": False}, output) as run:
        target = options["output"] or _beside(run)
        compilation = run.compile(run.open())
        refuse(compilation.findings, Severity.ERROR)
        resolved = secrets.resolve_secrets(compilation.plan, run.engine, output.redactor, put=compilation.places.put)
        known = lock.parse(given.read(target, "The old lock")) if target.exists() else {}
        entry = lock.entry(compilation.compiled, resolved.versions)
        publish.write_file(target, lock.encode({**known, run.operator.overlay: entry}), mode=0o644)
        sources, versions = counted(len(entry.sources), "source"), counted(len(entry.secrets), "secret version")
        output.result(f"{target}: {sources}, {counted(sum(len(s.files) for s in entry.sources), 'file')}, {versions}.")


def _beside(run: Session) -> Path:
    folders = [Path(spec.url) / spec.path for spec in run.specs if Path(spec.url).is_dir()]
    if not folders:
        raise UsageError("No --repo is a directory, so the lock has no place.", "Name a file with --output.")
    return folders[-1] / lock.LOCK
