"""The rules of each engine's form, one by one, as kork, Armory and the operator have them: what must stand in a
reference, what may, what a key is, which take whole files, and what is passed over."""

from __future__ import annotations

import json

import pytest
from secret_trees import Store, compiled, opened, resolved

from halgit.errors import SecretError
from halgit.operator_settings import Trust
from halgit.pipeline import Severity
from halgit.references import explain_malformed, find_references, format_reference
from halgit.remotes.engine import SecretData
from halgit.secrets import check_references

GATE = "default/profiles/gate-local.yml"
ACCOUNTS = "providers: {kubernetes: {accounts: [{name: a, kubeconfigFile: %s}]}}"
KUBECONFIG = "deploymentConfigurations:\n- name: default\n  " + ACCOUNTS + "\n"

REQUIRED = {
    "noop": {"v": "value"},
    "s3": {"b": "bucket", "r": "us-east-1", "f": "dir/all.yml"},
    "secrets-manager": {"s": "apps/gate", "r": "us-east-1"},
    "gcs": {"b": "bucket", "f": "dir/all.yml"},
    "google-secrets-manager": {"p": "1234", "s": "gate"},
    "vault": {"e": "kv", "p": "gate", "k": "pw"},
    "k8s": {"n": "gate", "k": "pw"},
}
"""The parameters without which an engine can read nothing; each alone missing is a malformed reference."""

WITH_KEYS = {
    "s3": "s3://bucket/dir/all.yml?region=us-east-1",
    "secrets-manager": "secrets-manager://apps/gate?region=us-east-1",
    "gcs": "gcs://bucket/dir/all.yml",
    "google-secrets-manager": "google-secrets-manager://1234/gate",
}
"""The engines whose secret is one text, of which `k` may name a part; with the address of the one in `REQUIRED`."""


def form(engine: str, *more: str, prefix: str = "encrypted", without: str = "") -> str:
    """A reference of this engine with what it needs, and more."""
    parameters = [f"{letter}:{value}" for letter, value in REQUIRED[engine].items() if letter != without]
    return "!".join([f"{prefix}:{engine}", *parameters, *more])


@pytest.mark.parametrize(("engine", "letter"), [(each, letter) for each, given in REQUIRED.items() for letter in given])
@pytest.mark.parametrize("prefix", ["encrypted", "encryptedFile"])
def test_what_an_engine_needs_must_be_there(engine: str, letter: str, prefix: str) -> None:
    assert explain_malformed(form(engine, prefix=prefix)) is None
    said = explain_malformed(form(engine, prefix=prefix, without=letter)) or ""
    assert said.startswith("the reference is malformed: ")
    assert ("unknown form" if engine == "noop" else "missing") in said
    assert not find_references(form(engine, prefix=prefix, without=letter))


@pytest.mark.parametrize("engine", WITH_KEYS)
@pytest.mark.parametrize(
    ("key", "value"),
    [("plain", "p"), ("db.password", "nested"), ("dotted.name", "its own"), ("list.1", "second"), ("port", "5432")],
)
def test_a_key_is_a_path_with_dots_in_json_and_yaml(engine: str, key: str, value: str) -> None:
    data = {"plain": "p", "db": {"password": "nested"}, "dotted.name": "its own", "list": ["", "second"], "port": 5432}
    yaml = b"plain: p\ndb:\n  password: nested\ndotted.name: its own\nlist: [first, second]\nport: 5432\n"
    for whole in (yaml, json.dumps(data).encode()):
        store = Store({WITH_KEYS[engine]: SecretData(whole=whole)})
        text = opened(resolved(compiled({GATE: f"a: {form(engine, f'k:{key}')}\n"}), store))[GATE]
        assert text in (f"a: {value}\n", f"a: '{value}'\n")


@pytest.mark.parametrize("engine", WITH_KEYS)
def test_a_key_that_leads_nowhere_is_told_with_the_keys_there_are(engine: str) -> None:
    store = Store({WITH_KEYS[engine]: SecretData(whole=b"db: {user: hidden-value}")})
    with pytest.raises(SecretError, match=r"has no key db\.password\. Add the key or") as caught:
        resolved(compiled({GATE: f"a: {form(engine, 'k:db.password')}\n"}), store)
    assert "hidden-value" not in str(caught.value)


@pytest.mark.parametrize("engine", WITH_KEYS)
def test_without_a_key_it_is_the_whole_secret_as_a_text_or_a_file(engine: str) -> None:
    whole = b"apiVersion: v1\nkind: Config\n"
    store = Store({WITH_KEYS[engine]: SecretData(whole=whole)})
    text = opened(resolved(compiled({GATE: f"a: {form(engine)}\n"}), store))[GATE]
    assert "apiVersion: v1" in text
    made = opened(resolved(compiled({"config": KUBECONFIG % form(engine, prefix="encryptedFile")}), store))
    assert [content for path, content in made.items() if path.startswith("files/")] == [whole.decode()]


