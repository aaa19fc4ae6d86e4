"""Rules on what accounts of single clouds need: keys that must not be empty, pairs that go together.

Tables, because Halyard's validators ask the same few questions of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from halgit.annotations import Final
from halgit.halyard.coercion import coerce_integer, is_true
from halgit.lazy import lazy_pattern
from halgit.pipeline import Severity
from halgit.record import replace
from halgit.text.phrases import add_article, join_words, suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import STILL_OPEN, both, empty, half, owner, text, word
from halgit.validation.view import Node, View

_PLACEHOLDER: Final = lazy_pattern(r".\{.*\}")
_REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "oracle": ("compartmentId", "userId", "fingerprint", "sshPrivateKeyFilePath", "tenancyId", "region"),
    "oraclebmcs": ("compartmentId", "userId", "fingerprint", "sshPrivateKeyFilePath", "tenancyId", "region"),
    "appengine": ("project",),
    "cloudfoundry": ("api", "user", "password"),
    "huaweicloud": ("authUrl", "username", "password", "projectName", "domainName", "regions"),
    "tencentcloud": ("secretId", "secretKey", "regions"),
}
_PAIRS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "appengine": (
        ("gitHttpsUsername", "gitHttpsPassword"),
        ("sshPrivateKeyFilePath", "sshPrivateKeyPassphrase"),
    ),
}
_BAKERY: Final[dict[str, tuple[str, ...]]] = {
    "huaweicloud": (
        "authUrl", "username", "password", "projectName", "domainName", "vpcId", "subnetId", "securityGroup",
        "eipBandwidthSize",
    ),
    "tencentcloud": ("secretId", "secretKey"),
    "google": ("zone", "network"),
}  # fmt: skip
_BAKERY_DEFAULTS: Final = {"google": ("zone", "network")}
"""Keys Halyard fills in itself where they are absent: only an empty string is a fault."""

_IMAGE: Final[dict[str, tuple[str, ...]]] = {
    "huaweicloud": ("region", "instanceType", "sourceImageId", "sshUserName", "eipType"),
    "tencentcloud": ("region", "zone", "instanceType", "sourceImageId", "sshUserName"),
}


def _missing(node: Node, keys: Sequence[str]) -> list[str]:
    return [key for key in keys if node.get(key) in (None, "", [])]


def _incomplete_accounts(view: View) -> Iterator[Hit]:
    for provider, account in view.accounts:
        gone = _missing(account, _REQUIRED.get(provider, ()))
        if provider == "google" and not empty(account, "project"):
            gone = []
        elif provider == "google":
            gone = [] if empty(account, "jsonPath") else ["project"]
        if gone:
            swallowed = _is_swallowed(provider, account, gone)
            message = f"{owner(provider, account)} has no {join_words(gone)}."
            severity = Severity.WARNING if swallowed else None
            yield Hit(account.at(gone[0]), message, hint=f"Set {join_words(gone)}.", severity=severity)


def _is_swallowed(provider: str, account: Node, gone: list[str]) -> bool:
    """True if Halyard's validator of this account ends with an exception, which nobody sees, before it reports."""
    if provider == "huaweicloud":
        return gone == ["regions"] and account.get("regions") is None
    return provider == "cloudfoundry" or (provider in {"google", "appengine"} and not empty(account, "jsonPath"))


def _half_logins(view: View) -> Iterator[Hit]:
    for provider, account in view.accounts:
        for one, other in _PAIRS.get(provider, ()):
            yield from half(account, owner(provider, account), one, other)


