"""What a rule is: its name, how bad it is, what it says to people, and the function that looks.

A rule looks at a `View` and yields `Hit`s. It knows no severities but its own default, and no positions: the
compiler finds the layer's line behind each path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from halgit.pipeline import Path, Severity
from halgit.validation.view import View


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing a rule found: its file and path in the rendered tree, the words, and the next step if it has its own.

    `message` is a sentence that names the thing; it never holds a secret's value. `line` and `column` only where
    the file is no document of the tree with paths. An empty `hint` takes the rule's.
    """

    path: Path
    message: str
    file: str = "config"
    hint: str = ""
    line: int = 0
    column: int = 0
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `halyard` says what Halyard (or the service) does about it, `reason` why it matters, `hint` the fix."""

    id: str
    severity: Severity
    summary: str
    halyard: str
    impact: str
    fix: str
    check: Callable[[View], Iterable[Hit]]

    @property
    def subject(self) -> str:
        """The part of the id before the `/`."""
        return self.id.split("/", 1)[0]
