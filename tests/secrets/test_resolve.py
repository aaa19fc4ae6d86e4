"""References replaced by secrets: what is read, where the values go, and what is said when one cannot be had."""

from __future__ import annotations

import pytest
from secret_trees import Store, compiled, opened, resolved

from halgit.errors import FindingsError, RefusedError, SecretError, SourceError, UnreachableError
from halgit.operator_settings import Trust
from halgit.pipeline import Severity
from halgit.redaction import Redactor, Secret, SecretText
from halgit.remotes.engine import SecretData

GATE = "default/profiles/gate-local.yml"
CONFIG = "deploymentConfigurations:\n- name: default\n"


def test_each_dialect_and_place_of_one_tree() -> None:
    tree = compiled(
        {
            "config": CONFIG
            + "  security: {authn: {ldap: {managerPassword: 'encrypted:ldap:password'}}}  # kept\n"
            + "  notifications: {slack: {token: \"${{ secret('vault://secret/slack#token') }}\"}}\n",
            GATE: "redis:\n  connection: redis://:encrypted:redis:pass@host:6379\n"
            "clientSecret: encrypted:vault!e:secret!p:gate!k:oauth.clientSecret\n"
            "note: $${{ secret('vault://a/b#c') }}\n",
            "default/service-settings/gate.yml": "env:\n  PW: encrypted:noop!v:open sesame\n",
            "default/profiles/rosco/packer.json": '{"a": "${{ secret(\'s3://bucket/x.yml#keys.b\') }}", "b": 1}\n',
        }
    )
    store = Store(
        {
            "k8s://ldap": SecretData({"password": b"it's: #1\n"}, version="revision:4"),
            "k8s://redis": SecretData({"pass": b"p@ss"}),
            "vault://secret/slack": SecretData({"token": "xoxb"}, version="3"),
            "vault://secret/gate": SecretData({"oauth": {"clientSecret": "cs"}}, version="7"),
            "noop://open%20sesame": SecretData(whole=b"open sesame"),
            "s3://bucket/x.yml": SecretData(whole=b"keys: {b: 'say \"hi\"'}", version="v1"),
        }
    )
    result = resolved(tree, store)
    assert opened(result) == {
        "config": CONFIG
        + "  security: {authn: {ldap: {managerPassword: 'it''s: #1'}}}  # kept\n"
        + '  notifications: {slack: {token: "xoxb"}}\n',
        GATE: "redis:\n  connection: redis://:p@ss@host:6379\nclientSecret: cs\nnote: ${{ secret('vault://a/b#c') }}\n",
        "default/service-settings/gate.yml": "env:\n  PW: open sesame\n",
        "default/profiles/rosco/packer.json": '{"a": "say \\"hi\\"", "b": 1}\n',
    }
    assert result.versions == {
        "k8s://ldap": "revision:4",
        "vault://secret/slack": "3",
        "vault://secret/gate": "7",
        "s3://bucket/x.yml": "v1",
    }
    assert not result.masked


def test_each_distinct_secret_is_read_once_however_often_and_in_whatever_dialect_it_is_named() -> None:
    lines = [f"  a{n}: encrypted:k8s!n:s!k:k{n % 3}\n  b{n}: x-encrypted:s:k1/y\n" for n in range(50)]
    tree = compiled({GATE: "top:\n" + "".join(lines)})
    store = Store({"k8s://s": SecretData({"k0": b"v0", "k1": b"v1", "k2": b"v2"})})
    text = opened(resolved(tree, store))[GATE]
    assert store.asked == ["k8s://s"]
    assert text.count(": v2\n") == 16
    assert text.count(": x-v1/y\n") == 50


def test_only_references_that_survive_the_merge_are_read() -> None:
    tree = compiled(
        {
            "base/config": CONFIG,
            "base/" + GATE: "a: encrypted:beaten:k\nb: encrypted:kept:k\nc: encrypted:deleted:k\n",
            "base/default/profiles/nobodys.yml": "x: encrypted:leftout:k\n",
            "overlays/prod/halgit.yaml": "bases: [../../base]\n",
            "overlays/prod/" + GATE: "a: plain\nc: null\n",
        },
        overlay="prod",
    )
    store = Store({"k8s://kept": SecretData({"k": b"v"})})
    assert opened(resolved(tree, store))[GATE] == "a: plain\nb: v\n"
    assert store.asked == ["k8s://kept"]


