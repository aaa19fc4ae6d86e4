"""The table of all rules, one module per subject, listed by hand.

A subject is imported when a tree can have findings of it: most trees have no dynamic accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from halgit.annotations import TYPE_CHECKING, Any
from halgit.record import Record
from halgit.validation.rule import Rule
from halgit.validation.view import View
from halgit.vocabulary import gather_vocabulary


def _has_anything(view: View) -> bool:
    return True


def _has_accounts(view: View) -> bool:
    """Return whether there are files of dynamic accounts, or beside them."""
    return bool(view.compiled.accounts or view.compiled.served)


def _has_other_files(view: View) -> bool:
    """Return whether there is a file besides the halconfig, in the tree or skipped."""
    compiled = view.compiled
    return bool(compiled.files.keys() - {"config"} or compiled.skipped or compiled.accounts)


def _has_pods(view: View) -> bool:
    """Return whether the halconfig has parts of pods."""
    return not _PARTS_OF_PODS.isdisjoint(gather_vocabulary(view.config.value).keys)


_PARTS_OF_PODS = frozenset({"initContainers", "hostAliases", "tolerations"})


class Subject(Record):
    """A module of rules; `applies` says whether one of them can find something in a tree."""

    module: str
    applies: Callable[[View], bool] = _has_anything

    def rules(self) -> tuple[Rule, ...]:
        """Import the rules of the subject."""
        found: tuple[Rule, ...] = import_module(f"{__name__}.{self.module}").RULES
        return found


SUBJECTS = (
    Subject("accounts"),
    Subject("clouds"),
    Subject("deployment"),
    Subject("dynamic_access", _has_accounts),
    Subject("dynamic_accounts", _has_accounts),
    Subject("environment"),
    Subject("integrations"),
    Subject("kubeconfigs"),
    Subject("kubernetes"),
    Subject("unchecked_fields"),
    Subject("local_files"),
    Subject("pods", _has_pods),
    Subject("profile_contents", _has_other_files),
    Subject("profiles", _has_other_files),
    Subject("schema"),
    Subject("secret_sizes"),
    Subject("security"),
    Subject("service_settings", _has_other_files),
    Subject("trust"),
    Subject("templates"),
    Subject("values"),
    Subject("versions"),
)
"""Every subject, in the order in which their rules are listed and run."""


def list_rules(view: View | None = None) -> Iterator[Rule]:
    """List the rules that can find something in a tree; all rules without one."""
    for subject in SUBJECTS:
        if view is None or subject.applies(view):
            yield from subject.rules()


if TYPE_CHECKING:
    ALL: tuple[Rule, ...]
else:

    def __getattr__(name: str) -> Any:
        """Import all rules, for `ALL`."""
        if name != "ALL":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return tuple(list_rules())
