"""Every dialect's form: what is found, under which fields, and what is called malformed, in which words."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from halgit.references import (
    FoundReference,
    explain_malformed,
    find_references,
    find_references_in_text,
    format_placeholder,
    format_reference,
    unescape,
)

WHOLE = [
    ("encrypted:s3!r:us-west-2!b:bucket!f:dir/secrets.yml!k:a.b", "s3://bucket/dir/secrets.yml?region=us-west-2#a.b"),
    ("encryptedFile:s3!r:us-west-2!b:bucket!f:kubeconfig", "s3://bucket/kubeconfig?region=us-west-2"),
    ("encrypted:secrets-manager!r:us-east-1!s:gate/oauth!k:id", "secrets-manager://gate/oauth?region=us-east-1#id"),
    ("encryptedFile:secrets-manager!r:us-east-1!s:pem", "secrets-manager://pem?region=us-east-1"),
    ("encrypted:gcs!b:bucket!f:a/b!k:c", "gcs://bucket/a/b#c"),
    ("encrypted:google-secrets-manager!p:1234!s:name!k:x!v:7", "google-secrets-manager://1234/name?version=7#x"),
    ("encrypted:noop!v:hello world", "noop://hello%20world"),
    ("encrypted:vault!e:secret!p:gate!k:clientSecret", "vault://secret/gate#clientSecret"),
    ("encrypted:vault!e:team/kv!n:a/b!k:c d!b:true", "vault://team/kv/a/b#c%20d"),
    ("encryptedFile:vault!e:secret!p:/jks/!k:store!b:false", "vault://secret/jks#store"),
    ("encrypted:k8s!n:spin-secret!k:redis.password", "k8s://spin-secret#redis.password"),
    ("encrypted:k8s!ns:other!n:spin!k:pw", "k8s://other/spin#pw"),
    ("encrypted:redispassword:redispassword", "k8s://redispassword#redispassword"),
    ("encryptedFile:kube.config-1:prod.yaml", "k8s://kube.config-1#prod.yaml"),
    ("${{ secret('vault://secret/gate#key') }}", "vault://secret/gate#key"),
    ('${{secret("vault://secret/a%23b/c?version=3&encoding=base64#k%20y")}}', "vault://secret/a%23b/c?version=3#k%20y"),
    ("${{ secretFile('s3://bucket/dir/key') }}", "s3://bucket/dir/key"),
    ("${{ secret('s3://bucket/key?region=eu-west-1#a.b') }}", "s3://bucket/key?region=eu-west-1#a.b"),
    ("${{ secret('secrets-manager://gate/x#y') }}", "secrets-manager://gate/x#y"),
    ("${{ secret('google-secrets-manager://proj/name?version=2') }}", "google-secrets-manager://proj/name?version=2"),
    ("${{ secret('k8s://name#key') }}", "k8s://name#key"),
    ("${{ secret('k8s://ns/name#key') }}", "k8s://ns/name#key"),
    ("${{ secret('env://TOKEN') }}", "env://TOKEN"),
    ("${{ secret('file:///etc/pass word') }}", "file:///etc/pass%20word"),
]


@pytest.mark.parametrize(("text", "shown"), WHOLE)
def test_a_whole_reference_is_read_and_shown_in_one_form(text: str, shown: str) -> None:
    (found,) = find_references(text)
    assert (found.start, found.end, found.whole) == (0, len(text), True)
    assert format_reference(found.reference) == shown
    assert found.reference.text == text
    assert found.reference.file == ("ncryptedFile:" in text or "secretFile(" in text)
    assert explain_malformed(text) is None


def test_dialects_of_one_secret_name_the_same_secret() -> None:
    texts = ["encrypted:k8s!n:gate!k:pw", "encrypted:gate:pw", "${{ secret('k8s://gate#pw') }}"]
    references = [find_references(text)[0].reference for text in texts]
    assert [reference.dialect for reference in references] == ["operator", "opsmx", "halgit"]
    assert len({reference.fields for reference in references}) == 1


def test_armory_flag_means_base64() -> None:
    assert find_references("encrypted:vault!e:s!p:x!k:y!b:true")[0].reference.get("encoding") == "base64"
    assert find_references("encrypted:vault!e:s!p:x!k:y!b:false")[0].reference.get("encoding") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://:encrypted:redispassword:redispassword@host", ["k8s://redispassword#redispassword"]),
        ("encrypted:db:user:encrypted:db:pass@host:3306", ["k8s://db#user", "k8s://db#pass"]),
        ("redis://:${{ secret('vault://kv/redis#pw') }}@h:${{ secret('k8s://a#b') }}", ["vault://kv/redis#pw", "k8s://a#b"]),
        ("encrypted:a:b,encrypted:c:d'", ["k8s://a#b", "k8s://c#d"]),
        ("$${{ secret('vault://kv/redis#pw') }}", []),
        ("${{ secrets.GITHUB_TOKEN }} ${{ params.x }} ${secret}", []),
        ("encrypted data: not a reference", []),
        ("notencrypted:a:b", []),
        ("encrypted:Upper:key", []),
        ("encrypted:-a:key", []),
        ("encrypted:a..b:key", []),
        ("https://encrypted.example.com:8080/x", []),
        ("user encrypted:s3!r:us-east-1!b:bucket!f:x!k:y", []),
    ],
)  # fmt: skip
def test_references_inside_a_text(text: str, expected: list[str]) -> None:
    found = find_references(text)
    assert [format_reference(each.reference) for each in found] == expected
    assert not any(each.whole for each in found)
    assert [text[each.start : each.end] for each in found] == [each.reference.text for each in found]


def test_blanks_around_an_engine_form_are_not_part_of_it() -> None:
    (found,) = find_references("  encrypted:k8s!n:a!k:b\n")
    assert (found.start, found.end, found.whole) == (2, 23, False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("encrypted:", "unknown form. Write encrypted:ENGINE!k:v, encrypted:SECRET:KEY or "),
        ("encrypted:only", "unknown form."),
        ("encrypted:Bad_Name:key", "unknown form."),
        ("encryptedFile:https://host/x", "unknown form."),
        ("encryptedFile:k8s!n:gcp-secret:gcp-json", "the parameter k (key) is missing: write n:gcp-secret!k:gcp-json."),
        ("encrypted:k8s!k:a", "the parameter n (name) is missing."),
        ("encrypted:gcs!b:bucket!k:a", "the parameter f (path) is missing."),
        ("encrypted:k8s!n:gcp-secret", "the parameter k (key) is missing."),
        ("encrypted:vualt!e:secret!p:a!k:b", "unknown engine vualt (engines: vault, k8s, s3, "),
        ("encrypted:vault!p:a!k:b", "the parameter e (mount) is missing."),
        ("encrypted:vault!e:secret!p:a", "the parameter k (key) is missing."),
        ("encrypted:vault!e:secret!p:a/../b!k:x", "secret/a/../b is not a valid secret path: "),
        ("encrypted:vault!e:secret!p:a!k:x!b:yes", "expected true or false for b (whether the value is base64)."),
        ("encrypted:vault!e:secret!p:a!k:x!z:y", "vault has no parameter z (parameters: e, p, n, k, b)."),
        ("encrypted:s3!b:bucket!f:x", "the parameter r (region) is missing."),
        ("encrypted:s3!r:evil.example.com/!b:bucket!f:x", "evil.example.com/ is not a valid region."),
        ("encrypted:s3!r:us-east-1!b:a/b!f:x", "a/b is not a valid bucket name."),
        ("encrypted:s3!rus-east-1", "rus-east-1 is not NAME:VALUE."),
        ("encrypted:s3!r:!b:x", "the parameter r has no value."),
        ("encryptedFile:secrets-manager!r:us-east-1!s:x!k:y", "encryptedFile reads the whole secret"),
        ("encrypted:!k:v", "expected an engine and at least one NAME:VALUE."),
        ("encrypted:env!n:HOME", "unknown engine env"),
        ("${{ secret('vault://secret/gate') }}", "the key is missing: write #KEY at the end."),
        ("x ${{ secret('vault:/secret/gate#k') }}", "expected one of vault://, k8s://, "),
        ("${{ secret('vault://evil.example.com:8200/secret/a#k') }}", "a server is not allowed here; "),
        ("${{ secret('vault://https://evil/secret/a#k') }}", "a server is not allowed here; "),
        ("${{ secret('vault://secret//a#k') }}", "secret//a is not a valid secret path: "),
        ("${{ secret('vault://secret/a?versoin=2#k') }}", "vault:// has no option versoin (options: default, "),
        ("${{ secret('vault://secret/a?version=2&version=3#k') }}", "duplicate option version."),
        ("${{ secret('vault://secret/a?version=new#k') }}", "new is not a version (an integer)."),
        ("${{ secret('vault://secret/a?encoding=hex#k') }}", "hex is not a supported encoding (encodings: base64)."),
        ("${{ secret('k8s://a?version=2#k') }}", "k8s:// has no option version (options: default, encoding)."),
        ("${{ secret('k8s://a/b/c#k') }}", "a/b/c is not a valid name of a Kubernetes Secret."),
        ("${{ secret('env://A-B') }}", "A-B is not a valid name of a variable."),
        ("${{ secret('env://A#b') }}", "env does not support keys."),
        ("${{ secret('file:///run/hal/%2e%2e/token') }}",
         "/run/hal/../token contains . or .., which could escape what the operator allows."),
        ("encrypted:s3!r:r!b:bucket!f:hal/../x", "hal/../x contains . or .., which could escape what "),
        ("${{ secret('file://relative') }}", "file:// expects an absolute path: file:///path."),
        ("${{ secret('s3://bucket') }}", "s3:// requires bucket/path."),
        ("${{ secret(vault://secret/a#k) }}", "write ${{ secret('engine://place#key') }}, with single quotes."),
        ("${{ secret('vault://secret/a%0Ab#k') }}", "the path contains a control character or is longer than 1024 "),
    ],
)  # fmt: skip
def test_malformed_says_why(text: str, reason: str) -> None:
    said = explain_malformed(text)
    assert said is not None
    assert said.startswith("the reference is malformed: " + reason)
    assert not [each for each in find_references(text) if each.whole]


@pytest.mark.parametrize(
    "text", ["password", "Encrypted:a", "encrypted", "encrypted:a:b@host", "$${{ secret(x) }}", "${{ secrets.X }}", ""]
)
def test_what_is_no_reference_is_not_malformed(text: str) -> None:
    assert explain_malformed(text) is None


def test_in_a_text_file_comments_are_left_alone_and_engine_forms_end_at_quotes() -> None:
    text = (
        '{"a": "encrypted:s3!r:us-east-1!b:bucket!f:x!k:y", "b": "encrypted:a:b"}\n'
        "# encrypted:c:d\n  // ${{ secret('k8s://e#f') }}\nx=${{ secret('k8s://g#h') }}\n"
    )
    shown = [format_reference(found.reference) for found in find_references_in_text(text)]
    assert shown == ["s3://bucket/x?region=us-east-1#y", "k8s://a#b", "k8s://g#h"]


def test_an_escaped_call_loses_its_escape_at_the_very_end() -> None:
    assert unescape("$${{ secret('x') }} $${{ params.y }}") == "${{ secret('x') }} $${{ params.y }}"


def test_a_stand_in_names_the_secret_and_never_holds_a_value() -> None:
    assert format_placeholder(find_references("encrypted:vault!e:secret!p:gate!k:clientSecret")[0].reference) == (
        "masked-vault-secret-gate-clientSecret"
    )
    assert format_placeholder(find_references("encrypted:noop!v:hunter2")[0].reference) == "masked-noop"


_NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?(\.[a-z0-9]{1,5})?", fullmatch=True)
_KEYS = st.from_regex(r"[-._A-Za-z0-9]{1,20}", fullmatch=True)
_AROUND = st.text(st.sampled_from(" @/,;'\"}\n|é"), max_size=5)


@given(_AROUND, _NAMES, _KEYS, _AROUND)
def test_opsmx_form_is_found_exactly_wherever_it_stands(before: str, name: str, key: str, after: str) -> None:
    text = f"{before}encrypted:{name}:{key}{after}"
    (found,) = find_references(text)
    assert (found.start, found.end) == (len(before), len(text) - len(after))
    assert (found.reference.get("name"), found.reference.get("key")) == (name, key)
    assert found.whole == (not before and not after)


_PATHS = st.lists(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=6), min_size=2, max_size=4
)


@given(_PATHS, st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8))
def test_what_is_shown_of_a_reference_reads_back_as_the_same(path: list[str], key: str) -> None:
    segments = [part.replace("/", "x").replace(".", "y").replace("!", "z") for part in path]
    found = find_references(f"encrypted:vault!e:{segments[0]}!p:{'/'.join(segments[1:])}!k:{key.replace('!', '')}")
    assume(found)
    first = found[0]
    (second,) = find_references("${{ secret('" + format_reference(first.reference).replace("'", "%27") + "') }}")
    assert format_reference(second.reference) == format_reference(first.reference)
    assert second.reference.get("path") == first.reference.get("path")


@given(st.text(st.sampled_from("encrypted:File!k8s vault:ab${}()'\"#?=/\n.-")))
def test_any_text_is_searched_without_trouble(text: str) -> None:
    for search in (find_references, find_references_in_text):
        found: list[FoundReference] = search(text)
        assert all(text[a.start : a.end] == a.reference.text for a in found)
        assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    said = explain_malformed(text)
    assert said is None or said.startswith("the reference is malformed: ")
