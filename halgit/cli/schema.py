"""`halgit schema`: print a JSON schema, for editors and other validators."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from halgit.cli.output import Output
from halgit.errors import UsageError
from halgit.halyard import resources


def _names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in resources.list_schema_names() if name.startswith(incomplete)]


@click.command("schema")
@click.argument("name", metavar="NAME", shell_complete=_names)
@click.pass_obj
def command(output: Output, /, name: str) -> None:
    """Print the JSON schema NAME, such as halgit, halconfig or service-settings.

    \b
    Example: let an editor check a halconfig
      halgit schema halconfig > .vscode/halconfig.schema.json
    """
    if name not in resources.list_schema_names():
        raise UsageError(f"There is no schema {name}.", f"The schemas are: {', '.join(resources.list_schema_names())}.")
    output.result(resources.read_schema_text(name).rstrip())
