"""No known secret survives the filter, however it is spelt; ordinary words do."""

from __future__ import annotations

import base64
import html
import json
import pickle
from copy import copy, deepcopy
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halgit.redaction import MASK, Redactor, Secret, SecretText, join_parts

_SECRETS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=30).filter(
    lambda text: len(text.strip()) >= 8 and "*" not in text
)
_AROUND = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def knowing(*values: str | bytes) -> Redactor:
    redactor = Redactor()
    for value in values:
        redactor.learn(value)
    return redactor


SPELLINGS = {
    "plain": str,
    "json": lambda text: json.dumps(text)[1:-1],
    "json as it is": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "url": lambda text: quote(text, safe=""),
    "path": quote,
    "form": quote_plus,
    "yaml": lambda text: text.replace("'", "''"),
    "html": html.escape,
    "xml": lambda text: html.escape(text, quote=False),
    "xml attribute": lambda text: html.escape(text, quote=False).replace('"', "&quot;"),
    "python": lambda text: repr(text)[1:-1],
    "markdown": lambda text: text.replace("|", "\\|"),
    "github": lambda text: text.replace("%", "%25"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(secret=_SECRETS, before=_AROUND, after=_AROUND)
def test_no_spelling_of_a_secret_survives(spelling: str, secret: str, before: str, after: str) -> None:
    spelt = SPELLINGS[spelling](secret)
    assert spelt not in knowing(secret).clean(f"{before}{spelt}{after}")


@given(secret=st.binary(min_size=8, max_size=40), before=st.binary(max_size=5), after=st.binary(max_size=5))
def test_no_base64_of_a_secret_survives_wherever_it_stands_in_what_was_encoded(
    secret: bytes, before: bytes, after: bytes
) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret + after).decode()
        assert MASK in knowing(secret).clean(text)
        if not before and not after:
            assert len(knowing(secret).clean(text).replace(MASK, "").rstrip("=")) <= 1


def test_secrets_that_overlap_leave_no_tail() -> None:
    assert knowing("abcdef", "defghijk").clean("x abcdefghijk y") == f"x {MASK} y"
    assert knowing("secret", "secret-longer").clean("secret-longer secret") == f"{MASK} {MASK}"


def test_lines_and_values_of_a_secret_file_are_masked_and_its_ordinary_words_are_not() -> None:
    kubeconfig = "apiVersion: v1\nkind: Config\nclusters:\nusers:\n- name: u\n  user:\n    token: eyJhbGciOi.token\n"
    pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n"
    redactor = knowing(kubeconfig, pem)
    text = "clusters: kind: Config apiVersion: v1 -----BEGIN PRIVATE KEY-----"
    assert redactor.clean(text) == text
    assert redactor.clean("token eyJhbGciOi.token, MIIEvQIBADANBg") == f"token {MASK}, {MASK}"


def test_short_values_do_not_blank_out_ordinary_words() -> None:
    assert knowing("a", "hal", "").clean("a halgit was there") == "a halgit was there"


def test_thousands_of_secrets_are_found_in_one_walk() -> None:
    redactor = knowing(*(f"secret-number-{number}!" for number in range(3000)))
    text = " ".join(f"word{number}" for number in range(5000)) + " secret-number-2999!"
    assert redactor.clean(text).endswith(f" word4999 {MASK}")


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("hidden", "vault://a/b#c")
    woven = join_parts(["x ", secret, " y"])
    assert isinstance(woven, SecretText)
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret:>20}", "%s" % secret, str(woven), repr(woven)):  # noqa: UP031
        assert "hidden" not in shown
    assert woven.open_bytes() == b"x hidden y"
    assert (copy(secret), deepcopy([secret])) == (secret, [secret])
    with pytest.raises(TypeError, match="a secret is not pickled"):
        pickle.dumps(secret)
    with pytest.raises(UnicodeDecodeError, match="is not UTF-8 text") as caught:
        Secret(b"\xffhidden", "x").open()
    assert "hidden" not in str(caught.value)
    assert SecretText((Secret(b"\xff", "x"),)).open_bytes() == b"\xff"
