"""What Halyard binds without complaint and then stumbles over: crashes on load, and what it cannot write back.

Only what its own code is known to do with a halconfig that fits its classes; the rules know what is merely unwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from halgit import yaml as hyaml
from halgit.halyard import model
from halgit.masking import Secret, Woven
from halgit.tree import Finding, Path, Severity, Value

CRASH = "schema/crash"
CANNOT_REWRITE = "schema/cannot-rewrite"

_HIDDEN = "\0"


def crashes(config: Value, file: str) -> Iterator[Finding]:
    """What makes Halyard fail with a NullPointerException while it loads a halconfig that it could bind."""
    for provider, path, node in model.providers(config):
        if provider == "dcos":
            for where, account in _accounts(path, node):
                if account.get("clusters") is None:
                    yield _say(CRASH, file, where, "A DC/OS account without clusters crashes Halyard.", "Add clusters.")
        if provider in {"oracle", "oraclebmcs"}:
            yield from _oracle(path, node, file)


def _oracle(path: Path, node: dict[str, Value], file: str) -> Iterator[Finding]:
    names = [_text(account.get("name")) for _, account in _accounts(path, node)]
    primary = _text(node.get("primaryAccount"))
    if names and _HIDDEN not in {*names, primary} and (primary is None or primary not in names):
        where = (*path, "primaryAccount") if "primaryAccount" in node else path
        message = "Halyard crashes on Oracle accounts whose primaryAccount names none of them, enabled or not."
        yield _say(CRASH, file, where, message, "Set primaryAccount to the name of one of the accounts.")


def cannot_rewrite(config: Value, file: str) -> Iterator[Finding]:
    """What Halyard loads, and then fails on whenever it writes or generates something."""
    for provider, path, node in model.providers(config):
        nameless_fails = node.get("primaryAccount") is not None
        for where, account in _accounts(path, node):
            if provider == "dockerRegistry" and account.get("address") is None:
                message = "A Docker registry account without an address fails when Halyard generates or saves."
                yield _say(CANNOT_REWRITE, file, where, message, "Add address, such as https://index.docker.io.")
            if nameless_fails and account.get("name") is None:
                message = "An account without a name, beside a primaryAccount, fails when Halyard generates or saves."
                yield _say(CANNOT_REWRITE, file, where, message, "Add name.")


def null_item(path: Path, file: str) -> Finding:
    """An item without a value in a list of mappings."""
    key = next((str(step) for step in reversed(path) if isinstance(step, str)), "the list")
    message = f"An item of {key} is empty; Halyard fails on it when it generates or saves."
    return _say("schema/null-item", file, path, message, "Take the dash out, or write the item.")


def is_account(path: Path) -> bool:
    """Whether a place is an item of a provider's accounts."""
    return len(path) == 6 and path[2] == "providers" and path[4] == "accounts"


def _accounts(path: Path, provider: dict[str, Value]) -> Iterator[tuple[Path, dict[str, Value]]]:
    accounts = provider.get("accounts")
    for number, account in enumerate(accounts if isinstance(accounts, list) else ()):
        if isinstance(account, dict):
            yield (*path, "accounts", number), account


def _text(value: Value) -> str | None:
    """The text of a name; None where there is none, _HIDDEN where it is a secret and cannot be compared."""
    if isinstance(value, (Secret, Woven)):
        return _HIDDEN
    return None if value is None or isinstance(value, (dict, list, bytes)) else hyaml.java_text(value)


def _say(rule: str, file: str, path: Path, message: str, mend: str) -> Finding:
    return Finding(rule, Severity.ERROR, message, mend, file, path)