def test_secret_parameters_and_references_meet_in_one_text() -> None:
    tree = compiled(
        {
            "halgit.yaml": "params:\n  user: {type: string, secret: true}\n  pass: {type: string, secret: true}\n",
            GATE: "url: redis://${{ params.user }}:${{ params.pass }}@h\n",
        },
        set={"user": "hal", "pass": "encrypted:redis:pw"},
    )
    result = resolved(tree, Store({"k8s://redis": SecretData({"pw": b"s3cret"})}))
    assert opened(result)[GATE] == "url: redis://hal:s3cret@h\n"
    assert "s3cret" not in repr(result)
    assert "s3cret" not in str(result.files[GATE].splices)


def test_what_is_revealed_does_not_show_itself_and_the_merged_tree_is_not_changed() -> None:
    tree = compiled({GATE: "a: encrypted:s:k\nb: [x, 'y encrypted:s:k']\n"})
    before = repr(tree)
    result = resolved(tree, Store({"k8s://s": SecretData({"k": b"hidden-value"})}))
    assert "hidden-value" not in repr(result)
    assert isinstance(result.files[GATE].data["a"], Secret)
    assert isinstance(result.files[GATE].data["b"][1], SecretText)
    assert repr(tree) == before
    assert repr(SecretData({"k": b"hidden-value"})).count("hidden-value") == 0


def test_the_redactor_knows_every_value_that_was_used() -> None:
    redactor = Redactor()
    tree = compiled({GATE: "a: encrypted:s:k\n"})
    resolved(tree, Store({"k8s://s": SecretData({"k": b"hidden-value"})}), redactor=redactor)
    assert redactor.clean("leaked hidden-value and aGlkZGVuLXZhbHVl") == "leaked ******** and ********"


# --- files


KUBE = """deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - {name: a, context: one, kubeconfigFile: 'encryptedFile:clusters:kubeconfig'}
      - {name: b, context: two, kubeconfigFile: encrypted:k8s!n:clusters!k:kubeconfig}
      - {name: c, kubeconfigFile: encryptedFile:others:kubeconfig}
"""


def test_a_secret_file_becomes_a_file_of_the_tree_and_names_never_collide() -> None:
    tree = compiled({"config": KUBE}, hal_home="/home/hal/.hal")
    store = Store(
        {
            "k8s://clusters": SecretData({"kubeconfig": b"\xfe\xed"}),
            "k8s://others": SecretData({"kubeconfig": b"other"}),
        }
    )
    result = resolved(tree, store)
    files = {path: text for path, text in opened(result).items() if path != "config"}
    first, second = sorted(files, key=lambda path: files[path], reverse=True)
    assert files == {first: "\xfe\xed", second: "other"}
    assert all(path.startswith("files/") and path.endswith("-kubeconfig") for path in files)
    accounts = result.files["config"].data["deploymentConfigurations"][0]["providers"]["kubernetes"]["accounts"]
    assert [account["kubeconfigFile"] for account in accounts] == [
        f"/home/hal/.hal/{first}",
        f"/home/hal/.hal/{first}",
        f"/home/hal/.hal/{second}",
    ]


def test_the_name_of_a_secret_file_does_not_depend_on_its_value() -> None:
    tree = compiled({"config": KUBE})
    old, new = (
        resolved(tree, Store({name: SecretData({"kubeconfig": value}) for name in ("k8s://clusters", "k8s://others")}))
        for value in (b"old", b"new")
    )
    assert list(old.files) == list(new.files)


