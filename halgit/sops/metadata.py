"""The `sops` mapping at the top of a file: which values are encrypted, with what keys, and the MAC.

The fields are those of SOPS 3 (`stores.Metadata`). Reading never fails; `Metadata.problem` says what is not supported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from halgit import yaml as hyaml
from halgit.pipeline import Path, Value
from halgit.record import Record
from halgit.text.patterns import is_valid_pattern, matches_pattern

KEY: Final = "sops"
_REQUIRED: Final = ("mac", "lastmodified", "version")
_DEFAULT_SUFFIX: Final = "_unencrypted"
_STORES: Final = {
    "gcp_kms": "Google Cloud KMS",
    "azure_kv": "Azure Key Vault",
    "hc_vault": "Vault transit",
    "pgp": "PGP",
}
"""The lists of keys that halgit does not open."""


class KmsRecipient(Record):
    """The data key, or a share of it, as a key of AWS KMS encrypted it. `context` is its encryption context."""

    arn: str
    encrypted: str
    context: tuple[tuple[str, str], ...] = ()
    role: str = ""


class KeyGroup(Record):
    """One group of keys: the data key, or a share of it, encrypted for each recipient. `others` name other keys."""

    age: tuple[str, ...] = ()
    kms: tuple[KmsRecipient, ...] = ()
    others: tuple[str, ...] = ()


class Metadata(Record):
    """The `sops` section of a file. `threshold` counts the groups that the data key needs; `problem` may be empty."""

    mac: str
    lastmodified: str
    version: str
    groups: tuple[KeyGroup, ...]
    threshold: int
    is_mac_only_encrypted: bool = False
    unencrypted_suffix: str = ""
    encrypted_suffix: str = ""
    unencrypted_regex: str = ""
    encrypted_regex: str = ""
    problem: str = ""

    def encrypts(self, path: Path) -> bool:
        """True if SOPS encrypts the value at a path, by the names of the keys above it (`Tree.shouldBeEncrypted`)."""
        names = [step for step in path if isinstance(step, str)]
        is_encrypted = True
        if self.unencrypted_suffix:
            is_encrypted = not any(name.endswith(self.unencrypted_suffix) for name in names)
        if self.encrypted_suffix:
            is_encrypted = any(name.endswith(self.encrypted_suffix) for name in names)
        if self.unencrypted_regex and any(_occurs(self.unencrypted_regex, name) for name in names):
            is_encrypted = False
        if self.encrypted_regex:
            is_encrypted = any(_occurs(self.encrypted_regex, name) for name in names)
        return is_encrypted


def _occurs(pattern: str, name: str) -> bool:
    """Return whether a pattern matches anywhere in a name, as Go's `regexp.Match` does."""
    return matches_pattern(rf"[\s\S]*(?:{pattern})[\s\S]*", name)


def read_metadata(text: bytes, file: str) -> Metadata | None:
    """Return the metadata of a file; None if SOPS did not encrypt it, or if it has several documents."""
    if b"sops" not in text or b"ENC[" not in text:
        return None
    data = hyaml.read(text, file).data
    section = data.get(KEY) if isinstance(data, dict) else None
    if not isinstance(section, Mapping) or not all(section.get(name) for name in _REQUIRED):
        return None
    groups = _read_groups(section)
    rules = {name: str(section.get(name) or "") for name in _RULES}
    if not any(rules.values()):
        rules["unencrypted_suffix"] = _DEFAULT_SUFFIX
    problem = _find_problem(section, rules)
    if problem.startswith("its rule"):
        rules = dict.fromkeys(_RULES, "")
    threshold = section.get("shamir_threshold")
    return Metadata(
        mac=str(section["mac"]),
        lastmodified=str(section["lastmodified"]),
        version=str(section["version"]),
        groups=groups,
        threshold=threshold if isinstance(threshold, int) and threshold > 0 else len(groups),
        is_mac_only_encrypted=section.get("mac_only_encrypted") is True,
        problem=problem,
        **rules,
    )


_RULES: Final = ("unencrypted_suffix", "encrypted_suffix", "unencrypted_regex", "encrypted_regex")


def _find_problem(section: Mapping[str, Value], rules: Mapping[str, str]) -> str:
    """Return the first thing of the metadata that halgit does not support, as the end of a sentence."""
    version = str(section["version"])
    if not version.startswith("3."):
        return f"it was written by version {version} of SOPS; halgit reads the format of version 3"
    for name in ("unencrypted_comment_regex", "encrypted_comment_regex"):
        if section.get(name):
            return f"its rule {name} selects values by comments, which halgit does not support"
    for name in ("unencrypted_regex", "encrypted_regex"):
        if rules[name] and not is_valid_pattern(rules[name]):
            return f"its rule {name} is not a valid regular expression"
    return ""


def _read_groups(section: Mapping[str, Value]) -> tuple[KeyGroup, ...]:
    listed = section.get("key_groups")
    groups = [group for group in listed if isinstance(group, Mapping)] if isinstance(listed, list) else []
    return tuple(_read_group(group) for group in groups or [section])


def _read_group(group: Mapping[str, Value]) -> KeyGroup:
    keys = [one.get("enc") for one in _mappings(group.get("age"))]
    kms = [_read_kms(one) for one in _mappings(group.get("kms"))]
    others = tuple(name for key, name in _STORES.items() if group.get(key))
    return KeyGroup(tuple(key for key in keys if isinstance(key, str)), tuple(kms), others)


def _read_kms(one: Mapping[str, Value]) -> KmsRecipient:
    context = one.get("context")
    pairs = tuple((str(key), str(value)) for key, value in context.items()) if isinstance(context, Mapping) else ()
    return KmsRecipient(str(one.get("arn") or ""), str(one.get("enc") or ""), pairs, str(one.get("role") or ""))


def _mappings(value: Value) -> list[Mapping[str, Value]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
