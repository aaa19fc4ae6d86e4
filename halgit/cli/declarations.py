"""Declarations of options and commands without click, which takes longer to import than most commands work.

`command_line` reads ordinary command lines by them. `commands` turns them into click's options and commands, for help,
completion, error messages and everything else that is not ordinary.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

TYPE_CHECKING = False  # `typing` is not imported on the path of every command
if TYPE_CHECKING:
    from typing import Any, TypeVar

    import click

    F = TypeVar("F", bound=Callable[..., Any])

COMMON = "Options"
GENERAL = "General"


class Text:
    """A string; the type of an option without another one. With `multiple` also a line of a variable."""

    def parse(self, text: str) -> Any:
        """Return the value of a text. Raises ValueError if click has to decide about it."""
        return text

    def click_type(self, *, is_multiple: bool) -> click.ParamType[Any] | None:
        """Return the type for click; None for its own."""
        from halgit.cli.commands import Lines

        return Lines() if is_multiple else None


class Choice(Text):
    """One of several words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def parse(self, text: str) -> str:
        if text not in self.words:
            raise ValueError
        return text

    def click_type(self, *, is_multiple: bool) -> click.ParamType[Any]:
        import click

        return click.Choice(self.words)


class Count(Text):
    """An integer between two bounds, which are included."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def parse(self, text: str) -> int:
        number = int(text)
        if not self.least <= number <= self.most:
            raise ValueError
        return number

    def click_type(self, *, is_multiple: bool) -> click.ParamType[Any]:
        import click

        return click.IntRange(self.least, self.most)


DAY = 86_400
"""In seconds: the longest duration of an option."""


class Seconds(Text):
    """A duration of at most a day."""

    def __init__(self, least: float) -> None:
        self.least = least

    def parse(self, text: str) -> float:
        seconds = float(text)
        if not self.least <= seconds <= DAY:  # also of `nan`
            raise ValueError
        return seconds

    def click_type(self, *, is_multiple: bool) -> click.ParamType[Any]:
        from halgit.cli.commands import SecondsRange

        return SecondsRange(self.least)


class FilePath(Text):
    """A path; a file or directory that exists must be readable."""

    def parse(self, text: str) -> Path:
        if os.path.exists(text) and not os.access(text, os.R_OK):
            raise ValueError
        return Path(text)

    def click_type(self, *, is_multiple: bool) -> click.ParamType[Any]:
        import click

        return click.Path(path_type=Path)


class OptionDeclaration:
    """One option, which decorates the function of a command.

    `name` is the function's argument, `variable` the environment variable, `settings` what only click needs.
    """

    def __init__(self, names: Sequence[str], settings: dict[str, Any]) -> None:
        self.names = names
        self.long = next(one for one in names if one.startswith("--")).split("/")[0]
        self.name = next((one for one in names if not one.startswith("-")), self.long[2:].replace("-", "_"))
        self.variable: str | None = settings.pop("envvar", "HALGIT_" + self.long[2:].replace("-", "_").upper())
        self.is_multiple: bool = settings.pop("multiple", False)
        self.is_flag: bool = settings.pop("is_flag", False)
        self.type: Any = settings.pop("type", Text())
        self.default: Any = settings.pop("default", None)
        self.settings = settings

    def __call__(self, function: F) -> F:
        """Add the option before those that are declared below it, where click's decorators keep them too."""
        function.__dict__.setdefault("__click_params__", []).append(self)
        return function

    @property
    def is_ordinary(self) -> bool:
        """Whether `command_line` understands the option; it knows nothing of the settings that click evaluates."""
        is_known = self.settings.keys() <= {"help", "group", "metavar", "show_default", "shell_complete"}
        has_type = type(self.type) is Text if self.is_multiple else isinstance(self.type, Text)
        return is_known and has_type and self.names[0] == self.long

    def default_value(self) -> Any:
        """Return the value of an option that is not set."""
        if self.is_flag:
            return bool(self.default)
        if self.is_multiple:
            return tuple(self.default or ())
        return self.type.parse(self.default) if isinstance(self.default, str) else self.default


def option(*names: str, **settings: Any) -> OptionDeclaration:
    """Declare an option that is also read from HALGIT_ and its long name; `group` is its heading in the help."""
    return OptionDeclaration(names, settings)


def combine(options: Iterable[Callable[..., Any]]) -> Callable[[F], F]:
    """Combine several options into one decorator, in their order."""
    ordered = list(options)

    def decorate(command: F) -> F:
        for one in reversed(ordered):
            command = one(command)
        return command

    return decorate


class CommandDeclaration:
    """A command of options only: a function that takes the program's output and the value of every option."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.function = function
        self.options: list[OptionDeclaration] = function.__dict__.pop("__click_params__", [])[::-1]


def declare_command(name: str) -> Callable[[Callable[..., Any]], CommandDeclaration]:
    """Declare a command, below whose decorator are those of its options."""
    return lambda function: CommandDeclaration(name, function)