def test_base64_is_decoded_for_texts_and_files() -> None:
    tree = compiled(
        {
            "config": CONFIG + "  security: {apiSecurity: {ssl: {keyStore: \"${{ secretFile('vault://kv/jks?encoding="
            "base64#store') }}\"}}}\n",
            GATE: "a: encrypted:vault!e:kv!p:jks!k:text!b:true\n",
        }
    )
    store = Store({"vault://kv/jks": SecretData({"store": "/u0=\n", "text": "aGVsbG8="})})
    result = opened(resolved(tree, store))
    assert result[GATE] == "a: hello\n"
    assert [text for path, text in result.items() if path.startswith("files/")] == ["\xfe\xed"]


def test_a_line_that_ends_with_a_newline_is_a_warning_and_shows_no_value() -> None:
    lines = "".join(f"{key}: encrypted:vault!e:kv!p:a!k:{key}\n" for key in "abcdef")
    inside = "g: 'redis://:${{ secret(\"vault://kv/a#a\") }}@redis:6379'\n"
    tree = compiled({"config": CONFIG, GATE: lines + inside})
    values = {
        "a": "not-for-you\n", "b": "-----BEGIN\nx\n", "c": "plain", "d": "not-for-you\r\n", "e": "not-for-you\n\n",
        "f": "\n",
    }  # fmt: skip
    found = resolved(tree, Store({"vault://kv/a": SecretData(values)})).findings
    assert {(one.rule, one.severity, one.file) for one in found} == {
        ("reference/trailing-newline", Severity.WARNING, GATE)
    }
    assert [one.path for one in found] == [("a",), ("d",), ("e",), ("f",), ("g",)]
    assert found[0].message == "The secret vault://kv/a#a ends with a newline, which becomes part of the value."
    assert not any("not-for-you" in one.message + one.hint for one in found)


def test_an_empty_secret_is_a_warning_whichever_store_has_it() -> None:
    lines = [
        "a: encrypted:vault!e:kv!p:a!k:a", "b: encrypted:gate:b", "c: encrypted:secrets-manager!r:eu-west-1!s:c!k:c",
        "d: encrypted:gate:d", "e: ${{ secret('k8s://gate?default=#none') }}",
    ]  # fmt: skip
    tree = compiled({"config": CONFIG, GATE: "\n".join(lines) + "\n"})
    store = Store({
        "vault://kv/a": SecretData({"a": ""}), "k8s://gate": SecretData({"b": b"", "d": b"x"}),
        "secrets-manager://c?region=eu-west-1": SecretData(whole=b'{"c": ""}'),
    })  # fmt: skip
    result = resolved(tree, store)
    assert [(one.rule, one.path) for one in result.findings] == [("reference/empty", (key,)) for key in "abc"]
    assert result.findings[1].message == "The secret k8s://gate#b is empty."
    assert result.findings[1].hint == "Store a value, or remove the reference."


# --- modes


def test_native_leaves_what_spinnaker_decrypts_itself() -> None:
    s3 = "encrypted:s3!r:us-east-1!b:bucket!f:x!k:y"
    tree = compiled(
        {
            "config": CONFIG
            + "  version: 1.36.1\n"
            + f"  security: {{authn: {{ldap: {{managerPassword: '{s3}'}}}}}}\n"
            + "  providers: {kubernetes: {accounts: [{kubeconfigFile: 'encryptedFile:s3!r:us-east-1!b:bucket!f:k'}]}}\n"
            + "  notifications: {slack: {token: encrypted:vault!e:s!p:slack!k:t}}\n",
            GATE: f"a: {s3}\nb: {{c: encrypted:k8s!n:n!k:k}}\n",
            "default/profiles/spinnaker-monitoring-local.yml": f"a: {s3}\n",
            "default/service-settings/gate.yml": f"env: {{A: '{s3}'}}\nartifactId: {s3}\n",
            "default/profiles/rosco/x.json": f'{{"a": "{s3}"}}\n',
        }
    )  # fmt: skip
    store = Store(
        {
            "s3://bucket/x?region=us-east-1": SecretData(whole=b"y: value"),
            "vault://s/slack": SecretData({"t": "token"}),
            "k8s://n": SecretData({"k": b"v"}),
        }
    )
    result = opened(resolved(tree, store, "native"))
    assert result["config"].count(s3) == 1
    assert "kubeconfigFile: 'encryptedFile:s3!r:us-east-1!b:bucket!f:k'" in result["config"]
    assert "token: token" in result["config"]
    assert result[GATE] == f"a: {s3}\nb: {{c: v}}\n"
    assert result["default/profiles/spinnaker-monitoring-local.yml"] == "a: value\n"
    assert result["default/service-settings/gate.yml"] == f"env: {{A: '{s3}'}}\nartifactId: value\n"
    assert result["default/profiles/rosco/x.json"] == '{"a": "value"}\n'
    assert sorted(store.asked) == ["k8s://n", "s3://bucket/x?region=us-east-1", "vault://s/slack"]


