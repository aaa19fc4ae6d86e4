"""`halgit rules` and `halgit schema`: what halgit knows, printed. `docs/rules.md` is `rules --format markdown`."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import click
from click.shell_completion import CompletionItem

from halgit.cli.commands import Command
from halgit.cli.options import format_option, log_options
from halgit.cli.output import Output
from halgit.errors import UsageError
from halgit.halyard import resources
from halgit.report.tables import table
from halgit.text.phrases import suggest_nearest
from halgit.validation.rule import Rule
from halgit.validation.rules import ALL


def _complete_rules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(rule.id) for rule in ALL if rule.id.startswith(incomplete)]


@click.command("rules", cls=Command)
@click.argument("rule", required=False, metavar="[RULE]", shell_complete=_complete_rules)
@format_option("text", "json", "markdown")
@log_options
@click.pass_obj
def rules(output: Output, /, rule: str | None, **options: Any) -> None:
    """List the rules of `validate`, or explain one: what Halyard does, the impact, the fix.

    \b
    Examples:
      halgit rules
      halgit rules kubernetes/kinds-and-omit-kinds
      halgit rules --format markdown
    """
    output.json = options["format"] == "json"
    chosen = [one for one in ALL if rule in (None, one.id, one.subject)]
    if not chosen:
        hint = suggest_nearest(rule or "", (one.id for one in ALL), "See `halgit rules`.")
        raise UsageError(f"Unknown rule {rule}.", hint)
    if output.json:
        output.answer({"rules": [_json(one) for one in chosen]})
    elif options["format"] == "markdown":
        output.result(markdown(chosen))
    elif rule and len(chosen) == 1:
        output.result(_text(chosen[0]))
    else:
        rows = [[one.id, str(one.severity), one.summary] for one in chosen]
        output.result(table(["rule", "severity", "finding"], rows, width=output.width()))


def _text(rule: Rule) -> str:
    parts = [f"{rule.id} ({rule.severity})", "", rule.summary, "", f"What Halyard does: {rule.halyard}"]
    return "\n".join([*parts, f"Impact: {rule.impact}", f"Fix: {rule.fix}"])


def _json(rule: Rule) -> dict[str, str]:
    fields = ("id", "summary", "halyard", "impact", "fix")
    return {"severity": str(rule.severity), **{name: getattr(rule, name) for name in fields}}


def markdown(rules: list[Rule]) -> str:
    """Format the page of all rules, by subject."""
    lines = [
        "# Rules",
        "",
        f"The {len(rules)} rules of `halgit validate`. `error`: Halyard fails to load the tree, `hal deploy apply`",
        "would fail on it, or a service would not start. `warning`: Halyard or a service does something else than was",
        "meant. `info`: hygiene. This page is what `halgit rules --format markdown` prints.",
        "",
        "A finding can be waived in place, with a reason: `# halgit: ignore=RULE reason`, on its line or above it.",
        "`rules.ignore` and `rules.severity` in the root `halgit.yaml` apply to a whole repository.",
    ]
    for subject, group in groupby(sorted(rules, key=lambda rule: rule.id), key=lambda rule: rule.subject):
        lines += ["", f"## {subject}"]
        for rule in group:
            lines += ["", f"### {rule.id}", "", f"*{rule.severity}.* {rule.summary}", ""]
            lines += [f"- {rule.halyard}", f"- {rule.impact}", f"- {rule.fix}"]
    return "\n".join(lines)


def _complete_schemas(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in resources.list_schema_names() if name.startswith(incomplete)]


@click.command("schema", cls=Command)
@click.argument("name", metavar="NAME", shell_complete=_complete_schemas)
@log_options
@click.pass_obj
def schema(output: Output, /, name: str, **options: Any) -> None:
    """Print the JSON schema NAME, such as halgit, halconfig or service-settings.

    \b
    Example: let an editor check a halconfig
      halgit schema halconfig > .vscode/halconfig.schema.json
    """
    names = resources.list_schema_names()
    if name not in names:
        raise UsageError(
            f"Unknown schema {name}.", suggest_nearest(name, names, f"The schemas are {', '.join(names)}.")
        )
    output.result(resources.read_schema_text(name).rstrip())
