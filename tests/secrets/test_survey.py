"""What is said of references before any is read: place, trust, form. A hostile pull request gets nowhere."""

from __future__ import annotations

import pytest
from secret_trees import compiled

from halgit.operator_settings import Trust
from halgit.pipeline import Finding, SecretsMode, Severity
from halgit.secrets import check_references, plan_secrets

GATE = "default/profiles/gate-local.yml"
NONE = Trust()


def said(files: dict[str, str], trust: Trust = NONE, mode: SecretsMode = "resolve", **options: object) -> list[Finding]:
    return list(check_references(compiled(files, **options), trust, mode))


def one(files: dict[str, str], trust: Trust = NONE, mode: SecretsMode = "resolve", **options: object) -> Finding:
    (finding,) = said(files, trust, mode, **options)
    return finding


def test_a_malformed_reference_is_an_error_in_every_mode() -> None:
    modes: list[SecretsMode] = ["resolve", "native", "mask", "keep"]
    for mode in modes:
        finding = one({GATE: "a:\n- b: encrypted:vault!e:secret!p:gate\n"}, mode=mode)
        assert (finding.rule, finding.severity, finding.file, finding.path) == (
            "reference/malformed", Severity.ERROR, GATE, ("a", 0, "b")
        )  # fmt: skip
        assert finding.message == "The reference is malformed: the parameter k (key) is missing."


def test_an_engine_form_inside_a_text_is_a_warning() -> None:
    finding = one({GATE: "a: see encrypted:s3!r:us-east-1!b:bucket!f:x\n"})
    assert (finding.rule, finding.severity) == ("reference/inside-text", Severity.WARNING)
    assert finding.hint == "Use ${{ secret('...') }} inside a string."


@pytest.mark.parametrize(
    ("reference", "trust", "rule", "message", "hint"),
    [
        (
            "env://VAULT_TOKEN", NONE, "reference/engine", "The engine env is disabled (env://VAULT_TOKEN).",
            "Use a secret store, or ask the operator to allow the engine with --allow-engine env.",
        ),
        (
            "file:///var/run/secrets/kubernetes.io/serviceaccount/token", Trust(frozenset({"env"})), "reference/engine",
            "The engine file is disabled (file:///var/run/secrets/kubernetes.io/serviceaccount/token).",
            "Use a secret store, or ask the operator to allow the engine with --allow-engine file.",
        ),
        (
            "k8s://kube-system/admin#token", Trust(namespaces=frozenset({"apps"})), "reference/namespace",
            "References to secrets of the namespace kube-system are not allowed (k8s://kube-system/admin#token).",
            "Omit the namespace to use halgit's own, or ask the operator for --allow-namespace kube-system.",
        ),
        (
            "vault://finance/payroll#all", Trust(references=("vault://hal/*", "k8s://*")), "reference/not-allowed",
            "No --allow-reference pattern matches this reference (vault://finance/payroll#all).",
            "Use a secret that a pattern matches, or ask the operator to extend the patterns.",
        ),
        (
            "vault://evil.example.com:8200/secret/a#k", NONE, "reference/malformed",
            "The reference is malformed: a server is not allowed here; only the operator sets servers.",
            "Fix the reference.",
        ),
    ],
)  # fmt: skip
def test_a_repository_reaches_only_what_the_operator_allows(
    reference: str, trust: Trust, rule: str, message: str, hint: str
) -> None:
    files = {GATE: f"a: \"${{{{ secret('{reference}') }}}}\"\n", "halgit.yaml": "bases: []\n"}
    found = one(files, trust)
    assert (found.rule, found.severity, found.message, found.hint) == (rule, Severity.ERROR, message, hint)
    assert [use.action for use in plan_secrets(compiled(files), trust, "resolve").uses] in ([], ["leave"])


