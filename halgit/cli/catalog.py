"""`halgit rules` and `halgit schema`: what halgit knows, printed. `docs/rules.md` is `rules --format markdown`."""

from __future__ import annotations

import json
from typing import Any

import click
from click.shell_completion import CompletionItem

from halgit.catalog import CATALOG, names
from halgit.catalog.entry import Entry
from halgit.cli.commands import Command
from halgit.cli.options import format_option, log_options
from halgit.cli.output import Output
from halgit.errors import UsageError
from halgit.halyard import resources
from halgit.record import to_dict
from halgit.report import explanation
from halgit.report.tables import table
from halgit.text.phrases import suggest_nearest


def _complete_rules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(id) for id in CATALOG if id.startswith(incomplete)]


@click.command("rules", cls=Command)
@click.argument("rule", required=False, metavar="[RULE]", shell_complete=_complete_rules)
@format_option("text", "json", "markdown")
@log_options
@click.pass_obj
def rules(output: Output, /, rule: str | None, **options: Any) -> None:
    """List all findings of halgit, or explain one: what Halyard does, the impact, the fix.

    \b
    Examples:
      halgit rules
      halgit rules kubernetes/kinds-and-omit-kinds
      halgit rules --format markdown
    """
    output.json = options["format"] == "json"
    found = (entry for entry in CATALOG.values() if rule in (None, entry.id, entry.subject))
    entries = sorted(found, key=lambda entry: entry.id)
    if not entries:
        raise UsageError(f"Unknown rule {rule}.", suggest_nearest(rule or "", names(), "See `halgit rules`."))
    if output.json:
        output.answer({"rules": [_json(entry) for entry in entries]})
    elif options["format"] == "markdown":
        output.result(explanation.page(entries))
    elif rule and len(entries) == 1:
        output.result(explanation.text(entries[0]))
    else:
        rows = [[entry.id, str(entry.severity), entry.summary] for entry in entries]
        output.result(table(["rule", "severity", "finding"], rows, layout=output.layout()))


def _json(entry: Entry) -> dict[str, Any]:
    return {**to_dict(entry), "severity": str(entry.severity)}


def _complete_schemas(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in _schema_names() if name.startswith(incomplete)]


def _schema_names() -> tuple[str, ...]:
    from halgit.halyard.layer_schemas import list_layer_schema_names

    return tuple(sorted((*resources.list_schema_names(), *list_layer_schema_names())))


@click.command("schema", cls=Command)
@click.argument("name", metavar="NAME", shell_complete=_complete_schemas)
@log_options
@click.pass_obj
def schema(output: Output, /, name: str, **options: Any) -> None:
    """Print the JSON schema NAME, such as halgit, halconfig or layer-halconfig.

    The schemas whose names begin with layer- are for files in layers: nothing is required, and every value may be a
    parameter, a reference or a directive.

    \b
    Example: let an editor check the halconfig of a layer
      halgit schema layer-halconfig > .vscode/layer-halconfig.schema.json
    """
    known = _schema_names()
    if name not in known:
        raise UsageError(
            f"Unknown schema {name}.", suggest_nearest(name, known, f"The schemas are {', '.join(known)}.")
        )
    if name in resources.list_schema_names():
        output.result(resources.read_schema_text(name).rstrip())
        return
    from halgit.halyard.layer_schemas import make_layer_schema

    output.result(json.dumps(make_layer_schema(name), indent=1))