@pytest.mark.parametrize("engine", ["vault", "k8s"])
def test_where_secrets_are_keys_and_values_a_file_is_the_value_of_one(engine: str) -> None:
    address = {"vault": "vault://kv/gate", "k8s": "k8s://gate"}[engine]
    store = Store({address: SecretData({"pw": "content of the file"})})
    made = opened(resolved(compiled({"config": KUBECONFIG % form(engine, prefix="encryptedFile")}), store))
    assert [content for path, content in made.items() if path.startswith("files/")] == ["content of the file"]


@pytest.mark.parametrize("engine", WITH_KEYS)
def test_a_file_of_a_secret_manager_is_the_whole_secret(engine: str) -> None:
    said = explain_malformed(form(engine, "k:part", prefix="encryptedFile"))
    words = f"the reference is malformed: encryptedFile reads the whole secret of {engine}, so k is not allowed."
    assert said == (words if "secret" in engine else None)
    assert explain_malformed(form(engine, "k:part")) is None


@pytest.mark.parametrize("engine", WITH_KEYS)
def test_what_kork_passes_over_is_a_warning(engine: str) -> None:
    text = form(engine, "k:a", "z:1")
    (finding,) = check_references(compiled({GATE: f"x: 1\na: {text}\n"}), Trust())
    assert (finding.rule, finding.severity, finding.file, finding.path) == (
        "reference/ignored-parameter", Severity.WARNING, GATE, ("a",)
    )  # fmt: skip
    assert finding.message.startswith(f"{engine} has no parameter z, which is ignored (parameters: ")
    assert finding.hint == "Fix or remove it."
    assert format_reference(find_references(text)[0].reference) == format_reference(
        find_references(form(engine, "k:a"))[0].reference
    )


@pytest.mark.parametrize("engine", ["vault", "k8s"])
def test_what_only_we_read_has_no_parameter_that_is_not_known(engine: str) -> None:
    assert (explain_malformed(form(engine, "z:1")) or "").startswith(
        f"the reference is malformed: {engine} has no parameter z"
    )


def test_a_value_ends_at_the_next_mark_and_may_hold_colons() -> None:
    reference = find_references("encrypted:s3!r:us-east-1!b:bucket!f:dir:with/colon!k:a:b!")[0].reference
    assert (reference.get("path"), reference.get("key")) == ("dir:with/colon", "a:b")
    assert find_references(form("s3", "k:first", "k:last"))[0].reference.get("key") == "last"
    assert (explain_malformed("encrypted:s3!r:us-east-1!b:bucket!f:x!k:pass!word") or "").endswith(
        "word is not NAME:VALUE."
    )


def test_what_noop_holds_is_never_shown_where_it_is_cut() -> None:
    for text in ("encrypted:noop!v:hunter2!hunter3", "encrypted:noop!v:hunter2!hunter3:x", "encrypted:noop!hunter2"):
        said = explain_malformed(text)
        assert said == "the reference is malformed: noop accepts only v:VALUE, and the value must not contain !."


def test_versions_are_named_as_each_store_names_them() -> None:
    google = find_references(form("google-secrets-manager", "v:3"))[0].reference
    assert format_reference(google) == "google-secrets-manager://1234/gate?version=3"
    assert google.get("version") == "3"
    assert find_references(form("google-secrets-manager", "v:latest"))[0].reference.get("version") == "latest"
    assert find_references("${{ secret('gcs://bucket/x?version=1700000000000001') }}")[0].reference.get("version")
    assert "is not a generation" in (explain_malformed("${{ secret('gcs://bucket/x?version=latest') }}") or "")
    assert find_references("${{ secret('s3://bucket/x?version=L4kqtJlcpXroDTDmpUMLUo') }}")[0].reference.get("version")
    assert find_references("${{ secret('secrets-manager://x?version=AWSPREVIOUS') }}")[0].reference.get("version")


@pytest.mark.parametrize("engine", [*WITH_KEYS, "vault", "k8s"])
def test_base64_is_taken_off_where_halgits_form_says_so(engine: str) -> None:
    uri = format_reference(find_references(form(engine))[0].reference)
    place, _, key = uri.partition("#")
    asked = f"{place}{'&' if '?' in place else '?'}encoding=base64" + (f"#{key}" if key else "")
    content = SecretData({"pw": "aGVsbG8="}) if key else SecretData(whole=b"aGVs\nbG8=\n")
    tree = compiled({GATE: f"a: \"${{{{ secret('{asked}') }}}}\"\n"})
    assert opened(resolved(tree, Store({place: content})))[GATE] == 'a: "hello"\n'
