"""Changes applied to the accounts file: what is written, what is refused in which words, what people are told."""

from __future__ import annotations

from typing import Any

import pytest

from halgit.accounts.edit import Change, Edited, apply, entries
from halgit.errors import AccountError
from halgit.pipeline import MISSING

FILE = b"""\
# ours
kubernetes:
  accounts:
  # the first
  - name: a
    cache-threads: 2
    kubeconfigContents: '{cipher}abcd'
  - name: b   # the second
    metrics: true
docker-registry:
  accounts:
  - name: hub
    address: https://hub.example.com
custom: {kept: yes}
"""
NAME = "accounts/clouddriver-local.yml"
REVOKED = "Nothing was revoked: what the kubeconfig grants stays valid until it is revoked at the cluster."


def done(verb: Any, provider: str, name: str, fields: dict[str, Any] | None = None, text: bytes = FILE) -> Edited:
    return apply(text, Change(verb, provider, name, fields or {}), NAME)


def refused(*arguments: Any, text: bytes = FILE) -> str:
    with pytest.raises(AccountError) as caught:
        done(*arguments, text=text)
    return str(caught.value)


def test_an_account_is_added_at_the_end_of_its_list() -> None:
    edited = done("add", "kubernetes", "c", {"namespaces": ["x"]})
    assert edited.text == FILE.replace(
        b"    metrics: true\n", b"    metrics: true\n  - name: c\n    namespaces:\n    - x\n"
    )
    assert (edited.before, edited.after) == (None, {"name": "c", "namespaces": ["x"]})


def test_the_first_account_of_all_makes_the_file() -> None:
    assert done("add", "kubernetes", "c", text=b"").text == b"kubernetes:\n  accounts:\n  - name: c\n"


def test_a_field_is_changed_under_the_spelling_it_has() -> None:
    edited = done("update", "", "a", {"cacheThreads": 4, "context": "one"})
    assert edited.text == FILE.replace(b"cache-threads: 2", b"cache-threads: 4").replace(
        b"'{cipher}abcd'\n", b"'{cipher}abcd'\n    context: one\n"
    )


def test_an_update_that_changes_nothing_changes_no_byte() -> None:
    assert done("update", "", "b", {"metrics": True, "context": MISSING}).text == FILE
    assert done("update", "", "b", {"metrics": MISSING}).text == FILE.replace(b"    metrics: true\n", b"")


def test_the_last_account_leaves_an_empty_list() -> None:
    edited = done("remove", "", "hub")
    assert edited.text == FILE.replace(
        b"  accounts:\n  - name: hub\n    address: https://hub.example.com\n", b"  accounts: []\n"
    )
    assert edited.notes == (REVOKED,)


def test_the_last_cipher_value_is_told_of() -> None:
    assert done("remove", "", "a").notes == (
        REVOKED,
        "No {cipher} value is left in the file. Clouddriver keeps its copy of the old list until it is restarted.",
    )


def test_dead_keys_and_lopsided_permissions_are_told_of() -> None:
    edited = done("add", "kubernetes", "c", {"providerVersion": "V2", "permissions": {"READ": ["dev"]}})
    assert edited.after == {"name": "c", "permissions": {"READ": ["dev"]}}
    assert edited.notes == (
        "providerVersion was left out: Clouddriver no longer has it.",
        "permissions has READ and no WRITE, so nobody can deploy to the account.",
    )
    assert done("add", "kubernetes", "c", {"permissions": {"WRITE": ["ops"]}}).notes == (
        "permissions has WRITE and no READ, so those who deploy cannot see what they deployed.",
    )
    assert done("add", "aws", "c", {"accountId": "1"}).notes == (
        "Clouddriver takes a aws account only when it is restarted.",
    )


def test_everything_wrong_with_a_request_is_said_at_once() -> None:
    fields = {"namespaces": ["x"], "omitNamespaces": ["y"], "cacheThreads": "many", "context": "${x}"}
    words = refused("add", "kubernetes", "hub", fields)
    assert words == (
        f"The account hub is refused: {NAME} has a docker-registry account of this name already; "
        'cacheThreads: cacheThreads is the string "many"; Clouddriver expects an integer; '
        "context holds ${, which Spring takes for a placeholder; namespaces and omitNamespaces exclude each other. "
        "Correct the request."
    )


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "../a", "a" * 64])
def test_names_that_are_none_are_refused(name: str) -> None:
    assert "a name has small letters, digits and dashes between them, 63 at most" in refused("add", "kubernetes", name)


def test_what_an_update_leads_to_is_checked_with_what_is_there() -> None:
    text = FILE.replace(b"metrics: true", b"omit-namespaces: [x]")
    assert "namespaces and omitNamespaces exclude each other" in refused(
        "update", "", "b", {"namespaces": ["y"]}, text=text
    )


REFUSED = {
    "an account that is not there": (FILE, f"{NAME} has no account hib. `halgit accounts list` tells what there is."),
    "a file that does not parse": (b"a: [\n", f"{NAME}:"),
    "several documents": (FILE + b"---\na: 1\n", f"{NAME} holds 2 documents. Make one of them."),
    "a list": (b"- a\n", f"{NAME} is no mapping of providers. Mend it first."),
    "dotted keys": (
        b"kubernetes.accounts:\n- name: hib\n",
        f"{NAME} writes accounts as kubernetes.accounts. Nest the keys, then halgit can edit it.",
    ),
    "two of one name": (
        b"kubernetes:\n  accounts:\n  - name: hib\n  - name: hib\n",
        f"{NAME} has 2 accounts hib (kubernetes and kubernetes). Take all but one out by hand first.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_cannot_be_edited_are_refused(name: str) -> None:
    text, words = REFUSED[name]
    assert refused("update", "", "hib", {"context": "x"}, text=text).startswith(words)


def test_a_name_that_is_nearly_one_gets_a_hint() -> None:
    text = FILE.replace(b"hub", b"registry-hub", 1)
    assert (
        refused("remove", "", "registry-hob", text=text)
        == f"{NAME} has no account registry-hob. Did you mean registry-hub?"
    )


def test_an_entry_that_is_an_alias_is_written_out() -> None:
    text = b"x: &x {name: hib}\nkubernetes:\n  accounts:\n  - *x\n"
    assert done("update", "", "hib", {"context": "x"}, text).text == text.replace(b"*x", b"name: hib\n    context: x")


def test_entries_are_told_with_their_providers() -> None:
    found = [(entry.provider, entry.name) for entry in entries(FILE, NAME)]
    assert found == [("kubernetes", "a"), ("kubernetes", "b"), ("docker-registry", "hub")]
    assert entries(FILE, NAME)[0].get("cacheThreads") == 2