def _unverified_certificates(view: View) -> Iterator[Hit]:
    keys = {"cloudfoundry": "skipSslValidation", "huaweicloud": "insecure"}
    for provider, account in view.accounts:
        key = keys.get(provider, "")
        if key and is_true(account.get(key)):
            yield Hit(account.at(key), f"{owner(provider, account)} does not verify the server's certificate.")
    for provider, node in view.providers:
        if provider == "huaweicloud" and is_true(node.get("bakeryDefaults", "insecure")):
            message = "The bakery of huaweicloud does not verify the server's certificate."
            yield Hit(node.at("bakeryDefaults", "insecure"), message)
        if provider == "dcos":
            for cluster in node.items("clusters"):
                if is_true(cluster.get("insecureSkipTlsVerify")):
                    message = f"The DC/OS cluster {text(cluster, 'name')} does not verify certificates."
                    yield Hit(cluster.at("insecureSkipTlsVerify"), message)


def _base_images(view: View) -> Iterator[Hit]:
    for provider, node in view.providers:
        for image in node.items("bakeryDefaults", "baseImages"):
            if isinstance(image.value, dict) and image.get("baseImage") is None:
                yield Hit(image.path, f"A base image of {provider} has no baseImage.")


def _bakeries(view: View) -> Iterator[Hit]:
    for provider, node in view.providers:
        seen = provider != "google" or node.get("accounts")
        for hit in _bakery_of(provider, node.node("bakeryDefaults")):
            yield hit if seen else replace(hit, severity=Severity.WARNING)


def _bakery_of(provider: str, bakery: Node) -> Iterator[Hit]:
    wanted = _BAKERY.get(provider, ())
    if provider in _BAKERY_DEFAULTS:
        gone = [key for key in wanted if bakery.get(key) == ""]
    else:
        used = any(key != "templateFile" and value for key, value in _entries(bakery))
        gone = _missing(bakery, wanted) if used else []
    if gone:
        yield Hit(
            bakery.at(gone[0]), f"The bakery of {provider} has no {join_words(gone)}.", hint=f"Set {join_words(gone)}."
        )
    for image in bakery.items("baseImages"):
        yield from _base_image(provider, image)


def _entries(node: Node) -> list[tuple[str, object]]:
    return list(node.value.items()) if isinstance(node.value, dict) else []


def _base_image(provider: str, image: Node) -> Iterator[Hit]:
    settings = image.get("virtualizationSettings")
    if provider == "google":
        if empty(image, "virtualizationSettings", "sourceImage") and empty(
            image, "virtualizationSettings", "sourceImageFamily"
        ):
            message = "A base image of google has neither sourceImage nor sourceImageFamily."
            yield Hit(image.at("virtualizationSettings"), message, hint="Set one of them.")
    elif provider in _IMAGE:
        first = Node(
            (*image.path, "virtualizationSettings", 0), settings[0] if isinstance(settings, list) and settings else None
        )
        gone = _missing(first, _IMAGE[provider])
        if gone:
            yield Hit(
                first.path, f"A base image of {provider} has no {join_words(gone)}.", hint=f"Set {join_words(gone)}."
            )
    if provider in {*_IMAGE, "google"} and image.get("baseImage") and empty(image, "baseImage", "packageType"):
        yield Hit(image.at("baseImage"), f"A base image of {provider} has no packageType.", hint="Set packageType.")


