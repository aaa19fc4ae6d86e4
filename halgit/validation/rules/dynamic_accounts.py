"""Rules on the files of dynamic accounts, which Clouddriver reads through its config server, and what they hide.

They are looked at as they stand in the source: nothing is merged into them and no parameter is replaced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from halgit import yaml as hyaml
from halgit.annotations import TYPE_CHECKING
from halgit.halyard.coercion import is_true
from halgit.pipeline import Path, Value
from halgit.text.limits import MAX_REPEATS
from halgit.text.phrases import add_article, describe_kind, join_words
from halgit.validation.account_access import activation_faults
from halgit.validation.account_files import Document
from halgit.validation.account_keys import check_name, find_key, find_provider, is_dead
from halgit.validation.rule import Hit, Rule
from halgit.validation.view import View

if TYPE_CHECKING:
    from halgit.validation.account_providers import Effect


def documents(view: View) -> Iterator[Document]:
    """Every document of every file, in the order of precedence, lowest first."""
    for file in view.account_files:
        yield from file.documents


def hits(document: Document, notes: Iterable[tuple[Path, str, str]]) -> Iterator[Hit]:
    """Yield path, message and next step (empty: the rule's own) of each finding in a document.

    Of more than can be shown, only the first ones and the last have a place of their own.
    """
    every = list(notes)
    shown = [*every[: MAX_REPEATS + 1], *every[-1:]]
    spots = document.places(path for path, _, _ in shown)
    for number, (path, message, hint) in enumerate(every):
        spot = spots[min(number, len(spots) - 1)]
        yield Hit(path, message, document.file, hint, spot.line, spot.column)


def _name(account: dict[str, Value]) -> str | None:
    name = account.get(find_key(account, "name"))
    return None if name is None or isinstance(name, (dict, list)) else hyaml.to_java_string(name)


def owner_of(provider: str, account: dict[str, Value]) -> str:
    """Return an account as messages name it."""
    return f"account {_name(account)}" if _name(account) else f"{provider} account without a name"


# --- what hides what ---


def _hides_halconfig(view: View) -> Iterator[Hit]:
    config_server = view.profile("spinnakerconfig.yml")
    if config_server is None or view.deployment is None:
        return
    remote: dict[str, tuple[Document, Path, set[str]]] = {}
    for document in documents(view):
        for provider, path, accounts in document.lists():
            if accounts:
                names = {_name(account) or "" for account in accounts if isinstance(account, dict)}
                remote[provider] = (document, path, names)
    for key, section in view.deployment.entries("providers"):
        found = remote.get(find_provider(key))
        if found is None or not is_true(section.get("enabled")):
            continue
        document, path, names = found
        own = [_name(node.value) for node in section.items("accounts") if isinstance(node.value, dict)]
        lost = [name for name in own if name is not None and name not in names]
        if lost:
            verb = "disappears" if len(lost) == 1 else "disappear"
            message = f"This list hides the {key} accounts of the halconfig: {join_words(lost)} {verb}."
            hint = f"Repeat {'it' if len(lost) == 1 else 'them'} in this list."
            yield from hits(document, [(path, message, hint)])


def _list_twice(view: View) -> Iterator[Hit]:
    last: dict[str, Document] = {}
    before: list[tuple[str, Path, Document]] = []
    for document in documents(view):
        for provider, path, _ in document.lists():
            before.append((provider, path, document))
            last[provider] = document
    for provider, path, document in before:
        winner = last[provider]
        if winner is not document:
            place = f"a later document of {winner.file}" if winner.file == document.file else winner.file
            message = f"The {provider} accounts of {place} hide this list: Spring does not merge lists."
            yield from hits(document, [(path, message, "")])


def _duplicate(view: View) -> Iterator[Hit]:
    seen: dict[str, tuple[str, str]] = {}
    for document in documents(view):
        notes: list[tuple[Path, str, str]] = []
        for provider, path, account in document.accounts():
            name = _name(account)
            if name is None:
                continue
            if name.lower() in seen:
                other, file = seen[name.lower()]
                where = file if file != document.file else "this file"
                message = f"The account {name} is a duplicate: {where} has {add_article(other)} account of this name."
                notes.append(((*path, "name"), message, ""))
            else:
                seen[name.lower()] = (provider, document.file)
        yield from hits(document, notes)


# --- single files and entries ---


def _several_documents(view: View) -> Iterator[Hit]:
    for file in view.account_files:
        if len(file.documents) > 1:
            message = f"{file.path} holds {len(file.documents)} YAML documents; Spring takes lists from the last one."
            yield from hits(file.documents[1], [((), message, "")])


def faults(view: View, effect: Effect) -> Iterator[Hit]:
    """The faults of all entries that cost this."""
    for document in documents(view):
        notes: list[tuple[Path, str, str]] = []
        for provider, path, account, fault in view.account_faults(document):
            if fault.effect == effect:
                message = f"The {owner_of(provider, account)}: {fault.message}."
                hint = fault.suggest() if len(notes) < MAX_REPEATS else fault.hint
                notes.append(((*path, *fault.path), message, hint))
        yield from hits(document, notes)


def _dead_key(view: View) -> Iterator[Hit]:
    for document in documents(view):
        places: dict[tuple[str, str], list[Path]] = defaultdict(list)
        for provider, path, account in document.accounts():
            for key in account:
                if is_dead(provider, str(key)):
                    places[provider, str(key)].append((*path, key))
        notes = []
        for (_, key), paths in places.items():
            more = "" if len(paths) == 1 else f", in {len(paths)} accounts"
            notes.append((paths[0], f"Clouddriver no longer supports {key} and ignores it{more}.", ""))
        yield from hits(document, notes)


def _skipped(view: View) -> Iterator[Hit]:
    for document in documents(view):
        notes: list[tuple[Path, str, str]] = []
        for _, path, account in document.accounts():
            name = _name(account)
            if name:
                place = (*path, find_key(account, "name"))
                notes += [(place, f"The account {name}: {fault}.", "Rename it.") for fault in check_name(name)]
        yield from hits(document, notes)
    yield from faults(view, "account")


def _overridden(view: View) -> Iterator[Hit]:
    for path in view.compiled.accounts:
        if path.endswith(".properties"):
            yield Hit((), f"{path} takes precedence over the YAML file beside it.", path, "", 1, 1)
    for path in sorted(view.compiled.linked):
        message = f"{path} is a symbolic link, so that Spring reads another file."
        yield Hit((), message, path, "Replace it by the file itself.", 1, 1)
    for document in documents(view):
        yield from hits(
            document, [(path, f"{path[-1]} {words}.", "Remove it.") for path, words in activation_faults(document.data)]
        )


def _unknown_key(view: View) -> Iterator[Hit]:
    return faults(view, "ignored")


def _wrong_type(view: View) -> Iterator[Hit]:
    for document in documents(view):
        notes = [
            (path, f"{path[-1]} is {describe_kind(value)}; Clouddriver expects a list.", "Write a list of accounts.")
            for path, value in document.broken_lists()
        ]
        yield from hits(document, notes)
    yield from faults(view, "provider")


def _unreadable(view: View) -> Iterator[Hit]:
    for file in view.account_files:
        for fault in file.faults:
            yield Hit(fault.path, fault.message, file.path, fault.hint, fault.line, fault.column)


RULES = (
    Rule("dynamic-accounts/dead-key", _dead_key),
    Rule("dynamic-accounts/duplicate-name", _duplicate),
    Rule("dynamic-accounts/hides-halconfig", _hides_halconfig),
    Rule("dynamic-accounts/overridden", _overridden),
    Rule("dynamic-accounts/several-lists", _list_twice),
    Rule("dynamic-accounts/several-documents", _several_documents),
    Rule("dynamic-accounts/skipped", _skipped),
    Rule("dynamic-accounts/unknown-key", _unknown_key),
    Rule("dynamic-accounts/unreadable", _unreadable),
    Rule("dynamic-accounts/wrong-type", _wrong_type),
)
