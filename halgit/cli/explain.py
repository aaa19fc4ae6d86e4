"""`halgit explain`: where a value of the rendered tree comes from."""

from __future__ import annotations

from typing import Any

import click

from halgit import explain as explanation
from halgit.cli.commands import Command
from halgit.cli.options import access_options, format_option, log_options, source_options
from halgit.cli.output import Output
from halgit.cli.session import Compilation, Session
from halgit.errors import UsageError
from halgit.pipeline import Severity
from halgit.report.tables import Layout, table

_LONGEST = 80
"""Characters of a value that are shown."""


@click.command("explain", cls=Command)
@click.argument("target", metavar="FILE[:PATH]")
@source_options
@access_options
@format_option()
@log_options
@click.pass_obj
def command(output: Output, /, target: str, **options: Any) -> None:
    """Show where values of the rendered tree come from, and what they overrode.

    FILE is a file of the tree, PATH a value, mapping or list in it. Secrets are masked.

    \b
    Examples:
      halgit explain --overlay prod config
      halgit explain --repo . --overlay prod \\
        'config:deploymentConfigurations[name=default].providers.kubernetes.accounts[name=prod].context'
    """
    with Session(options, output) as run:
        compilation = run.compile(run.open())
        found = _explain(run, compilation, target)
        if output.json:
            values = [explanation.to_json(one) for one in found]
            output.answer({"file": explanation.split_target(target)[0], "values": values})
        else:
            output.result(_text(found, output.layout()))


def _explain(run: Session, compilation: Compilation, target: str) -> tuple[explanation.Explanation, ...]:
    """Explain the target. Raises FindingsError if it may be missing because files cannot be read."""
    from halgit.compiler import is_unreadable, require_below

    try:
        return explanation.explain(compilation.compiled, target, compilation.locator.position)
    except UsageError:
        unreadable = [one for one in compilation.findings if is_unreadable(one)]
        run.report(unreadable)
        require_below(unreadable, Severity.ERROR, written="")
        raise


def _text(found: tuple[explanation.Explanation, ...], layout: Layout) -> str:
    """Format a table, or one value after the other if the terminal is too narrow for it."""
    text = _single(found[0], layout) if len(found) == 1 else _table(found, layout)
    if len(found) > 1 and layout.columns and max(map(len, text.split("\n"))) > layout.columns:
        return "\n".join(_single(one, layout) for one in found)
    return text


def _single(one: explanation.Explanation, layout: Layout) -> str:
    rows = [
        ["value", _value(one.value, layout)],
        *(["read as", text] for text in _read_as(one, layout)),
        ["from", _origin(one.origin)],
    ]
    for parameter in one.parameters:
        place = f"at {_origin(parameter.origin)}" if parameter.origin else f"by {parameter.set_by}"
        rows.append(["parameter", f"{parameter.name}, set {place}"])
    rows += [["overrode", _origin(origin)] for origin in one.overridden]
    return (f"{one.path}\n" if one.path else "") + table(["", ""], rows, indent="  ")


def _origin(source: explanation.SourceLocation) -> str:
    by = f", by {source.how}" if source.how else ""
    return f"{source.place} (layer {_layer(source, ', commit ')}{by})"


def _layer(source: explanation.SourceLocation, separator: str) -> str:
    revision = source.revision[:12] if len(source.revision) >= 40 else source.revision
    return f"{source.layer}{separator}{revision}" if revision else source.layer


def _table(found: tuple[explanation.Explanation, ...], layout: Layout) -> str:
    """Format one line for each value, with its path relative to the requested node."""
    node = found[0].path.removesuffix(found[0].below).removesuffix(".")
    rows = [
        [
            one.below,
            " ".join([_value(one.value, layout), *(f"(read as {text})" for text in _read_as(one, layout))]),
            one.origin.place,
            _layer(one.origin, " @ "),
            ", ".join(f"{part.name} ({part.place})" for part in one.parameters) or one.origin.how,
            " ".join(origin.place for origin in one.overridden),
        ]
        for one in found
    ]
    return (f"{node}\n" if node else "") + table(["path", "value", "from", "layer", "by", "overrode"], rows)


def _read_as(one: explanation.Explanation, layout: Layout) -> list[str]:
    """Return what the reader of the file makes of the value, if that is something else."""
    reading = one.read_as
    if reading.is_default:
        default = "" if reading.value is None else f", which sets {_value(reading.value, layout)}"
        return [f"absent by {reading.reader}{default}"]
    text = _value(reading.value, layout)
    return [f"{text} by {reading.reader}"] if reading.reader and text != _value(one.value, layout) else []


def _value(value: Any, layout: Layout) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value == "":
        return '""'
    first, *rest = layout.clean(str(value)).split("\n")
    return f"{first[:_LONGEST]}..." if any(rest) else layout.shorten(first, _LONGEST)
