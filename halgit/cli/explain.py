"""`halgit explain`: where a value of the rendered tree comes from."""

from __future__ import annotations

from typing import Any

import click

from halgit import explain as explaining
from halgit.cli import options as given
from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.report.tables import table


@click.command("explain")
@click.argument("target", metavar="FILE[:PATH]")
@given.source_options
@given.access_options
@given.log_options
@given.option("--format", type=click.Choice(["text", "json"]), default="text", help="How the values are listed.")
@click.pass_obj
def command(output: Output, /, target: str, **options: Any) -> None:
    """Say where values of the rendered tree come from, and what they overrode.

    FILE is a file of the tree, PATH a value, mapping or list in it. Secrets are masked.

    \b
    Examples:
      halgit explain --repo . --overlay prod config
      halgit explain --repo . --overlay prod \\
        'config:deploymentConfigurations[name=default].providers.kubernetes.accounts[name=prod].context'
    """
    with Session(options, output) as run:
        compilation = run.compile(run.open())
        found = explaining.explain(compilation.compiled, target, compilation.places.of)
        if output.json:
            output.answer({"file": explaining.split(target)[0], "values": [explaining.as_json(one) for one in found]})
        else:
            output.result(_text(found, output.width()))


def _text(found: tuple[explaining.Explained, ...], width: int | None) -> str:
    """A table, or, where the terminal is too narrow for it, one value after the other."""
    told = _single(found[0]) if len(found) == 1 else _many(found)
    if len(found) > 1 and width is not None and max(map(len, told.split("\n"))) > width:
        return "\n".join(map(_single, found))
    return told


def _single(one: explaining.Explained) -> str:
    rows = [["value", _value(one.value)], *_origin("from", one.origin)]
    for part in one.given:
        rows += [["parameter", f"{part.name}, given by {part.by}"]] if part.origin is None else []
        rows += _origin("parameter", part.origin, f"{part.name}, given at ") if part.origin else []
    for overridden in one.overridden:
        rows += _origin("overrode", overridden)
    return (f"{one.path}\n" if one.path else "") + table(["", ""], rows, indent="  ")


def _origin(label: str, source: explaining.Source, head: str = "") -> list[list[str]]:
    by = f", by {source.how}" if source.how else ""
    return [[label, f"{head}{source.place} (layer {_layer(source, ', commit ')}{by})"]]


def _layer(source: explaining.Source, mark: str) -> str:
    revision = source.revision[:12] if len(source.revision) >= 40 else source.revision
    return f"{source.layer}{mark}{revision}" if revision else source.layer


def _many(found: tuple[explaining.Explained, ...]) -> str:
    """One line for each value, its path from the node that was asked for."""
    asked = found[0].path.removesuffix(found[0].below).removesuffix(".")
    rows = [
        [
            one.below,
            _value(one.value),
            one.origin.place,
            _layer(one.origin, " @ "),
            ", ".join(f"{part.name} ({part.place})" for part in one.given) or one.origin.how,
            " ".join(overridden.place for overridden in one.overridden),
        ]
        for one in found
    ]
    return (f"{asked}\n" if asked else "") + table(["path", "value", "from", "layer", "by", "overrode"], rows)


def _value(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) if not isinstance(value, str) else value
    first, *rest = text.split("\n")
    return (first[:80] + "..." if len(first) > 80 or any(rest) else first) if value != "" else '""'
