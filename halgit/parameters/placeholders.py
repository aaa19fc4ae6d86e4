"""The grammar of `${{ params.NAME }}` in one text. Knows no parameter and no file.

`$${{` stands for `${{`; `${{ secret('...') }}` and `secretFile`, escaped or not, belong to the references and are left
as they are; any other `${{` is a stray. `${...}` is Spring's and Spinnaker's and is not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_PLACEHOLDER = re.compile(
    rf"""
      \${{1,2}}\{{\{{ (?= [ \t]* secret (?:File)? [ \t]* \( )     # a reference, or its escape
    | (?P<escape> \$\$\{{\{{ )
    | \$\{{\{{ \s* params \. (?P<name> {_NAME} ) \s* \}}\}}
    | (?P<stray> \$\{{\{{ )
    """,
    re.VERBOSE,
)
_REST = re.compile(r"\$\{\{[^\n]{0,60}?\}\}")


@dataclass(frozen=True, slots=True)
class Use:
    """A parameter's place in a text: `text[start:end]` is the whole placeholder."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stray:
    """A `${{` that is no parameter, at `start`; `text` is what a message shows of it."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """A text taken apart: literal parts, with escapes resolved, and uses between them."""

    parts: tuple[str | Use, ...]
    strays: tuple[Stray, ...] = ()

    @property
    def alone(self) -> Use | None:
        """The use that is all of the text."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, Use) else None

    @property
    def uses(self) -> tuple[Use, ...]:
        """The uses, in order."""
        return tuple(part for part in self.parts if isinstance(part, Use))


def take_apart(text: str) -> Template:
    """The template of a text."""
    parts: list[str | Use] = []
    strays: list[Stray] = []
    done = 0
    for match in _PLACEHOLDER.finditer(text):
        if match["stray"]:
            rest = _REST.match(text, match.start())
            strays.append(Stray(match.start(), rest.group() if rest else "${{"))
        elif match["escape"]:
            parts.append(text[done : match.start()] + "${{")
            done = match.end()
        elif match["name"]:
            parts += [text[done : match.start()], Use(match["name"], *match.span())]
            done = match.end()
    parts.append(text[done:])
    return Template(tuple(part for part in parts if part), tuple(strays))