def test_mask_needs_no_store_and_writes_stand_ins_of_the_right_kind() -> None:
    tree = compiled(
        {"config": KUBE, GATE: "a: encrypted:vault!e:s!p:x!k:y\nb: url-encrypted:n:k-x\nc: encrypted:noop!v:pw\n"}
    )
    store = Store({})
    result = resolved(tree, store, "mask")
    files = opened(result)
    assert result.masked
    assert store.asked == []
    assert files[GATE] == "a: masked-vault-s-x-y\nb: url-masked-k8s-n-k-x\nc: masked-noop\n"
    (two, one) = sorted((text for path, text in files.items() if path.startswith("files/")), key=len, reverse=True)
    assert '"current-context": "one"' in two
    assert '"name": "two"' in two
    assert '"current-context": "masked"' in one


def test_keep_leaves_everything_but_the_escapes() -> None:
    texts = {"config": KUBE, GATE: "a: encrypted:s:k\nb: x encrypted:s:k\n"}
    store = Store({})
    assert opened(resolved(compiled(texts), store, "keep")) == texts
    escaped = compiled(
        {GATE: "a: \"$${{ secret('x') }}\"\n", "default/profiles/rosco/a.sh": "echo '$${{ secret(x) }}'\n"}
    )
    files = opened(resolved(escaped, store, "keep"))
    assert files[GATE] == "a: \"${{ secret('x') }}\"\n"
    assert files["default/profiles/rosco/a.sh"] == "echo '${{ secret(x) }}'\n"
    assert store.asked == []


# --- versions


def test_pinned_versions_are_read_and_a_moved_secret_is_refused() -> None:
    tree = compiled({GATE: "a: encrypted:vault!e:kv!p:x!k:k\nb: encrypted:n:k\n"})
    secrets = {
        "vault://kv/x?version=1": SecretData({"k": "old"}, version="1"),
        "vault://kv/x": SecretData({"k": "new"}, version="2"),
        "k8s://n": SecretData({"k": b"v"}, version="revision:8"),
    }
    store = Store(secrets)
    pinned = {"vault://kv/x": "1", "k8s://n": "revision:8"}
    result = resolved(tree, store, pinned=pinned)
    assert opened(result)[GATE] == "a: old\nb: v\n"
    assert result.versions == pinned
    with pytest.raises(SourceError) as caught:
        resolved(tree, store, pinned={**pinned, "k8s://n": "revision:7"})
    assert str(caught.value) == (
        "k8s://n is locked at version revision:7, but the server has revision:8. "
        "Run `halgit lock` to accept the new versions."
    )


# --- failures