def _foundry_links(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("cloudfoundry"):
        for key in ("appsManagerUri", "metricsUri"):
            if empty(account, key):
                yield Hit(account.path, f"{owner('cloudfoundry', account)} has no {key}.", hint=f"Set {key}.")


_API: Final = lazy_pattern(r"[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
"""What Clouddriver takes for the host of an API: it puts https:// before it."""


def _foundry_settings(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("cloudfoundry"):
        for key in ("appsManagerUri", "metricsUri"):
            said = text(account, key)
            if said and not said.lower().startswith(("http://", "https://")):
                whose = owner("cloudfoundry", account)
                yield Hit(account.at(key), f"{whose} has {add_article(key)} that is not an http address.")
        api = text(account, "api")
        if api and not _PLACEHOLDER.fullmatch(api) and not STILL_OPEN.search(api) and not _API.fullmatch(api):
            message = f"{owner('cloudfoundry', account)} has an api that is not a host name, so no account loads."
            yield Hit(account.at("api"), message, hint="Write the host alone, such as api.example.com.")
    for provider, node in view.providers:
        retries = coerce_integer(node.get("clientConfig", "maxRetries"), 32)
        if provider == "cloudfoundry" and retries is not None and retries < 1:
            message = "clientConfig.maxRetries of cloudfoundry is below 1."
            yield Hit(node.at("clientConfig", "maxRetries"), message, hint="Write 1 or more.")


def _unknown_hosts(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("appengine"):
        if is_true(account.get("sshTrustUnknownHosts")) and not empty(account, "jsonPath"):
            message = f"{owner('appengine', account)} trusts every SSH host."
            yield Hit(account.at("sshTrustUnknownHosts"), message)


def _foundry_placeholders(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("cloudfoundry"):
        for key in ("api", "user", "password"):
            value = account.get(key)
            if isinstance(value, str) and word(value.replace("$", "")) and _PLACEHOLDER.fullmatch(value):
                yield Hit(account.at(key), f"{owner('cloudfoundry', account)} has a placeholder in {key}.")


_SNS_TOPIC: Final = lazy_pattern(r"arn:aws:sns:[^:]+:[^:]+:[^:]+")
_IAM_ROLE: Final = lazy_pattern(r"arn:aws:iam::[^:]+:[^:]+")
_HOOK_RESULTS: Final = ("ABANDON", "CONTINUE")


def _lifecycle_hooks(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("aws"):
        for hook in account.items("lifecycleHooks"):
            if isinstance(hook.value, dict):
                yield from _lifecycle_hook(owner("aws", account), hook)


def _lifecycle_hook(whose: str, hook: Node) -> Iterator[Hit]:
    """Halyard gives up on a hook silently where an ARN is missing, so that nothing after it is looked at."""
    for key, pattern, example in (
        ("notificationTargetARN", _SNS_TOPIC, "arn:aws:sns:REGION:ACCOUNT:TOPIC"),
        ("roleARN", _IAM_ROLE, "arn:aws:iam::ACCOUNT:role/NAME"),
    ):
        if hook.get(key) is None:
            yield Hit(hook.path, f"{whose} has a hook that lacks {key}.", hint=f"Set {key}.", severity=Severity.WARNING)
            return
        said = text(hook, key)
        if said is not None and not pattern.fullmatch(said):
            yield Hit(hook.at(key), f"{whose} has a hook whose {key} is not such an ARN.", hint=f"Write {example}.")
    if hook.get("defaultResult") not in _HOOK_RESULTS:
        message = f"{whose} has a hook whose defaultResult is neither ABANDON nor CONTINUE."
        yield Hit(hook.at("defaultResult"), message, hint="Use ABANDON or CONTINUE.")
    seconds = coerce_integer(hook.get("heartbeatTimeout"), 32)
    if hook.get("heartbeatTimeout") is None or (seconds is not None and not 30 <= seconds <= 7200):
        message = f"{whose} has a hook whose heartbeatTimeout is not between 30 and 7200 seconds."
        yield Hit(hook.at("heartbeatTimeout"), message, hint="Write a number of seconds, such as 3600.")


def _ecs_accounts(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        names = [text(account, "name") for account in deployment.node("providers", "aws").items("accounts")]
        known = [name for name in names if name is not None]
        if len(known) < len(names):
            continue
        for account in deployment.node("providers", "ecs").items("accounts"):
            wanted = text(account, "awsAccount")
            if known and empty(account, "awsAccount") and isinstance(account.value, dict):
                message = f"{owner('ecs', account)} names no AWS account."
                yield Hit(account.at("awsAccount"), message, hint="Set awsAccount.")
            if wanted and wanted not in known:
                message = f"{owner('ecs', account)} names an AWS account {wanted}, which does not exist."
                hint = suggest_nearest(wanted, known, "Add it under providers.aws.accounts.")
                severity = None if known else Severity.WARNING
                yield Hit(account.at("awsAccount"), message, hint=hint, severity=severity)


def _dcos_providers(view: View) -> Iterator[Node]:
    return (node for provider, node in view.providers if provider == "dcos")


def _duplicate_clusters(view: View) -> Iterator[Hit]:
    for node in _dcos_providers(view):
        seen: set[str] = set()
        for cluster in node.items("clusters"):
            name = text(cluster, "name")
            if name is not None and name in seen:
                yield Hit(cluster.at("name"), f"The DC/OS cluster {name} is a duplicate.")
            seen.add(name or "")


def _dcos_credentials(view: View) -> Iterator[Hit]:
    for node in _dcos_providers(view):
        known = {name for cluster in node.items("clusters") if (name := text(cluster, "name")) is not None}
        for account in node.items("accounts"):
            whose = owner("dcos", account)
            seen: set[tuple[str, str]] = set()
            if account.get("clusters") == []:
                yield Hit(account.at("clusters"), f"{whose} has no clusters.", hint="Add the credentials of one.")
            for one in account.items("clusters"):
                yield from _dcos_credential(whose, one, known, seen)


def _dcos_credential(whose: str, one: Node, known: set[str], seen: set[tuple[str, str]]) -> Iterator[Hit]:
    name, user = text(one, "name"), text(one, "uid")
    if name is not None and name not in known:
        hint = suggest_nearest(name, known, "Add it under providers.dcos.clusters.")
        yield Hit(one.at("name"), f"{whose} names a cluster {name}, which does not exist.", hint=hint)
    if name is not None and user is not None:
        if (name, user) in seen:
            yield Hit(
                one.at("uid"), f"{whose} has credentials of {user} for {name} more than once.", hint="Keep one of them."
            )
        seen.add((name, user))
    if both(one, "password", "serviceKeyFile"):
        message = f"{whose} has a password and a serviceKeyFile for {name}."
        yield Hit(one.at("serviceKeyFile"), message, hint="Keep one of them.")


def _no_dcos_login(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("dcos"):
        for one in account.items("clusters"):
            if empty(one, "password") and empty(one, "serviceKeyFile"):
                message = f"{owner('dcos', account)} has neither password nor serviceKeyFile for a cluster."
                yield Hit(one.path, message)


def _incomplete_clusters(view: View) -> Iterator[Hit]:
    for node in _dcos_providers(view):
        for cluster in node.items("clusters"):
            name = text(cluster, "name") or int(cluster.path[-1]) + 1
            if empty(cluster, "dcosUrl"):
                yield Hit(cluster.path, f"The DC/OS cluster {name} has no dcosUrl.", hint="Set dcosUrl.")
            if empty(cluster, "loadBalancer", "image"):
                message = f"The DC/OS cluster {name} has no loadBalancer.image."
                yield Hit(cluster.path, message, hint="Set loadBalancer.image.")


RULES = (
    Rule("aws/ecs-account", _ecs_accounts),
    Rule("aws/lifecycle-hook", _lifecycle_hooks),
    Rule("clouds/appengine-unknown-hosts", _unknown_hosts),
    Rule("clouds/bakery", _bakeries),
    Rule("clouds/base-image", _base_images),
    Rule("clouds/cloudfoundry-links", _foundry_links),
    Rule("clouds/cloudfoundry-placeholder", _foundry_placeholders),
    Rule("clouds/cloudfoundry-settings", _foundry_settings),
    Rule("clouds/half-login", _half_logins),
    Rule("clouds/incomplete-account", _incomplete_accounts),
    Rule("clouds/unverified-certificate", _unverified_certificates),
    Rule("dcos/cluster", _incomplete_clusters),
    Rule("dcos/duplicate-cluster", _duplicate_clusters),
    Rule("dcos/credentials", _dcos_credentials),
    Rule("dcos/no-login", _no_dcos_login),
)
