"""Commands, groups and options as click knows them, with options in groups and suggestions for misspelled names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

COMMON = "Options"
_ENDLESS = frozenset({"sync", "serve"})
"""Commands that run until they are stopped; for them --timeout limits each fetch only."""

GENERAL = "General"


class Option(click.Option):
    """An option that is listed under the heading of its group."""

    def __init__(self, *args: Any, group: str = COMMON, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.group = group


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """Declare an option that is also read from HALGIT_ and its long name; `group` is its heading in the help."""
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    settings.setdefault("envvar", "HALGIT_" + long[2:].replace("-", "_").upper())
    if settings.get("multiple"):
        settings.setdefault("type", Lines())
    return click.option(*names, cls=Option, **settings)


def combine(options: Iterable[Callable[[F], F]]) -> Callable[[F], F]:
    """Combine several options into one decorator, in their order."""
    ordered = list(options)

    def decorate(command: F) -> F:
        for one in reversed(ordered):
            command = one(command)
        return command

    return decorate


class Lines(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A string that may be repeated, on the command line or as lines of one environment variable."""

    name = "text"
    envvar_list_splitter = "\n"

    def split_envvar_value(self, rv: str) -> list[str]:
        return [line.strip() for line in rv.split("\n") if line.strip()]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)


class Seconds(click.FloatRange):
    """A duration of at most a day; `nan`, which is in every range, is refused."""

    def __init__(self, least: float) -> None:
        super().__init__(min=least, max=86_400)

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

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_option_groups(self, ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        from halgit.cli.variables import warn_of_unknown_variables

        warn_of_unknown_variables(ctx)
        is_main = threading.current_thread() is threading.main_thread()
        if "timeout" not in ctx.params or ctx.info_name in _ENDLESS or not is_main:
            return super().invoke(ctx)
        from halgit.cli.process import end_limit, limit_run

        limit_run(ctx.params["timeout"])
        try:
            return super().invoke(ctx)
        finally:
            end_limit()


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
