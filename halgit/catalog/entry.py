"""The entry of one finding id: what users read about it, wherever it is reported."""

from __future__ import annotations

from halgit.pipeline import Severity
from halgit.record import Record


class Entry(Record):
    """One finding id.

    `severity` is the default; a producer lowers or raises it where the text says so. `halyard` says what Halyard or the
    service does, `impact` what that means for the user, `fix` the next step. `example` holds one or two files that
    cause the finding, each after a line `# PATH`; empty where the cause is not a file. `fatal`: no tree can be rendered
    after this finding, so it cannot be waived, ignored or lowered. `late`: it comes after validation, because it is
    about the value of a secret, or from another program.
    """

    id: str
    severity: Severity
    summary: str
    halyard: str
    impact: str
    fix: str
    example: str = ""
    fatal: bool = False
    late: bool = False

    @property
    def subject(self) -> str:
        """The part of the id before the `/`."""
        return self.id.split("/", 1)[0]

    @property
    def uri(self) -> str:
        """The address of the entry in the documentation."""
        return f"{DOCUMENTATION}#{self.id.replace('/', '')}"


DOCUMENTATION = "https://github.com/opsmx/halgit/blob/main/docs/rules.md"
