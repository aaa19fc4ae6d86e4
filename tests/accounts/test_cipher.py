"""`{cipher}` values against those the real Spring Security made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from halgit.accounts.cipher import Cipher
from halgit.errors import UsageError
from halgit.redaction import Secret

VECTORS = json.loads((Path(__file__).parent.parent / "fixtures" / "cipher-vectors.json").read_text())


def cipher(key: str, salt: str = "deadbeef") -> Cipher:
    return Cipher(Secret(key, "key"), salt)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["plaintext"] or "empty")
def test_what_spring_encrypted_is_decrypted(vector: dict[str, str]) -> None:
    assert cipher(vector["key"], vector["salt"]).decrypt("{cipher}" + vector["springCipherHex"]) == vector["plaintext"]


@pytest.mark.parametrize("text", ["", "a", "sixteen bytes !!", "ein Schlüssel\n" * 50])
def test_what_is_encrypted_is_decrypted_and_never_twice_the_same(text: str) -> None:
    one, two = cipher("mykey").encrypt(text), cipher("mykey").encrypt(text)
    assert one != two
    assert one.startswith("{cipher}")
    assert {cipher("mykey").decrypt(one), cipher("mykey").decrypt(two)} == {text}


@pytest.mark.parametrize(
    "value", ["{cipher}", "{cipher}00", "{cipher}zz", "{cipher}" + "00" * 33, "{cipher}" + "00 " * 32]
)
def test_what_is_no_cipher_value_is_refused(value: str) -> None:
    with pytest.raises(ValueError):
        cipher("mykey").decrypt(value)


def test_another_key_does_not_open_it() -> None:
    sealed = cipher("mykey").encrypt("a text that is longer than one block")
    opened = []
    for number in range(20):
        try:
            opened.append(cipher(f"key-{number}").decrypt(sealed))
        except ValueError:
            continue
    assert "a text that is longer than one block" not in opened


REFUSED = {
    "": "The encryption key (key) is empty. Store the value of encrypt.key there.",
    "-----BEGIN RSA PRIVATE KEY-----": "The encryption key (key) is an RSA key. Use a symmetric encrypt.key.",
    "ssh-rsa AAAA": "The encryption key (key) is an RSA key. Use a symmetric encrypt.key.",
}


@pytest.mark.parametrize("key", REFUSED)
def test_keys_that_spring_takes_otherwise_are_refused(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        cipher(key)
    assert str(caught.value) == REFUSED[key]


def test_a_key_everybody_can_read_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        cipher("password")
    assert str(caught.value) == (
        "The encryption key (key) is the default of the ISD charts, which is public."
        " Choose another encrypt.key, also in spinnakerconfig.yml, and change what it protected."
    )
    assert Cipher(Secret("password", "key"), old=True).encrypt("x").startswith("{cipher}")


@pytest.mark.parametrize("salt", ["", "xyz", "abc"])
def test_a_salt_that_is_none_is_refused(salt: str) -> None:
    with pytest.raises(UsageError, match="not a hexadecimal string"):
        cipher("mykey", salt)
