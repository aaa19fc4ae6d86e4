"""`halgit validate` on files that accounts name, and on accounts that are links."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import needs
import pytest
from program import halgit

KUBECONFIG = """\
clusters: [{name: c, cluster: {server: 'https://x'}}]
users: [{name: u, user: {token: a-token}}]
contexts: [{name: one, context: {cluster: c, user: u}}]
current-context: one
"""
FILE = "accounts/clouddriver-local.yml"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    copytree(needs.ROOT / "tests" / "validation" / "rules" / "base", tmp_path / "r")
    (tmp_path / "r" / "accounts" / "kubeconfigs").mkdir(parents=True)
    return tmp_path / "r"


def findings(source: Path) -> list[tuple[str, str, str]]:
    found = halgit("validate", "--repo", source, "--format", "json").json["findings"]
    return [(one["rule"], one["file"], one["message"]) for one in found]


SERVED = {
    "good": (KUBECONFIG, "", None),
    "an escaped placeholder": (KUBECONFIG.replace("a-token", r"'\${x}'"), "", None),
    "a placeholder": (
        KUBECONFIG.replace("a-token", "'${x}'"), "",
        ("dynamic-accounts/kubeconfig", "The kubeconfig holds ${, which Spring takes for a placeholder."),
    ),
    "another context": (
        KUBECONFIG, ", context: two",
        ("dynamic-accounts/kubeconfig", "The kubeconfig cannot be used: it has no context two (contexts: one)."),
    ),
    "a program": (
        KUBECONFIG.replace("token: a-token", "exec: {command: x}"), "",
        ("trust/runs-command", "User u of a kubeconfig has exec, a program that Clouddriver runs."),
    ),
    "a token file beside a token": (
        KUBECONFIG.replace("a-token", "x, tokenFile: /t"), "",
        ("trust/reads-file", "tokenFile of a kubeconfig makes Clouddriver read /t, a file of its pod."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SERVED)
def test_a_kubeconfig_of_the_store_is_checked_as_its_account_uses_it(source: Path, case: str) -> None:
    text, more, finding = SERVED[case]
    (source / "accounts" / "kubeconfigs" / "k").write_text(text)
    entry = f"{{name: a, kubeconfigFile: 'configserver:kubeconfigs/k'{more}}}"
    (source / FILE).write_text(f"kubernetes: {{accounts: [{entry}]}}\n")
    rule, message = finding or ("", "")
    assert findings(source) == ([(rule, "accounts/kubeconfigs/k", message)] if finding else [])


def test_accounts_that_are_a_link_are_reported(source: Path) -> None:
    (source / "accounts" / "real.yml").write_text("kubernetes: {accounts: [{name: a, serviceAccount: true}]}\n")
    (source / FILE).symlink_to("real.yml")
    message = f"{FILE} is a symbolic link, so that Spring reads another file."
    assert findings(source) == [("dynamic-accounts/overridden", FILE, message)]
    (source / FILE).unlink()
    (source / "accounts" / "real.yml").rename(source / FILE)
    assert findings(source) == []
    (source / "accounts").rename(source / "elsewhere")
    (source / "accounts").symlink_to("elsewhere")
    assert ("dynamic-accounts/overridden", FILE, message) in findings(source)
