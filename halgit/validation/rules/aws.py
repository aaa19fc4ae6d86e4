"""Rules on AWS accounts, their lifecycle hooks, and the ECS accounts that stand on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from halgit.halyard.coercion import coerce_integer
from halgit.pipeline import Severity
from halgit.text.phrases import suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import empty, owner, text
from halgit.validation.view import Node, View

_TOPIC: Final = re.compile(r"arn:aws:sns:[^:]+:[^:]+:[^:]+")
_ROLE: Final = re.compile(r"arn:aws:iam::[^:]+:[^:]+")
_RESULTS: Final = ("ABANDON", "CONTINUE")


def _hooks(view: View) -> Iterator[Hit]:
    for account in view.accounts_of("aws"):
        for hook in account.items("lifecycleHooks"):
            if isinstance(hook.value, dict):
                yield from _hook(owner("aws", account), hook)


def _hook(whose: str, hook: Node) -> Iterator[Hit]:
    """Halyard gives up on a hook silently where an ARN is missing, so that nothing after it is looked at."""
    for key, pattern, example in (
        ("notificationTargetARN", _TOPIC, "arn:aws:sns:REGION:ACCOUNT:TOPIC"),
        ("roleARN", _ROLE, "arn:aws:iam::ACCOUNT:role/NAME"),
    ):
        if hook.get(key) is None:
            yield Hit(hook.path, f"{whose} has a hook without {key}.", hint=f"Set {key}.", severity=Severity.WARNING)
            return
        said = text(hook, key)
        if said is not None and not pattern.fullmatch(said):
            yield Hit(hook.at(key), f"{whose} has a hook whose {key} is no such ARN.", hint=f"Write {example}.")
    if hook.get("defaultResult") not in _RESULTS:
        message = f"{whose} has a hook whose defaultResult is neither ABANDON nor CONTINUE."
        yield Hit(hook.at("defaultResult"), message, hint="Write one of the two.")
    seconds = coerce_integer(hook.get("heartbeatTimeout"), 32)
    if hook.get("heartbeatTimeout") is None or (seconds is not None and not 30 <= seconds <= 7200):
        message = f"{whose} has a hook whose heartbeatTimeout is not between 30 and 7200 seconds."
        yield Hit(hook.at("heartbeatTimeout"), message, hint="Write a number of seconds, such as 3600.")


def _ecs(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        names = [text(account, "name") for account in deployment.node("providers", "aws").items("accounts")]
        known = [name for name in names if name is not None]
        if len(known) < len(names):
            continue
        for account in deployment.node("providers", "ecs").items("accounts"):
            wanted = text(account, "awsAccount")
            if known and empty(account, "awsAccount") and isinstance(account.value, dict):
                yield Hit(
                    account.at("awsAccount"), f"{owner('ecs', account)} names no AWS account.", hint="Set awsAccount."
                )
            if wanted and wanted not in known:
                message = f"{owner('ecs', account)} names an AWS account {wanted}, which is none."
                hint = suggest_nearest(wanted, known, "Add it under providers.aws.accounts.")
                severity = None if known else Severity.WARNING
                yield Hit(account.at("awsAccount"), message, hint=hint, severity=severity)


RULES = (
    Rule(
        id="aws/lifecycle-hook",
        severity=Severity.ERROR,
        summary="A lifecycle hook of an AWS account is not as AWS takes it.",
        halyard="`hal deploy apply` validates every account, also of a provider that is not enabled, and ends with a"
        " FATAL problem.",
        impact="Nothing can be deployed until it is mended.",
        fix="Correct the hook.",
        check=_hooks,
    ),
    Rule(
        id="aws/ecs-account",
        severity=Severity.ERROR,
        summary="An ECS account names no AWS account, or one that does not exist.",
        halyard="`hal deploy apply` validates every account and ends with an ERROR. Where there is no AWS account at"
        " all it says nothing, and the finding is a warning.",
        impact="Nothing can be deployed, or the ECS account does not work.",
        fix="Name an account of providers.aws.",
        check=_ecs,
    ),
)
