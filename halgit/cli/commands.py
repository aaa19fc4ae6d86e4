"""Commands, groups and options as click knows them, with options in groups and suggestions for misspelled names."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import click

from halgit.cli.declarations import COMMON, DAY, GENERAL, CommandDeclaration, OptionDeclaration, Text
from halgit.cli.process import call_within_limit

_ENDLESS = frozenset({"sync", "serve"})
"""Commands that run until they are stopped; for them --timeout limits each fetch only."""


class Option(click.Option):
    """An option that is listed under the heading of its group."""

    def __init__(self, *args: Any, group: str = COMMON, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.group = group


def convert_option(declaration: OptionDeclaration) -> Option:
    """Return the option as click has it."""
    kind = declaration.type
    kind = kind.click_type(is_multiple=declaration.is_multiple) if isinstance(kind, Text) else kind
    settings = {"multiple": declaration.is_multiple, "type": kind, **declaration.settings}
    if declaration.is_flag:
        settings["is_flag"] = True
    if declaration.default is not None:
        settings["default"] = declaration.default
    return Option(declaration.names, envvar=declaration.variable, **settings)


def _convert_all(parameters: Any) -> list[click.Parameter]:
    return [convert_option(one) if isinstance(one, OptionDeclaration) else one for one in parameters or ()]


class Lines(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A string that may be repeated, on the command line or as lines of one environment variable."""

    name = "text"
    envvar_list_splitter = "\n"

    def split_envvar_value(self, rv: str) -> list[str]:
        return [line.strip() for line in rv.split("\n") if line.strip()]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)


class SecondsRange(click.FloatRange):
    """A duration of at most a day; `nan`, which is in every range, is refused."""

    def __init__(self, least: float) -> None:
        super().__init__(min=least, max=DAY)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        return seconds if seconds == seconds else self.fail("nan is not a duration.", param, ctx)


class _OptionNames(click.Command):
    """A command that suggests the nearest option for an unknown one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from halgit.text.phrases import suggest_nearest

            names = [name for parameter in self.get_params(ctx) for name in parameter.opts if name.startswith("--")]
            hint = suggest_nearest(error.option_name, names, "")
            raise click.UsageError(f"Unknown option {error.option_name}. {hint}".rstrip(), ctx) from None


class Command(_OptionNames):
    """A command whose help lists its options by group, the common ones first."""

    def __init__(self, name: str | None, params: Any = None, **settings: Any) -> None:
        super().__init__(name, params=_convert_all(params), **settings)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_option_groups(self, ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        from halgit.cli.variables import warn_of_unknown_variables

        warn_of_unknown_variables(ctx)
        if ctx.info_name in _ENDLESS:
            return super().invoke(ctx)
        return call_within_limit(lambda: super(Command, self).invoke(ctx), ctx.params.get("timeout"), ctx.obj)


def build_command(declaration: CommandDeclaration) -> Command:
    """Return a declared command as click has it."""
    function = declaration.function
    return Command(
        declaration.name, callback=click.pass_obj(function), params=declaration.options, help=function.__doc__
    )


def _write_option_groups(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    groups: dict[str, list[tuple[str, str]]] = {COMMON: []}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record:
            groups.setdefault(getattr(parameter, "group", GENERAL), []).append(record)
    groups[GENERAL] = groups.pop(GENERAL, [])
    for heading, records in groups.items():
        if records:
            with formatter.section(heading):
                formatter.write_dl(records)


class Group(_OptionNames, click.Group):
    """A group of commands that suggests the nearest name for an unknown one."""

    command_class = Command

    def __init__(self, name: str | None, params: Any = None, **settings: Any) -> None:
        super().__init__(name, params=_convert_all(params), **settings)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            from halgit.text.phrases import suggest_nearest

            names = self.list_commands(ctx)
            hint = suggest_nearest(name, names, f"The commands are {', '.join(names)}.")
            raise click.UsageError(f"Unknown command {name!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)


class GroupWithOptions(Group):
    """A group that is a command too: it has options of its own, and runs without a command below it."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **{"invoke_without_command": True, "no_args_is_help": False, **settings})

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_option_groups(self, ctx, formatter)
        self.format_commands(ctx, formatter)


def format_names(commands: MutableMapping[str, str], formatter: click.HelpFormatter) -> None:
    """Write the section of commands with one line for each."""
    with formatter.section("Commands"):
        formatter.write_dl(list(commands.items()))
