"""`halgit init`: start a repository with a base, one overlay and a word on each file."""

from __future__ import annotations

from pathlib import Path

import click

from halgit.cli.output import Output
from halgit.errors import UsageError
from halgit.halyard import resources
from halgit.publish import write_file
from halgit.report.tables import counted


@click.command("init")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.pass_obj
def command(output: Output, /, directory: Path) -> None:
    """Start a repository in DIR: a base, the overlay prod, parameters. Existing files are never touched.

    \b
    Example:
      halgit init spinnaker-config
      halgit render --repo spinnaker-config --overlay prod --out /tmp/.hal
    """
    files = resources.read_start_files()
    there = [path for path in files if (directory / path).exists()]
    if there:
        raise UsageError(f"{directory} already has {', '.join(sorted(there))}.", "Choose an empty directory.")
    for path, text in sorted(files.items()):
        write_file(directory / path, text, mode=0o644)
        output.result(str(directory / path))
    output.say(
        f"Wrote {counted(len(files), 'file')}. Next: halgit render --repo {directory} --overlay prod --out /tmp/.hal"
    )
