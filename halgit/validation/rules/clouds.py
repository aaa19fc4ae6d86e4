"""Rules on what accounts of single clouds need: keys that must not be empty, pairs that go together.

Tables, because Halyard's validators ask the same few questions of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from halgit.halyard.coercion import coerce_integer, is_true
from halgit.pipeline import Severity
from halgit.text.phrases import join_words
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import empty, half, owner, text, word
from halgit.validation.view import Node, View

_PLACEHOLDER: Final = re.compile(r".\{.*\}")
_AT_DEPLOY = "`hal deploy apply` validates every account, also of a provider that is not enabled"
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
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
"""Keys Halyard fills in itself where they are absent: only an empty text is a fault."""

_IMAGE: Final[dict[str, tuple[str, ...]]] = {
    "huaweicloud": ("region", "instanceType", "sourceImageId", "sshUserName", "eipType"),
    "tencentcloud": ("region", "zone", "instanceType", "sourceImageId", "sshUserName"),
}


def _gone(node: Node, keys: Sequence[str]) -> list[str]:
    return [key for key in keys if node.get(key) in (None, "", [])]


def _incomplete(view: View) -> Iterator[Hit]:
    for provider, account in view.accounts:
        gone = _gone(account, _NEEDED.get(provider, ()))
        if provider == "google" and not empty(account, "project"):
            gone = []
        elif provider == "google":
            gone = [] if empty(account, "jsonPath") else ["project"]
        if gone:
            swallowed = provider == "huaweicloud" and account.get(*gone) is None and gone == ["regions"]
            message = f"{owner(provider, account)} has no {join_words(gone)}."
            severity = Severity.WARNING if swallowed else None
            yield Hit(account.at(gone[0]), message, hint=f"Set {join_words(gone)}.", severity=severity)


def _half(view: View) -> Iterator[Hit]:
    for provider, account in view.accounts:
        for one, other in _PAIRS.get(provider, ()):
            yield from half(account, owner(provider, account), one, other)


def _unsafe(view: View) -> Iterator[Hit]:
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


def _bakery(view: View) -> Iterator[Hit]:
    for provider, node in view.providers:
        seen = provider != "google" or node.get("accounts")
        for hit in _bakery_of(provider, node.node("bakeryDefaults")):
            yield hit if seen else replace(hit, severity=Severity.WARNING)


def _bakery_of(provider: str, bakery: Node) -> Iterator[Hit]:
    wanted = _BAKERY.get(provider, ())
    if provider in _BAKERY_DEFAULTS:
        gone = [key for key in wanted if bakery.get(key) == ""]
    else:
        used = any(key != "templateFile" and value for key, value in _items(bakery))
        gone = _gone(bakery, wanted) if used else []
    if gone:
        yield Hit(
            bakery.at(gone[0]), f"The bakery of {provider} has no {join_words(gone)}.", hint=f"Set {join_words(gone)}."
        )
    for image in bakery.items("baseImages"):
        yield from _base_image(provider, image)


def _items(node: Node) -> list[tuple[str, object]]:
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
        gone = _gone(first, _IMAGE[provider])
        if gone:
            yield Hit(
                first.path, f"A base image of {provider} has no {join_words(gone)}.", hint=f"Set {join_words(gone)}."
            )
    if provider in {*_IMAGE, "google"} and empty(image, "baseImage", "packageType"):
        yield Hit(image.at("baseImage"), f"A base image of {provider} has no packageType.", hint="Set packageType.")


def _foundry(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("cloudfoundry"):
        for key in ("appsManagerUri", "metricsUri"):
            if account.get(key) is None:
                yield Hit(account.path, f"{owner('cloudfoundry', account)} has no {key}.", hint=f"Set {key}.")


def _foundry_address(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("cloudfoundry"):
        for key in ("appsManagerUri", "metricsUri"):
            said = text(account, key)
            if said is not None and not said.lower().startswith(("http://", "https://")):
                yield Hit(account.at(key), f"{owner('cloudfoundry', account)} has no http address as {key}.")
    for provider, node in view.providers:
        retries = coerce_integer(node.get("clientConfig", "maxRetries"), 32)
        if provider == "cloudfoundry" and retries is not None and retries < 1:
            message = "clientConfig.maxRetries of cloudfoundry is below 1."
            yield Hit(node.at("clientConfig", "maxRetries"), message, hint="Write 1 or more.")


def _known_hosts(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("appengine"):
        if is_true(account.get("sshTrustUnknownHosts")) and not empty(account, "jsonPath"):
            message = f"{owner('appengine', account)} trusts every host it meets over ssh."
            yield Hit(account.at("sshTrustUnknownHosts"), message)


def _placeholder(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("cloudfoundry"):
        for key in ("api", "user", "password"):
            value = account.get(key)
            if isinstance(value, str) and word(value.replace("$", "")) and _PLACEHOLDER.fullmatch(value):
                yield Hit(account.at(key), f"{owner('cloudfoundry', account)} has a placeholder in {key}.")


_Check = Callable[[View], Iterator[Hit]]


def _rule(name: str, severity: Severity, texts: tuple[str, str, str, str], check: _Check) -> Rule:
    summary, halyard, reason, hint = texts
    return Rule(f"clouds/{name}", severity, summary, halyard, reason, hint, check)


RULES = (
    _rule(
        "incomplete-account",
        Severity.ERROR,
        (
            "An account lacks what its cloud needs.",
            f"{_AT_DEPLOY}, and ends with an ERROR or FATAL problem.",
            "Nothing can be deployed until it is there.",
            "Set what is missing.",
        ),
        _incomplete,
    ),
    _rule(
        "half-login",
        Severity.ERROR,
        (
            "An account has one half of a login.",
            f"{_AT_DEPLOY}, and ends with an ERROR.",
            "Nothing can be deployed until both halves are there, or neither.",
            "Set both, or neither.",
        ),
        _half,
    ),
    _rule(
        "unverified-certificate",
        Severity.WARNING,
        (
            "A cloud's certificate is not verified.",
            "Halyard warns.",
            "Whoever stands between can read the login.",
            "Take the key out, and make the authority known to Clouddriver.",
        ),
        _unsafe,
    ),
    _rule(
        "bakery",
        Severity.ERROR,
        (
            "The settings of a bakery, or of a base image, are incomplete.",
            "`hal deploy apply` validates them with their provider, even if it is not enabled, and ends with an ERROR. "
            "Of google it looks only where an account can log in; without accounts the finding is a warning.",
            "Nothing can be deployed, or images cannot be baked.",
            "Set what is missing.",
        ),
        _bakery,
    ),
    _rule(
        "cloudfoundry-links",
        Severity.WARNING,
        (
            "A Cloud Foundry account has no address of the apps manager, or of metrics.",
            "Halyard warns; the links are missing in Spinnaker.",
            "People cannot get from a server group to its page.",
            "Set appsManagerUri and metricsUri.",
        ),
        _foundry,
    ),
    _rule(
        "cloudfoundry-settings",
        Severity.ERROR,
        (
            "An address or a number of Cloud Foundry cannot be used.",
            "`hal deploy apply` validates the provider and its accounts, and ends with an ERROR.",
            "Nothing can be deployed until it is mended.",
            "Write an http or https address.",
        ),
        _foundry_address,
    ),
    _rule(
        "cloudfoundry-placeholder",
        Severity.WARNING,
        (
            "A Cloud Foundry account has a placeholder in a value.",
            "Halyard warns and leaves out its checks of the account.",
            "Whether the login works is only seen when Clouddriver runs.",
            "Fill it in, or use a reference to a secret.",
        ),
        _placeholder,
    ),
    _rule(
        "appengine-unknown-hosts",
        Severity.WARNING,
        (
            "An App Engine account trusts unknown ssh hosts.",
            "Halyard warns where jsonPath is set, too.",
            "Whoever answers in the server's place is believed.",
            "Give sshKnownHostsFilePath and take sshTrustUnknownHosts out.",
        ),
        _known_hosts,
    ),
)
