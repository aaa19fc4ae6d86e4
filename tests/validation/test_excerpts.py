"""The line under a finding never shows a secret: not under telling keys, not in addresses, not where one is found."""

from __future__ import annotations

import pytest

from halgit.pipeline import Finding, Severity
from halgit.report.findings import Report

LINES = {
    "  password: not-for-you": "  password: ********",
    "  url: redis://:not-for-you@redis:6379": "  url: redis://:********@redis:6379",
    "  url: redis://:encrypted:redis:password@redis:6379": "  url: redis://:encrypted:redis:password@redis:6379",
    "  kubeconfigContents: 'not-for-you'": "  kubeconfigContents: ********",
    "  password: 'not''for-you' # a": "  password: ******** # a",
    '  password: "not\\"for-you", x: 1': "  password: ********, x: 1",
    "  password: not,for]you": "  password: ********",
    "  - {token: not-for-you, x: 1}": "  - {token: ********",
    "  replicas: 2": "  replicas: 2",
}
FOUND = {
    "  storageAccountKey: not-for-you # it": "  storageAccountKey: ********",
    "- env: [{name: GIT_TOKEN, value: not-for-you}]": "- env: ********",
    "    not-for-you": "    ********",
    "  - not-for-you": "  - ********",
}


def excerpt(line: str, rule: str) -> str:
    finding = Finding(rule, Severity.WARNING, "A message.", file="f", line=1, column=1)
    return Report((finding,), line=lambda file, number: line).excerpt(finding)


@pytest.mark.parametrize("line", LINES)
def test_telling_keys_and_passwords_in_addresses_are_masked(line: str) -> None:
    assert excerpt(line, "profiles/unused") == LINES[line]


@pytest.mark.parametrize("line", FOUND)
def test_of_a_secret_in_the_open_only_its_key_is_shown(line: str) -> None:
    assert excerpt(line, "secrets/plain-text") == FOUND[line]
