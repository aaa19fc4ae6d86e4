"""Rules on Kubernetes accounts: what excludes each other, custom resources, the kubeconfig in the tree."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial

from halgit import yaml as hyaml
from halgit.annotations import Final
from halgit.halyard.coercion import coerce_enum, coerce_integer, is_true
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, Severity, Value
from halgit.record import Record
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import STILL_OPEN, both, empty, list_items, owner, string_items, text
from halgit.validation.rules.local_files import Named, is_mounted, named
from halgit.validation.view import Node, View
from halgit.vocabulary import ItemCache


def accounts(view: View) -> Iterator[Node]:
    """Every Kubernetes account."""
    return view.accounts_of("kubernetes")


def is_version_1(account: Node) -> bool:
    """Return whether an account says providerVersion V1."""
    version = account.get("providerVersion")
    return version not in _VERSION_2 and coerce_enum(version, _VERSIONS) == "V1"


_VERSIONS: Final = "providers.kubernetes.KubernetesAccount.ProviderVersion"
_VERSION_2: Final = (None, "V2", "v2")


@lru_cache(maxsize=1)
def _noteworthy(view: View) -> tuple[Node, ...]:
    """Return the accounts in which one of the rules below can find something; overlays share most of the others."""
    return tuple(one for one in accounts(view) if not _ORDINARY.get(one.value, partial(_is_ordinary, one)))


_ORDINARY: Final[ItemCache[bool]] = ItemCache()


_NAMESPACES: Final = ("namespaces", "omitNamespaces")


def _is_ordinary(account: Node) -> bool:
    threads, listed = account.get("cacheThreads"), partial(list_items, account)
    return (
        not account.get("customResources")
        and not both(account, "kinds", "omitKinds")
        and not both(account, "namespaces", "omitNamespaces")
        and all(isinstance(name, str) and _NAMESPACE.fullmatch(name) for key in _NAMESPACES for name in listed(key))
        and (threads is None or (type(threads) is int and threads >= 0))
        and account.get("providerVersion") in _VERSION_2
    )


def _kinds(view: View) -> Iterator[Hit]:
    for account in _noteworthy(view):
        if both(account, "kinds", "omitKinds"):
            yield Hit(account.at("omitKinds"), f"{owner('kubernetes', account)} has both kinds and omitKinds.")


def _namespaces(view: View) -> Iterator[Hit]:
    for account in _noteworthy(view):
        if both(account, "namespaces", "omitNamespaces"):
            yield Hit(
                account.at("omitNamespaces"),
                f"{owner('kubernetes', account)} has both namespaces and omitNamespaces.",
            )


_NAMESPACE: Final = lazy_pattern(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _namespace_names(view: View) -> Iterator[Hit]:
    """Names that no namespace can have: Clouddriver finds nothing in them."""
    for account in _noteworthy(view):
        for key in _NAMESPACES:
            for item, name in string_items(account, key):
                if not _NAMESPACE.fullmatch(name) and not STILL_OPEN.search(name):
                    message = f"{owner('kubernetes', account)} has a namespace whose name is not valid: {name!r}."
                    yield Hit(item.path, message)


def _custom_kind(view: View) -> Iterator[Hit]:
    for account in _noteworthy(view):
        for resource in account.items("customResources"):
            if isinstance(resource.value, dict) and empty(resource, "kubernetesKind"):
                yield Hit(
                    resource.path, f"{owner('kubernetes', account)} has a custom resource without kubernetesKind."
                )


def _custom_uncached(view: View) -> Iterator[Hit]:
    for account in _noteworthy(view):
        if not account.get("customResources"):
            continue
        kinds = {word for _, word in string_items(account, "kinds")}
        omitted = {word for _, word in string_items(account, "omitKinds")}
        for resource in account.items("customResources"):
            kind = text(resource, "kubernetesKind")
            if kind and kinds and kind not in kinds:
                message = f"{owner('kubernetes', account)} has a custom resource {kind} that is not among its kinds."
                yield Hit(resource.at("kubernetesKind"), message, hint="Add it to kinds, or remove the resource.")
            if kind and kind in omitted:
                message = f"{owner('kubernetes', account)} has a custom resource {kind} and omits the kind."
                yield Hit(
                    resource.at("kubernetesKind"), message, hint="Remove it from omitKinds, or remove the resource."
                )


def _threads(view: View) -> Iterator[Hit]:
    for account in _noteworthy(view):
        threads = coerce_integer(account.get("cacheThreads"), 32)
        if threads is not None and threads < 0:
            yield Hit(account.at("cacheThreads"), f"{owner('kubernetes', account)} has cacheThreads below 0.")


def _version_1(view: View) -> Iterator[Hit]:
    for account in _noteworthy(view):
        if not is_version_1(account):
            continue
        more = [key for key in ("kinds", "omitKinds", "customResources") if account.get(key)]
        more += ["onlySpinnakerManaged"] if is_true(account.get("onlySpinnakerManaged")) else []
        without = f"; it has no effect on {' and '.join(more)}" if more else ""
        yield Hit(account.at("providerVersion"), f"{owner('kubernetes', account)} says V1, which is gone{without}.")


# --- kubeconfigs ---


def _needs_kubeconfig(account: Node) -> bool:
    return not is_true(account.get("serviceAccount"))


def _no_kubeconfig(view: View) -> Iterator[Hit]:
    for account in accounts(view):
        default = "/home/spinnaker/.kube/config"
        if _needs_kubeconfig(account) and empty(account, "kubeconfigFile") and not is_mounted(view, default):
            yield Hit(account.path, f"{owner('kubernetes', account)} names no kubeconfig and is no service account.")


class _Kubeconfig(Record):
    """Return the content of a kubeconfig, read once however many accounts name it."""

    empty: bool
    current: str
    contexts: dict[str, dict[str, Value]]
    users: dict[str, dict[str, Value]]


def _read(file: Named) -> _Kubeconfig | None:
    """A kubeconfig of the tree; None where it cannot be looked at."""
    data = file.data
    if data is MISSING:
        return None
    if not data or not isinstance(data, dict):
        return _Kubeconfig(True, "", {}, {})
    contexts, users = _entries(data, "contexts", "context"), _entries(data, "users", "user")
    return _Kubeconfig(False, _text(data.get("current-context")), contexts, users)


def _kubeconfig(view: View) -> Iterator[Hit]:
    known: dict[str, _Kubeconfig | None] = {}
    for account in accounts(view):
        file = named(view, account.get("kubeconfigFile")) if _needs_kubeconfig(account) else None
        if not isinstance(file, Named):
            continue
        if file.path not in known:
            known[file.path] = _read(file)
        kubeconfig = known[file.path]
        fault = None if kubeconfig is None else _fault(kubeconfig, account)
        if fault:
            key = "context" if fault[1] and account.get("context") is not None else "kubeconfigFile"
            message = f"{owner('kubernetes', account)}: its kubeconfig {file.path} {fault[0]}."
            yield Hit(account.at(key), message, severity=fault[2])


def _fault(kubeconfig: _Kubeconfig, account: Node) -> tuple[str, bool, Severity | None] | None:
    """Return a kubeconfig's fault, whether it is about the account's context, and a severity of its own.

    Of a context that is not there Halyard says nothing, nor of one without a user (`getKubeconfigUser`).
    """
    if kubeconfig.empty:
        return "is empty", False, None
    wanted = text(account, "context")
    if wanted is None and account.get("context") is not None:
        return None
    name = wanted or kubeconfig.current
    if not name:
        return "has no current-context, and the account names no context", False, None
    if name not in kubeconfig.contexts:
        if not kubeconfig.contexts:
            return None
        return f"has no context {name}{_listed(kubeconfig.contexts)}", True, Severity.WARNING
    user = _text(kubeconfig.contexts[name].get("user"))
    if user and user not in kubeconfig.users:
        return f"has a context {name} whose user is not among its users", True, None
    return None


def _listed(contexts: dict[str, dict[str, Value]]) -> str:
    """The contexts there are, where they are few."""
    return f" (contexts: {', '.join(sorted(contexts))})" if 0 < len(contexts) <= 10 else ""


def _entries(data: dict[str, Value], kind: str, inside: str) -> dict[str, dict[str, Value]]:
    found: dict[str, dict[str, Value]] = {}
    listed = data.get(kind)
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict):
            body = item.get(inside)
            found[_text(item.get("name"))] = body if isinstance(body, dict) else {}
    return found


def _text(value: Value) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else hyaml.to_java_string(value)


RULES = (
    Rule("kubernetes/cache-threads", _threads),
    Rule("kubernetes/custom-resource-not-cached", _custom_uncached),
    Rule("kubernetes/custom-resource-without-kind", _custom_kind),
    Rule("kubernetes/kinds-and-omit-kinds", _kinds),
    Rule("kubernetes/kubeconfig", _kubeconfig),
    Rule("kubernetes/namespace-name", _namespace_names),
    Rule("kubernetes/namespaces-and-omit-namespaces", _namespaces),
    Rule("kubernetes/no-kubeconfig", _no_kubeconfig),
    Rule("kubernetes/version-1", _version_1),
)