def test_patterns_match_every_dialect_by_the_one_form() -> None:
    trust = Trust(references=("k8s://spin-*#*", "vault://spinnaker/*"))
    fine = "a: encrypted:spin-x:k\nb: encrypted:k8s!n:spin-y!k:k\nc: encrypted:vault!e:spinnaker!p:a/b!k:c\n"
    assert said({GATE: fine}, trust) == []
    bad = "a: encrypted:other:k\nb: encrypted:vault!e:spinnaker-prod!p:a!k:c\nc: encrypted:k8s!ns:b!n:spin-y!k:k\n"
    assert [finding.rule for finding in said({GATE: bad}, trust)] == [
        "reference/not-allowed", "reference/not-allowed", "reference/namespace"
    ]  # fmt: skip


def test_nothing_of_the_repository_widens_the_trust() -> None:
    files = {
        "halgit.yaml": "params:\n  home: {reference: true, default: \"${{ secret('env://HOME') }}\"}\n",
        GATE: "b: ${{ params.home }}\n",
    }
    assert [finding.rule for finding in said(files)] == ["reference/engine"]


@pytest.mark.parametrize("name", ["settings.js", "settings-local.js"])
def test_deck_serves_its_files_to_browsers_so_no_secret_stands_there(name: str) -> None:
    file = f"default/profiles/{name}"
    text = "// encrypted:commented:k\nwindow.a = 1;\nwindow.b = '${{ secret('k8s://s#k') }}';\n"
    modes: list[SecretsMode] = ["resolve", "keep"]
    for mode in modes:
        finding = one({file: text}, mode=mode)
        assert (finding.rule, finding.file, finding.line) == ("reference/deck", file, 3)
        assert finding.message == ("Deck serves this file to every browser, so it cannot contain a secret (k8s://s#k).")


def test_a_secret_file_stands_only_where_a_file_is_taken() -> None:
    config = (
        "deploymentConfigurations:\n- name: default\n  timezone: encryptedFile:s:k\n"
        "  providers: {kubernetes: {accounts: [{kubeconfigFile: 'x encryptedFile:s:k'}]}}\n"
    )
    profile = (
        "a: encryptedFile:s:k\nb: encryptedFile:s3!r:us-east-1!b:bucket!f:x\nc: encryptedFile:vault!e:s!p:x!k:k\n"
        "d: ${{ secretFile('s3://bucket/x') }}\n"
    )
    found = said({"config": config, GATE: profile})
    assert [(finding.rule, finding.file, finding.path[-1]) for finding in found] == [
        ("reference/file-place", "config", "timezone"),
        ("reference/file-place", "config", "kubeconfigFile"),
        ("reference/file-place", GATE, "a"),
        ("reference/file-place", GATE, "c"),
        ("reference/file-place", GATE, "d"),
    ]
    assert found[0].message == ("A secret file is possible only in a local-file field of the halconfig (k8s://s#k).")
    assert "which the service decrypts itself, or mount the file" in found[0].hint
    assert found[1].message == "A secret file must be the whole value of its field (k8s://s#k)."
    assert said({"config": config, GATE: profile}, mode="keep") == []


def test_nothing_is_replaced_in_a_file_of_several_documents() -> None:
    file = "default/profiles/spinnaker-local.yml"
    finding = one({file: "a: 1\n---\nb: encrypted:s:k\n"})
    assert (finding.rule, finding.file, finding.line) == ("reference/several-documents", file, 3)
    assert (
        one({file: "a: 1\n---\nb: encrypted:s:k\n"}, mode="mask").hint == "Split the file into one file per document."
    )
    assert said({file: "a: 1\n---\nb: encrypted:s3!r:us-east-1!b:bucket!f:x\n"}, mode="native") == []


def test_a_noop_reference_is_named_without_its_value() -> None:
    finding = one({"default/profiles/settings.js": "a = 'encrypted:noop!v:hunter2';\n"})
    assert finding.message.endswith("(noop).")


def test_findings_need_no_store_and_come_in_the_order_of_the_files() -> None:
    files = {
        f"default/profiles/{name}-local.yml": "a: encrypted:bad\nb: encrypted:worse\n" for name in ("orca", "gate")
    }
    assert [(finding.file, finding.path) for finding in said(files)] == [
        (f"default/profiles/{name}-local.yml", (key,)) for name in ("gate", "orca") for key in ("a", "b")
    ]
