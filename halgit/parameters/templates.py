"""The grammar of `${{ params.NAME }}` in one string.

`$${{` stands for a literal `${{`. `${{ secret('...') }}` and `secretFile`, escaped or not, are references and kept as
they are; any other `${{` is an unknown expression. `${...}` belongs to Spring and Spinnaker and is not looked at.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from functools import partial

from halgit.lazy import lazy_pattern
from halgit.pipeline import File, Finding, Layer
from halgit.record import Record
from halgit.vocabulary import ItemCache

OPEN = "${{"

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_EXPRESSION = lazy_pattern(
    rf"""
      \${{1,2}}\{{\{{ (?= [ \t]* secret (?:File)? [ \t]* \( )     # a reference, or its escape
    | (?P<escape> \$\$\{{\{{ )
    | \$\{{\{{ \s* params \. (?P<name> {_NAME} ) \s* \}}\}}
    | (?P<unknown> \$\{{\{{ )
    """,
    re.VERBOSE,
)
_SHOWN_PART = lazy_pattern(r"\$\{\{[^\n]{0,60}?\}\}")


class Use(Record):
    """The use of a parameter in a string: `text[start:end]` is the whole expression."""

    name: str
    start: int
    end: int


class UnknownExpression(Record):
    """A `${{` at `start` that is not a parameter; `text` is the part to show in a message."""

    start: int
    text: str


class Template(Record):
    """A parsed string: literal parts, with escapes resolved, and the uses of parameters between them."""

    parts: tuple[str | Use, ...]
    unknown: tuple[UnknownExpression, ...] = ()

    @property
    def only_use(self) -> Use | None:
        """The use that is the whole string, if there is one."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, Use) else None

    @property
    def uses(self) -> tuple[Use, ...]:
        """The uses, in order."""
        return tuple(part for part in self.parts if isinstance(part, Use))


def parse_template(text: str) -> Template:
    """Parse a string."""
    parts: list[str | Use] = []
    unknown: list[UnknownExpression] = []
    done = 0
    for match in _EXPRESSION.finditer(text):
        if match["unknown"]:
            shown = _SHOWN_PART.match(text, match.start())
            unknown.append(UnknownExpression(match.start(), shown.group() if shown else OPEN))
        elif match["escape"]:
            parts.append(text[done : match.start()] + OPEN)
            done = match.end()
        elif match["name"]:
            parts += [text[done : match.start()], Use(match["name"], *match.span())]
            done = match.end()
    parts.append(text[done:])
    return Template(tuple(part for part in parts if part), tuple(unknown))


class Substitution(Record):
    """Files with their parameters replaced, the names of the parameters used, and all findings."""

    files: Mapping[str, File]
    used: frozenset[str]
    findings: tuple[Finding, ...]


def may_contain_expression(file: File, layers: Sequence[Layer]) -> bool:
    """Return whether a file can contain `${{`; a quick look at the bytes it comes from."""
    if isinstance(file.body, bytes):
        return OPEN.encode() in file.body
    own = [layer for layer in layers if layer.id in file.layers]
    texts = [text for layer in own for text in (layer.files.get(file.path, b""), layer.settings.text)]
    return any(map(_contains_open, texts))


def _contains_open(text: bytes) -> bool:
    search = partial(operator.contains, text, OPEN.encode())
    return _TEXTS.get(text, search) if len(text) > _LARGE else search()


_LARGE = 64 * 1024
_TEXTS: ItemCache[bool] = ItemCache(most=8)
"""The results for the texts of more bytes than that: overlays share them."""
