"""What Halyard binds without complaint and then stumbles over: crashes on load, and what it cannot write back.

Only what its own code is known to do with a halconfig that fits its classes; the rules know what is merely unwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from halgit import yaml as hyaml
from halgit.halyard import model
from halgit.halyard.coercion import is_true
from halgit.pipeline import Finding, Path, Severity, Value
from halgit.redaction import Secret, SecretText

CRASH = "schema/crash"
CANNOT_REWRITE = "schema/cannot-rewrite"

_HIDDEN = "\0"


def crashes(config: Value, file: str) -> Iterator[Finding]:
    """What makes Halyard fail with a NullPointerException while it loads a halconfig that it could bind."""
    oracle_in_use = False
    for provider, path, node in sorted(model.list_providers(config), key=lambda found: found[0] == "oraclebmcs"):
        if provider == "dcos":
            for number, account in enumerate(_accounts(node)):
                if isinstance(account, dict) and account.get("clusters") is None:
                    where = (*path, "accounts", number)
                    yield _say(CRASH, file, where, "A DC/OS account without clusters crashes Halyard.", "Add clusters.")
        if provider == "oracle" or (provider == "oraclebmcs" and not oracle_in_use):
            oracle_in_use = bool(_accounts(node))
            yield from _oracle(path, node, file)


def _oracle(path: Path, node: dict[str, Value], file: str) -> Iterator[Finding]:
    """Oracle's providers are asked for their primary account before they know the deployment they belong to."""
    names, primary = _names(node), _text(node.get("primaryAccount"))
    if not names or _HIDDEN in {*names, primary}:
        return
    before = names[: names.index(primary)] if primary in names else names
    if primary is None or primary not in names or None in before:
        where = (*path, "primaryAccount") if "primaryAccount" in node else path
        message = "Halyard crashes on Oracle accounts whose primaryAccount names none of them, enabled or not."
        yield _say(CRASH, file, where, message, "Set primaryAccount to the name of the first account.")


def cannot_rewrite(config: Value, file: str) -> Iterator[Finding]:
    """What Halyard loads, and then fails on whenever it writes or generates something."""
    for provider, path, node in model.list_providers(config):
        stumbles = _stumbles(node, _bootstrap_only(config, path))
        for number, account in enumerate(_accounts(node)):
            where = (*path, "accounts", number)
            nameless = account is None or (isinstance(account, dict) and account.get("name") is None)
            if stumbles and nameless:
                message = "An account without a name fails when Halyard looks for the primary account, on every save."
                yield _say(CANNOT_REWRITE, file, where, message, "Add name." if account else "Take the dash out.")
            if provider == "dockerRegistry" and isinstance(account, dict) and account.get("address") is None:
                message = "A Docker registry account without an address fails when Halyard generates or saves."
                yield _say(CANNOT_REWRITE, file, where, message, "Add address, such as https://index.docker.io.")


def _stumbles(node: dict[str, Value], bootstrap_only: bool) -> bool:
    """Whether looking for the primary account meets an account without a name, as `Provider.getPrimaryAccount` does.

    It compares names up to the one it looks for; without it the first account counts, which may be nameless but not
    null, or (with `bootstrapOnly`) the first that is not Spinnaker's own.
    """
    names, primary = _names(node), _text(node.get("primaryAccount"))
    if not names or _HIDDEN in {*names, primary}:
        return False
    if primary is not None:
        before = names[: names.index(primary)] if primary in names else names
        if None in before or primary in names:
            return None in before
    return None in names if bootstrap_only else _accounts(node)[0] is None


def _bootstrap_only(config: Value, path: Path) -> bool:
    environment = config["deploymentConfigurations"][path[1]].get("deploymentEnvironment")
    return isinstance(environment, dict) and is_true(environment.get("bootstrapOnly"))


def null_item(path: Path, file: str) -> Finding:
    """An item without a value in a list of mappings."""
    key = next((str(step) for step in reversed(path) if isinstance(step, str)), "the list")
    message = f"An item of {key} is empty; Halyard fails on it when it generates or saves."
    return _say("schema/null-item", file, path, message, "Take the dash out, or write the item.")


def _accounts(provider: dict[str, Value]) -> list[Value]:
    accounts = provider.get("accounts")
    return accounts if isinstance(accounts, list) else []


def _names(provider: dict[str, Value]) -> list[str | None]:
    """The names of a provider's accounts; None for an account that has none, or is null."""
    return [_text(item.get("name")) if isinstance(item, dict) else None for item in _accounts(provider)]


def _text(value: Value) -> str | None:
    """The text of a name; None where there is none, _HIDDEN where it is a secret and cannot be compared."""
    if isinstance(value, (Secret, SecretText)):
        return _HIDDEN
    return None if value is None or isinstance(value, (dict, list, bytes)) else hyaml.to_java_string(value)


def _say(rule: str, file: str, path: Path, message: str, hint: str) -> Finding:
    return Finding(rule, Severity.ERROR, message, hint, file, path)
