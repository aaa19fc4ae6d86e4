"""Rules that say what the schemas find: keys and values that Halyard, or the reader of another file, refuses.

One rule for each kind of fault, so that each can be chosen, waived and explained; `schema` finds them all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from halgit.pipeline import Severity
from halgit.validation.rule import Hit, Rule
from halgit.validation.view import View

_REFUSED = "Halyard binds the whole halconfig at once and ends with `Could not translate your halconfig`."
_NOTHING = "No command of Halyard works until it is mended."


def _of(rule: str) -> Callable[[View], Iterator[Hit]]:
    def check(view: View) -> Iterator[Hit]:
        for one in view.refused:
            if one.rule == rule:
                yield Hit(one.path, one.message, one.file, one.hint, one.line, one.column, one.severity)

    return check


def _rule(name: str, summary: str, halyard: str, reason: str, hint: str) -> Rule:
    return Rule(f"schema/{name}", Severity.ERROR, summary, halyard, reason, hint, _of(f"schema/{name}"))


RULES = (
    _rule(
        "unknown-key",
        "A key that the reader of the file does not know.",
        f"{_REFUSED} In other files an unknown key is ignored, and the finding is a warning.",
        "In the halconfig no command of Halyard works; elsewhere what the key says has no effect.",
        "Correct the key, move it to its place, or take it out.",
    ),
    _rule(
        "missing-key",
        "A key is missing that tells what the rest of a mapping is.",
        _REFUSED,
        _NOTHING,
        "Add the key.",
    ),
    _rule(
        "wrong-type",
        "A value is of the wrong kind.",
        f"{_REFUSED} Of service-settings it ends with an unexpected exception.",
        "Nothing can be deployed, or the service that reads the file does not start.",
        "Write a value of the right kind.",
    ),
    _rule(
        "enum",
        "A word is none of those that can stand here.",
        f"{_REFUSED} The letter case counts.",
        _NOTHING,
        "Write one of the words, exactly as they are listed.",
    ),
    _rule(
        "range",
        "A number is too large or too small.",
        _REFUSED,
        _NOTHING,
        "Write a number within the bounds.",
    ),
    _rule(
        "address",
        "An address cannot be read.",
        "Halyard takes addresses apart with java.net.URI and java.net.URL while it loads the halconfig.",
        _NOTHING,
        "Write scheme://host:port/path, without blanks.",
    ),
    _rule(
        "null-key",
        "A key is null.",
        _REFUSED,
        _NOTHING,
        "Name the key, or quote it.",
    ),
    _rule(
        "null-item",
        "An item of a list is empty.",
        "Halyard keeps it as null and ends with a NullPointerException when it generates or saves.",
        "Nothing can be deployed.",
        "Take the dash out, or write the item.",
    ),
    _rule(
        "crash",
        "Halyard crashes while it loads the halconfig.",
        "Halyard ends with a NullPointerException and says `Unexpected exception`.",
        _NOTHING,
        "Complete the entry.",
    ),
    _rule(
        "cannot-rewrite",
        "Halyard loads the halconfig and then fails to generate from it.",
        "Halyard asks each provider for its primary account, or an account for its address, and meets null.",
        "Nothing can be deployed, and no hal config command can save.",
        "Complete the account.",
    ),
    _rule(
        "unreadable",
        "A kubeconfig does not parse.",
        "Halyard reads the kubeconfig of every account when it generates and ends with a FATAL problem.",
        "Nothing can be deployed.",
        "Correct the file.",
    ),
)
