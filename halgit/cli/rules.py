"""`halgit rules`: list the rules, or explain one. `docs/rules.md` is what it prints as Markdown."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import click

from halgit.cli import options as given
from halgit.cli.output import Output
from halgit.errors import UsageError
from halgit.report.tables import table
from halgit.text.phrases import did_you_mean
from halgit.validation.rule import Rule
from halgit.validation.rules import ALL


@click.command("rules")
@click.argument("rule", required=False, metavar="[RULE]")
@given.option(
    "--format", type=click.Choice(["text", "json", "markdown"]), default="text", help="How the rules are told."
)
@click.pass_obj
def command(output: Output, /, rule: str | None, **options: Any) -> None:
    """List the rules of `validate`, or explain one: what Halyard does, why it matters, how to mend it.

    \b
    Examples:
      halgit rules
      halgit rules kubernetes/kinds-and-omit-kinds
      halgit rules --format markdown
    """
    output.json = options["format"] == "json"
    chosen = [one for one in ALL if rule in (None, one.id, one.subject)]
    if not chosen:
        raise UsageError(
            f"There is no rule {rule}.", did_you_mean(rule or "", (one.id for one in ALL), "See `halgit rules`.")
        )
    if output.json:
        output.answer({"rules": [_json(one) for one in chosen]})
    elif options["format"] == "markdown":
        output.result(markdown(chosen))
    elif rule and len(chosen) == 1:
        output.result(_text(chosen[0]))
    else:
        output.result(
            table(["rule", "severity", "what it finds"], [[r.id, str(r.severity), r.summary] for r in chosen])
        )


def _text(rule: Rule) -> str:
    parts = [f"{rule.id} ({rule.severity})", "", rule.summary, "", f"What Halyard does: {rule.halyard}"]
    return "\n".join([*parts, f"Impact: {rule.impact}", f"Fix: {rule.fix}"])


def _json(rule: Rule) -> dict[str, str]:
    fields = ("id", "summary", "halyard", "impact", "fix")
    return {"severity": str(rule.severity), **{name: getattr(rule, name) for name in fields}}


def markdown(rules: list[Rule]) -> str:
    """The page of all rules, by subject."""
    lines = [
        "# Rules",
        "",
        f"The {len(rules)} rules of `halgit validate`. `error`: Halyard fails to load the tree, `hal deploy apply`",
        "would fail on it, or a service would not start. `warning`: Halyard or a service does something else than was",
        "meant. `info`: hygiene. This page is what `halgit rules --format markdown` prints.",
        "",
        "A finding can be waived in place, with a reason: `# halgit: ignore=RULE reason`, on its line or above it.",
        "`rules.ignore` and `rules.severity` in the root `halgit.yaml` hold for a whole repository.",
    ]
    for subject, group in groupby(sorted(rules, key=lambda rule: rule.id), key=lambda rule: rule.subject):
        lines += ["", f"## {subject}"]
        for rule in group:
            lines += ["", f"### {rule.id}", "", f"*{rule.severity}.* {rule.summary}", ""]
            lines += [f"- {rule.halyard}", f"- {rule.impact}", f"- {rule.fix}"]
    return "\n".join(lines)
