"""Reads ordinary command lines, and the variables of their options, without click.

Ordinary is what needs no message: known long options with valid values. Everything else is None here, and click decides
about it; so both have the same result for every command line, which a test compares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from halgit.cli.declarations import CommandDeclaration, OptionDeclaration
from halgit.lazy import lazy_pattern

TYPE_CHECKING = False  # `typing` is not imported on the path of every command
if TYPE_CHECKING:
    from typing import Any

_WORDS = {"true": True, "1": True, "false": False, "0": False}
"""Values of a flag's variable; click knows more."""


OTHER_VARIABLES = frozenset({"HALGIT_GIT_TOKEN", "HALGIT_GIT_USER", "HALGIT_TERMINATION_FILE", "HALGIT_HOME"})
"""Variables that no option declares."""

_NOT_OURS = lazy_pattern(r"HALGIT_PARAM_|HALGIT_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$")
"""Parameters, and the variables Kubernetes sets for a Service named halgit."""


def option_variables(environment: Iterable[str]) -> list[str]:
    """Return the names of variables that an option should have declared."""
    ours = [name for name in environment if name.startswith("HALGIT_") and name not in OTHER_VARIABLES]
    return [name for name in ours if not _NOT_OURS.match(name)]


def has_unknown_variables(options: Iterable[OptionDeclaration], environment: Collection[str]) -> bool:
    """Return whether click has to look at the variables: for completion, or to warn of one that is misspelled."""
    return "_HALGIT_COMPLETE" in environment or not {one.variable for one in options}.issuperset(
        option_variables(environment)
    )


def parse_options(
    command: CommandDeclaration, arguments: Sequence[str], environment: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return the value of every option, as click would; None if click has to look at the command line."""
    if not all(one.is_ordinary for one in command.options):
        return None
    values = {one.name: one.default_value() for one in command.options}
    try:
        values.update(_of_variables(command.options, environment))
        values.update(_of_arguments(command.options, arguments))
    except ValueError:
        return None
    return values


def _of_variables(options: Sequence[OptionDeclaration], environment: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for one in options:
        text = environment.get(one.variable) if one.variable else None
        if not text:
            continue
        if one.is_flag:
            if text not in _WORDS:
                raise ValueError
            yield one.name, _WORDS[text]
        elif one.is_multiple:
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            yield one.name, tuple(one.type.parse(line) for line in lines)
        else:
            yield one.name, one.type.parse(text)


def _of_arguments(options: Sequence[OptionDeclaration], arguments: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield the last value of each option, and all values of one that may be repeated. Raises ValueError."""
    known = {one.long: one for one in options}
    lists: dict[str, list[Any]] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, text = argument.partition("=")
        one = known.get(name)
        if one is None or (one.is_flag and equals):
            raise ValueError
        if one.is_flag:
            yield one.name, True
            continue
        value = one.type.parse(text if equals else _following(rest))
        if one.is_multiple:
            lists.setdefault(one.name, []).append(value)
        else:
            yield one.name, value
    yield from ((name, tuple(values)) for name, values in lists.items())


def _following(rest: Iterator[str]) -> str:
    """Return the argument after an option. Raises ValueError if it is missing, or may be an option itself."""
    text = next(rest, None)
    if text is None or text.startswith("-"):
        raise ValueError
    return text
