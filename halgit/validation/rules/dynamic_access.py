"""Rules on what dynamic accounts reach, and on what Spring makes of their file: secrets, kubeconfigs, other spellings.

The account writer refuses the same; see `account_access.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from halgit import yaml as hyaml
from halgit.annotations import Any, Final
from halgit.pipeline import Path, Value
from halgit.record import replace
from halgit.validation.account_access import (
    CIPHER,
    SERVED,
    empty_values,
    is_outside,
    is_well_formed,
    lacks_access,
    lost_filters,
    pod_fields,
    spelling_faults,
    strings_in,
)
from halgit.validation.account_files import Document
from halgit.validation.account_keys import find_key
from halgit.validation.account_kubeconfigs import kubeconfig_faults
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.dynamic_accounts import documents, faults, hits, owner_of
from halgit.validation.rules.kubeconfigs import find_kubeconfigs
from halgit.validation.view import View

_KEEP: Final = ("halgit", "keep")


def _cipher(view: View) -> Iterator[Hit]:
    for document in documents(view):
        yield from hits(document, [
            (path, f"{path[-1]} begins with {CIPHER} and is not a value that Spring can decrypt.", "")
            for path, text in document.ciphers() if not is_well_formed(text)
        ])  # fmt: skip


def _freeze(view: View) -> Iterator[Hit]:
    for document in documents(view):
        found = document.ciphers()
        in_accounts = {path for _, start, _ in document.accounts() for path, _ in found if path[: len(start)] == start}
        if in_accounts and len(in_accounts) == len(found):
            message = (
                "Every {cipher} value of this file belongs to an account. Clouddriver freezes when the last one goes."
            )
            yield from hits(document, [(found[0][0], message, "")])


def _lost_filter(view: View) -> Iterator[Hit]:
    for document in documents(view):
        if not document.ciphers():
            continue
        yield from hits(document, [
            ((*path, find_key(account, "spaceFilter"), key),
             f"The {owner_of(provider, account)}: Spring loses the key {key} of spaceFilter, because the file has"
             " {cipher} values and the key has a space. The account reaches every space.", "")
            for provider, path, account in document.accounts() for key in lost_filters(provider, account)
        ])  # fmt: skip


def _empty_value(view: View) -> Iterator[Hit]:
    for document in documents(view):
        if not any(path != _KEEP for path, _ in document.ciphers()):
            continue
        yield from hits(document, [
            ((*path, *below),
             f"The {owner_of(provider, account)}: Spring reads the empty {below[-1]} as text, because the file has"
             " {cipher} values.", "")
            for provider, path, account in document.accounts() for below in empty_values(account)
        ])  # fmt: skip


def _no_access(view: View) -> Iterator[Hit]:
    for document in documents(view):
        yield from hits(document, [
            (path, f"The {owner_of(provider, account)} has no kubeconfig and no service account.", "")
            for provider, path, account in document.accounts() if lacks_access(provider, account)
        ])  # fmt: skip


def _placeholder(view: View) -> Iterator[Hit]:
    for document in documents(view):
        yield from hits(document, [
            ((*path, *below), f"{below[-1]} holds ${{, which Spring takes for a placeholder.", "")
            for _, path, account in document.accounts() for below, text in strings_in(account) if "${" in text
        ])  # fmt: skip


def _spelling(view: View) -> Iterator[Hit]:
    for document in documents(view):
        notes = [
            (path, f"Spring reads this differently: {words}.", "") for path, words in spelling_faults(document.data)
        ]
        yield from hits(document, notes)
    yield from faults(view, "spelling")


def _kubeconfig(view: View) -> Iterator[Hit]:
    for document in documents(view):
        notes: list[tuple[Path, str, str]] = []
        for provider, path, account in document.accounts():
            faults = [*_missing_files(view, provider, account), *_contents_faults(account)]
            notes += [((*path, *below), f"The {owner_of(provider, account)}: {words}.", "") for below, words in faults]
        yield from hits(document, notes)
    contexts = _contexts(view)
    for kubeconfig in find_kubeconfigs(view):
        text = view.compiled.served.get(kubeconfig.file)
        if text is None:
            continue
        data = kubeconfig.data if isinstance(kubeconfig.data, dict) else {}
        for context in contexts.get(kubeconfig.file, [""]):
            for words in kubeconfig_faults(data, context or _current(data)):
                yield kubeconfig.hit((), f"The kubeconfig cannot be used: {words}.")
        if text.count(b"${") > text.count(b"\\${"):
            message = "The kubeconfig holds ${, which Spring takes for a placeholder."
            yield replace(kubeconfig.hit((), message), hint="Write \\${ for it.")


def _contexts(view: View) -> dict[str, list[str]]:
    """The contexts that accounts use of each file of the store; an empty one is the file's current context."""
    found: dict[str, dict[str, None]] = {}
    for document in documents(view):
        for _, _, account in document.accounts():
            file = str(account.get(find_key(account, "kubeconfigFile")) or "")
            context = account.get(find_key(account, "context"))
            for path in (file.removeprefix(SERVED), f"accounts/{file.removeprefix(SERVED)}"):
                found.setdefault(path, {})["" if context is None else str(context)] = None
    return {path: list(contexts) for path, contexts in found.items()}


def _missing_files(view: View, provider: str, account: dict[str, Value]) -> Iterator[tuple[Path, str]]:
    for path, value, kind in pod_fields(provider, account):
        file = value.removeprefix(SERVED)
        if not kind and (is_outside(file) or not {file, f"accounts/{file}"} & set(view.compiled.served)):
            yield path, f"{path[-1]} names {file}, which is not a file of the store"


def _contents_faults(account: dict[str, Value]) -> Iterator[tuple[Path, str]]:
    """The faults of a kubeconfig that is plain text in the entry."""
    key = find_key(account, "kubeconfigContents")
    text = account.get(key)
    if not isinstance(text, str) or not text or text.startswith(CIPHER) or "${" in text:
        return
    read = hyaml.read(text.encode("utf-8", "surrogatepass"), "")
    if read.findings or not isinstance(read.data, dict):
        yield (key,), f"{key} is not a kubeconfig"
        return
    context = account.get(find_key(account, "context"))
    for words in kubeconfig_faults(read.data, str(context or _current(read.data))):
        yield (key,), f"its kubeconfig cannot be used: {words}"


def _current(data: Any) -> str:
    return str(data.get("current-context") or "")


def pod_files(document: Document) -> Iterator[tuple[Path, str]]:
    """Path and words for each field of an account that makes Clouddriver read a file of its pod."""
    for provider, path, account in document.accounts():
        for below, value, kind in pod_fields(provider, account):
            if kind == "local-file":
                use = "write to" if str(below[-1]).lower().endswith("directory") else "read"
                place = "folder" if use == "write to" else "file"
                yield (*path, *below), f"{below[-1]} makes Clouddriver {use} {value}, a {place} of its pod."


RULES = (
    Rule("dynamic-accounts/cipher", _cipher),
    Rule("dynamic-accounts/empty-value", _empty_value),
    Rule("dynamic-accounts/freeze", _freeze),
    Rule("dynamic-accounts/kubeconfig", _kubeconfig),
    Rule("dynamic-accounts/lost-filter", _lost_filter),
    Rule("dynamic-accounts/no-access", _no_access),
    Rule("dynamic-accounts/placeholder", _placeholder),
    Rule("dynamic-accounts/spelling", _spelling),
)