def test_all_that_cannot_be_had_is_told_together_with_file_and_line() -> None:
    tree = compiled(
        {
            "base/config": CONFIG,
            "base/" + GATE: "a:\n  b: encrypted:vault!e:secret!p:gate!k:clientSecret\n",
            "overlays/prod/halgit.yaml": "bases: [../../base]\n",
            "overlays/prod/" + GATE: "# a comment\nc: encrypted:gone:k\nd: encrypted:private:k\ne: ok\n",
            "overlays/prod/default/profiles/rosco/x.json": '{\n  "p": "encrypted:gone:k"\n}\n',
        },
        overlay="prod",
    )
    store = Store(
        {
            "vault://secret/gate": SecretData({"clientId": "x", "other": "y"}),
            "k8s://private": RefusedError(
                "Kubernetes denied access to Secret private.", "Give the role the right to get it."
            ),
        }
    )
    with pytest.raises(SecretError) as caught:
        resolved(tree, store)
    assert str(caught.value).splitlines() == [
        f"base/{GATE}:2: a.b: Vault secret secret/gate has no key clientSecret (keys: clientId, other). "
        "Add the key or fix the reference.",
        f"overlays/prod/{GATE}:2: c: There is nothing at k8s://gone. "
        "(Also at overlays/prod/default/profiles/rosco/x.json:2.) Put it there.",
        f"overlays/prod/{GATE}:3: d: Kubernetes denied access to Secret private. Give the role the right to get it.",
    ]
    assert caught.value.exit_code == 4


def test_a_server_that_is_down_is_said_once_and_not_asked_for_everything() -> None:
    down = UnreachableError("Vault at https://vault is unreachable.", "Check --vault-address.")
    tree = compiled({GATE: "".join(f"a{n}: encrypted:vault!e:kv!p:p{n}!k:k\n" for n in range(100))})
    store = Store({f"vault://kv/p{n}": down for n in range(100)})
    with pytest.raises(SecretError) as caught:
        resolved(tree, store)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{GATE}:1: a0: Vault at https://vault is unreachable. (Also at {GATE}:2: a1; ")
    assert line.endswith(" and 94 more places.) Check --vault-address.")
    assert len(store.asked) < 20


@pytest.mark.parametrize(
    ("reference", "content", "words"),
    [
        (
            "encrypted:s:k",
            SecretData({"k": b"\xff"}),
            "Kubernetes Secret s is not text. Use encryptedFile: or secretFile()",
        ),
        ("encrypted:s:k", SecretData({"k": b"a\0b"}), "Kubernetes Secret s is not text: it contains a zero byte."),
        ("encrypted:s:k", SecretData({}), "Kubernetes Secret s has no key k (keys: none)."),
        (
            "encrypted:vault!e:s!p:x!k:k!b:true",
            SecretData({"k": "no base64!"}),
            "Vault secret s/x is not base64 under key k.",
        ),
        ("encrypted:vault!e:s!p:x!k:a.b", SecretData({"a": {"c": 1}}), "Vault secret s/x has no key a.b (keys: a)."),
        (
            "${{ secret('s3://bucket/x#k') }}",
            SecretData(whole=b"just text"),
            "s3 object bucket/x is not a JSON or YAML mapping",
        ),
        (
            "${{ secret('s3://bucket/x#k') }}",
            SecretData(whole=b"a: 1\nb: 2"),
            "s3 object bucket/x has no key k.",
        ),
        (
            "${{ secret('secrets-manager://x#k') }}",
            SecretData(whole=b'{"K": 1}'),
            "secrets-manager secret x has no key k (keys: K).",
        ),
        (
            "${{ secret('google-secrets-manager://p/x#k') }}",
            SecretData(whole=b"- a"),
            "google-secrets-manager secret x is not a JSON",
        ),
    ],
)
def test_a_value_that_cannot_be_it_is_named_without_being_shown(
    reference: str, content: SecretData, words: str
) -> None:
    from halgit import references

    address = references.format_address(references.find_references(reference)[0].reference)
    with pytest.raises(SecretError) as caught:
        resolved(compiled({GATE: f'a: "{reference}"\n'}), Store({address: content}))
    assert words in str(caught.value)
    assert "no base64!" not in str(caught.value)
    assert "just text" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        (7, "7"),
        (True, "true"),
        (1.5, "1.5"),
        ({"a": [1, "é"]}, '{"a": [1, "é"]}'),
        (["x", 1], '["x", 1]'),
    ],
)
def test_values_that_are_no_texts_become_the_text_java_would_read(value: object, text: str) -> None:
    tree = compiled({"default/profiles/rosco/x.sh": "x=encrypted:vault!e:kv!p:x!k:k\n"})
    assert (
        opened(resolved(tree, Store({"vault://kv/x": SecretData({"k": value})})))["default/profiles/rosco/x.sh"]
        == f"x={text}\n"
    )


def test_nothing_is_read_where_a_reference_is_wrong() -> None:
    tree = compiled({GATE: "a: encrypted:nonsense\nb: encrypted:s:k\n"})
    store = Store({})
    with pytest.raises(FindingsError, match="1 references have errors; no secret was read"):
        resolved(tree, store)
    assert store.asked == []


def test_allowed_engines_and_namespaces_are_read() -> None:
    tree = compiled({GATE: "a: ${{ secret('env://HOME_OF_HAL') }}\nb: ${{ secret('k8s://other/s#k') }}\n"})
    store = Store({"env://HOME_OF_HAL": SecretData(whole=b"/hal"), "k8s://other/s": SecretData({"k": b"v"})})
    trust = Trust(frozenset({"env"}), frozenset({"other"}))
    assert opened(resolved(tree, store, trust=trust))[GATE] == "a: /hal\nb: v\n"


def test_a_default_takes_the_place_of_a_secret_or_key_that_does_not_exist() -> None:
    tree = compiled(
        {
            GATE: "a: ${{ secret('vault://secret/none?default=f%C3%A4ll%20back#key') }}\n"
            "b: ${{ secret('vault://secret/gate?default=#none') }}\n"
            "c: ${{ secret('vault://secret/gate?default=x#key') }}\n"
            "d: x-${{ secret('vault://secret/none?default=y#key') }}\n"
        }
    )
    store = Store({"vault://secret/gate": SecretData({"key": "real"})})
    redactor = Redactor()
    assert opened(resolved(tree, store, redactor=redactor))[
        GATE
    ] == 'a: "f\xe4ll back"\nb: ""\nc: real\nd: x-y\n'.replace('"f\xe4ll back"', "f\xe4ll back").replace('""', "''")
    assert "f\xe4ll back" not in redactor.clean("f\xe4ll back")


@pytest.mark.parametrize("reason", [RefusedError("No.", ""), UnreachableError("No answer.", "")])
def test_a_default_does_not_hide_another_failure(reason: RefusedError) -> None:
    tree = compiled({GATE: "a: ${{ secret('vault://secret/gate?default=x#key') }}\n"})
    with pytest.raises(SecretError):
        resolved(tree, Store({"vault://secret/gate": reason}))


def test_a_placeholder_of_spring_in_a_secret_is_a_warning_with_the_way_to_escape_it() -> None:
    store = Store({"k8s://s": SecretData({"k": "a${b}"})})
    found = resolved(compiled({GATE: "a: encrypted:s:k\n"}), store).findings
    assert [(one.rule, one.message) for one in found] == [
        ("reference/placeholder", "The secret k8s://s#k contains ${, which Spring expands in a profile.")
    ]
    assert found[0].hint == "Store ${none:$}{ in place of ${ in the secret, or use another value."
    assert resolved(compiled({"default/service-settings/gate.yml": "a: encrypted:s:k\n"}), store).findings == ()


def test_secrets_insert_at_most_the_size_of_a_file() -> None:
    """Ten secrets of 1 MiB fit; with one byte more, only the first place that exceeds the limit is reported."""
    store = Store({"k8s://big": SecretData({"k": b"x" * 1024 * 1024}), "k8s://one": SecretData({"k": b"y"})})
    lines = [f"a{number}: encrypted:big:k\n" for number in range(10)]
    other = "b: encrypted:big:k\n"
    fits = resolved(compiled({GATE: "".join(lines), "default/profiles/echo-local.yml": other}), store)
    assert len(opened(fits)[GATE]) > 10 * 1024 * 1024
    tree = compiled({GATE: "".join([*lines, "c: -encrypted:one:k\n", *(f"d{line}" for line in lines)])})
    with pytest.raises(SecretError) as caught:
        resolved(tree, store)
    assert str(caught.value) == (
        f"{GATE}:11: c: Secrets insert more than 10485760 bytes into the file. "
        "Use smaller values, or use them less often."
    )
