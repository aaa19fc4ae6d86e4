"""Files that the real SOPS encrypted (`tests/fixtures/sops/make.sh`): decrypted values, MAC, keys, and rendering."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import needs
import pytest
from program import halgit

from halgit import yaml as hyaml
from halgit.errors import CorruptError, NotFoundError, RefusedError, RemoteError, UntrustedError
from halgit.operator_settings import Access
from halgit.pipeline import PlainScalar, Reference
from halgit.record import replace
from halgit.remotes.age import AgeKeys
from halgit.secrets.sops import SopsEngine
from halgit.sops import combine_shares, read_metadata, replace_values

FIXTURES = needs.ROOT / "tests/fixtures/sops"
CONFIG = "deploymentConfigurations:\n- name: default\n  version: '1.36.1'\n"
CONFIG += "  persistentStorage: {persistentStoreType: s3, s3: {bucket: one}}\n"
GATE = "default/profiles/gate-local.yml"
SECRET = "correct horse: battery # staple"


def _fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def _decrypt(text: bytes, key: str = "first.key", name: str = "file.yml") -> dict[str, object]:
    access = replace(Access(), sops_age_key_file=str(FIXTURES / key) if key else "")
    read = SopsEngine(access, {name: text}).read(Reference("sops", "halgit", (("path", name), ("key", "x")), ""))
    return dict(read.keys or {})


def _repository(folder: Path, gate: bytes) -> Path:
    (folder / "default/profiles").mkdir(parents=True)
    (folder / "config").write_text(CONFIG)
    (folder / GATE).write_bytes(gate)
    return folder


def _render(folder: Path, gate: bytes, *arguments: object, **environment: str) -> tuple[Any, Path]:
    out = folder / "out"
    repo = _repository(folder / "repo", gate)
    return halgit("render", "--repo", repo, "--out", out, *arguments, **environment), out / GATE


# --- decryption ------------------------------------------------------------------------------------------------


def test_every_type_is_decrypted_and_keeps_its_type() -> None:
    found = _decrypt(_fixture("types.yml"))
    assert {key: value for key, value in found.items() if not isinstance(value, PlainScalar)} == {
        "server/password": SECRET,
        "server/quoted": "8084",
        "server/yes": "yes",
        "server/address_open": "https://gate.example.com",
        "server/block": "first line\nsecond line\n",
        "server/list/1": "alpha-secret",
        "server/list/3/nested/password": "beta-secret",
        "server/a~1b~0c": "gamma-secret",
        "server/unicode": "pässwörd-ünïcode",
    }
    assert {key: value for key, value in found.items() if isinstance(value, PlainScalar)} == {
        "server/port": "8084",
        "server/octal": "15",
        "server/large": "1000",
        "server/ratio": "0.25",
        "server/exponent": "1500",
        "server/small": "0.0000001",
        "server/enabled": "true",
        "server/disabled": "false",
        "server/list/2": "7",
    }


RULES_AND_KEYS = [
    ("types.json", "first.key"),
    ("recipients.yml", "first.key"),
    ("recipients.yml", "second.key"),
    ("unencrypted-suffix.yml", "first.key"),
    ("encrypted-suffix.yml", "first.key"),
    ("encrypted-regex.yml", "first.key"),
    ("unencrypted-regex.yml", "first.key"),
    ("mac-only-encrypted.yml", "first.key"),
    ("key-groups.yml", "both.key"),
]
"""Fixtures with each rule of what is encrypted and each set of recipients, with the key that opens them."""


@pytest.mark.parametrize(("name", "key"), RULES_AND_KEYS)
def test_the_mac_of_every_rule_and_set_of_keys_matches(name: str, key: str) -> None:
    assert str(_decrypt(_fixture(name), key)["server/password"]).startswith("correct horse")


def test_values_that_sops_leaves_open_stay_plain() -> None:
    text = replace_values(_fixture("encrypted-regex.yml"), "f")
    assert text is not None
    server = hyaml.read(text, "f").data["server"]
    assert (server["port"], server["octal"], server["enabled"], server["a/b~c"]) == (8084, 15, True, "gamma-secret")
    assert server["password"] == "${{ secret('sops://f#server/password') }}"
    assert [type(item) is dict or item.partition("#")[2] for item in server["list"]] == [
        "server/list/1') }}",
        "server/list/2') }}",
        True,
    ]
    assert b"ENC[" not in text
    assert b"sops:\n" not in text


def test_references_keep_the_lines_of_the_file() -> None:
    lines = (replace_values(_fixture("recipients.yml"), "f") or b"").decode().split("\n")
    before = _fixture("recipients.yml").decode().split("\n")
    number = next(n for n, line in enumerate(before) if line.startswith("    password:"))
    assert lines[number].startswith("    password: ${{ secret(")


def test_files_that_sops_did_not_encrypt_are_left_alone() -> None:
    for text in (b"a: 1\n", b"sops: {mac: x}\na: ENC[x]\n", _fixture("types.yml") + b"---\na: 1\n", b"sops: ENC[x]\n"):
        assert replace_values(text, "f") is None


# --- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"port: 8084", b"port: 8085", "file.yml was changed after SOPS encrypted it: its MAC does not match."),
        (b"enabled: true", b"enabled: false", "file.yml was changed after SOPS encrypted it: its MAC does not match."),
        (
            b"    password: ENC",
            b"    password: x # ENC",
            "file.yml:12 is not encrypted, though the rules of its `sops` mapping require it.",
        ),
        (
            b"data:",
            b"data:AAAA",
            "file.yml:12 cannot be decrypted: it was changed, moved to another key, or is of another file.",
        ),
        (
            b'lastmodified: "2',
            b'lastmodified: "3',
            "file.yml: sops.mac cannot be decrypted: it was changed, moved to another key, or is of another file.",
        ),
        (
            b"version: 3.",
            b"version: 2.",
            "file.yml is encrypted by SOPS in a way that is not supported: it was written by version 2.9.4 of SOPS; "
            "halgit reads the format of version 3.",
        ),
        (
            b"    encrypted_regex:",
            b"    encrypted_comment_regex: x\n    encrypted_regex:",
            "file.yml is encrypted by SOPS in a way that is not supported: its rule encrypted_comment_regex selects "
            "values by comments, which halgit does not support.",
        ),
        (
            b"    age:",
            b"    pgp: [{fp: x}]\n    not-age:",
            "file.yml is encrypted by SOPS for PGP; halgit opens keys of age and AWS KMS.",
        ),
    ],
)
def test_changed_and_unsupported_files_are_refused(old: bytes, new: bytes, message: str) -> None:
    text = _fixture("encrypted-regex.yml").replace(b"    pgp: []\n", b"").replace(old, new, 1)
    assert text != _fixture("encrypted-regex.yml")
    with pytest.raises(RemoteError) as failed:
        _decrypt(text)
    assert failed.value.message == message
    assert failed.value.hint


@pytest.mark.parametrize(
    ("name", "key", "message"),
    [
        ("types.yml", "", "file.yml is encrypted by SOPS, and no key is set."),
        ("types.yml", "second.key", "The key of --sops-age-key-file does not open file.yml."),
        ("key-groups.yml", "first.key", "The key of --sops-age-key-file opens 1 of 2 key groups that file.yml needs."),
        ("types.yml", "none.key", f"--sops-age-key-file: file {FIXTURES / 'none.key'} not found."),
        ("types.yml", "plain.yml", f"--sops-age-key-file: {FIXTURES / 'plain.yml'} contains no valid age key."),
    ],
)
def test_a_missing_or_wrong_key_is_named(name: str, key: str, message: str) -> None:
    with pytest.raises((RefusedError, NotFoundError, CorruptError)) as failed:
        _decrypt(_fixture(name), key)
    assert failed.value.message == message
    assert failed.value.hint


def test_a_value_moved_to_another_key_is_refused() -> None:
    text = _fixture("types.yml").replace(b"    password: ENC", b"    passwords: ENC", 1)
    with pytest.raises(UntrustedError):
        _decrypt(text)


def test_shares_that_do_not_belong_together_are_refused() -> None:
    for shares in ([b"ab\x01", b"abc\x02"], [b"ab\x01", b"cd\x01"], [b"\x01", b"\x02"]):
        with pytest.raises(ValueError, match=r"."):
            combine_shares(shares)
    metadata = read_metadata(_fixture("key-groups.yml"), "f")
    assert metadata is not None
    assert (metadata.threshold, len(metadata.groups)) == (2, 3)


# --- commands --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["yml", "json"])
def test_render_writes_what_sops_decrypts(tmp_path: Path, kind: str) -> None:
    key = str(FIXTURES / "first.key")
    ran, file = _render(tmp_path, _fixture(f"types.{kind}"), "--no-validate", HALGIT_SOPS_AGE_KEY_FILE=key)
    assert ran.code == 0, ran.err
    wanted = _fixture(f"decrypted.{kind}")
    data = json.loads(wanted) if kind == "json" else hyaml.read(wanted, "").data
    written = hyaml.read(file.read_bytes(), "").data
    assert written == data
    assert "sops" not in written
    assert SECRET not in ran.out + ran.err


def test_without_a_key_render_fails_and_validate_and_mask_work(tmp_path: Path) -> None:
    gate = _fixture("encrypted-regex.yml")
    ran, file = _render(tmp_path, gate, "--no-validate")
    assert (ran.code, file.exists()) == (4, False)
    assert f"{GATE}:12: server.password: {GATE} is encrypted by SOPS, and no key is set. (Also at" in ran.err
    assert ran.err.endswith("Set --sops-age-key-file, or use --secrets mask.\n")
    repo = tmp_path / "repo"
    checked = halgit("validate", "--repo", repo)
    assert "profiles/sops" not in checked.out + checked.err
    assert "reference/" not in checked.out + checked.err
    masked = halgit("render", "--repo", repo, "--out", tmp_path / "masked", "--secrets", "mask", "--no-validate")
    assert masked.code == 0, masked.err
    server = hyaml.read((tmp_path / "masked" / GATE).read_bytes(), "").data["server"]
    assert server["password"].startswith("masked-sops-")
    assert server["list"][1] == 1
    listed = halgit("secrets", "list", "--repo", repo).out
    assert f"sops://{GATE}#server/password" in listed


def test_a_halconfig_is_decrypted_with_its_types(tmp_path: Path) -> None:
    repo, out, key = tmp_path / "repo", tmp_path / "out", FIXTURES / "first.key"
    repo.mkdir()
    (repo / "config").write_bytes(_fixture("config"))
    ran = halgit("render", "--repo", repo, "--out", out, "--sops-age-key-file", key)
    assert ran.code == 0, ran.err
    assert "schema/" not in ran.err
    assert hyaml.read((out / "config").read_bytes(), "").data == hyaml.read(_fixture("config.yml"), "").data
    masked = halgit("render", "--repo", repo, "--out", tmp_path / "masked", "--secrets", "mask")
    assert masked.code == 0, masked.err
    data = hyaml.read((tmp_path / "masked/config").read_bytes(), "").data["deploymentConfigurations"][0]
    assert data["security"]["authn"]["enabled"] is False


def test_a_rule_matches_anywhere_in_a_key() -> None:
    metadata = read_metadata(_fixture("config"), "config")
    assert metadata is not None
    assert [metadata.encrypts((name,)) for name in ("enabled", "clientSecret", "name", "enabledAt")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_value_that_the_rules_leave_open_is_never_written_encrypted(tmp_path: Path) -> None:
    ran, file = _render(
        tmp_path,
        _fixture("mac-only-encrypted.yml").replace(b"port: 8084", b"port: ENC[AES256_GCM,data:x,iv:x,tag:x,type:int]"),
        "--no-validate",
        HALGIT_SOPS_AGE_KEY_FILE=str(FIXTURES / "first.key"),
    )
    assert (ran.code, file.exists()) == (4, False)
    assert "has no key server/port" in ran.err


def test_import_refuses_what_it_cannot_convert(tmp_path: Path) -> None:
    repo = _repository(tmp_path / "repo", _fixture("types.yml"))
    ran = halgit("import", repo, tmp_path / "new")
    assert (ran.code, (tmp_path / "new").exists()) == (2, False)
    assert f"{GATE}: encrypted by SOPS, which an import cannot convert. Decrypt a copy" in ran.err


def test_explain_shows_no_value(tmp_path: Path) -> None:
    repo = _repository(tmp_path / "repo", _fixture("types.yml"))
    key = str(FIXTURES / "first.key")
    ran = halgit("explain", f"{GATE}:server.password", "--repo", repo, HALGIT_SOPS_AGE_KEY_FILE=key)
    assert "correct horse" not in ran.out + ran.err


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of fixtures that the real sops writes now, with the keys of this folder."""
    folder = tmp_path_factory.mktemp("sops")
    for file in FIXTURES.iterdir():
        if file.suffix == ".key" or "plain." in file.name or file.name in ("make.sh", "config.yml"):
            shutil.copy(file, folder)
    tools = {str(Path(needs.go_tool(name)).parent) for name in ("sops", "age-keygen")}
    environment = {**os.environ, "PATH": os.pathsep.join([*tools, os.environ["PATH"]])}
    subprocess.run(["sh", str(folder / "make.sh")], env=environment, check=True, capture_output=True)
    return folder


FILES = [
    ("types.yml", "first.key"),
    ("config", "first.key"),
    ("whole-config", "first.key"),
    ("accounts.yml", "first.key"),
]


@pytest.mark.parametrize(("name", "key"), [*RULES_AND_KEYS, *FILES])
def test_what_sops_encrypts_now_is_decrypted_as_the_fixture(live: Path, name: str, key: str) -> None:
    written = (live / name).read_bytes()
    assert written != _fixture(name)
    assert _decrypt(written, key) == _decrypt(_fixture(name), key) != {}


def test_changes_and_missing_keys_are_refused_in_what_sops_encrypts_now(live: Path) -> None:
    text = (live / "encrypted-regex.yml").read_bytes()
    with pytest.raises(UntrustedError, match="its MAC does not match"):
        _decrypt(text.replace(b"port: 8084", b"port: 8085"))
    with pytest.raises(RefusedError, match="does not open"):
        _decrypt(text, "third.key")
    with pytest.raises(RefusedError, match="opens 1 of 2 key groups"):
        _decrypt((live / "key-groups.yml").read_bytes(), "first.key")


@pytest.mark.parametrize("protected", [False, True])
def test_an_ssh_key_opens_what_age_encrypts_for_it(tmp_path: Path, protected: bool) -> None:
    key = tmp_path / "id"
    keygen = [needs.program("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-f", str(key)]
    subprocess.run([*keygen, "-N", "secret" if protected else ""], check=True)
    age = [needs.go_tool("age"), "--armor", "--recipients-file", str(key.with_suffix(".pub"))]
    armored = subprocess.run(age, input=b"a data key", capture_output=True, check=True).stdout.decode()
    keys = AgeKeys(replace(Access(), sops_age_key_file=str(key)))
    if not protected:
        assert keys.decrypt([armored]) == b"a data key"
        return
    with pytest.raises(CorruptError) as failed:
        keys.decrypt([armored])
    assert failed.value.message == f"--sops-age-key-file: {key} is protected by a passphrase."
    assert failed.value.hint == "Write a copy without a passphrase: `ssh-keygen -p -N '' -f FILE`."


def test_a_halconfig_that_is_encrypted_as_a_whole_is_refused_with_a_hint(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "config").write_bytes(_fixture("whole-config"))
    ran = halgit("render", "--repo", repo, "--out", tmp_path / "out", "--sops-age-key-file", FIXTURES / "first.key")
    assert (ran.code, (tmp_path / "out").exists()) == (1, False)
    assert (
        "config:1:1: error: SOPS encrypted the names of the deployments, which halgit must read without a key. Encrypt "
        "secrets only, such as with `sops encrypt --encrypted-regex '(?i)(password|token|secret)'`."
    ) in ran.err


def test_files_of_two_sources_with_the_same_path_are_told_apart(tmp_path: Path) -> None:
    first = _repository(tmp_path / "first", _fixture("types.yml"))
    second = _repository(tmp_path / "second", _fixture("encrypted-regex.yml"))
    key, out = FIXTURES / "first.key", tmp_path / "out"
    sources = ("--repo", first, "--repo", second)
    ran = halgit("render", *sources, "--out", out, "--no-validate", "--sops-age-key-file", key)
    assert ran.code == 0, ran.err
    written = hyaml.read((out / GATE).read_bytes(), "").data
    assert written["server"]["password"] == SECRET
    assert written["server"]["port"] == 8084
    assert f"sops://{second}//{GATE}" in halgit("secrets", "list", *sources).out


def test_a_key_is_needed_only_for_values_that_are_used(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    _repository(repo, _fixture("encrypted-regex.yml"))
    overlay = repo / "overlays/prod/default/profiles"
    overlay.mkdir(parents=True)
    (repo / "overlays/prod/halgit.yaml").write_text("bases: [../..]\n")
    (overlay / "gate-local.yml").write_text("server: {password: open, list: {$patch: replace, $value: []}}\n")
    ran = halgit("render", "--repo", repo, "--overlay", "prod", "--out", tmp_path / "out", "--no-validate")
    assert ran.code == 0, ran.err
    written = hyaml.read((tmp_path / "out" / GATE).read_bytes(), "").data
    assert (written["server"]["password"], written["server"]["list"]) == ("open", [])


@pytest.mark.parametrize("is_live", [False, True], ids=["fixtures", "live"])
def test_what_is_not_decrypted_is_reported(tmp_path: Path, request: pytest.FixtureRequest, is_live: bool) -> None:
    folder: Path = request.getfixturevalue("live") if is_live else FIXTURES
    repo = _repository(tmp_path / "repo", (folder / "documents.yml").read_bytes())
    for name, fixture in {
        "default/profiles/rosco/one.yml": "types.yml",
        "default/profiles/rosco/two.env": "dotenv.env",
        "accounts/clouddriver-local.yml": "accounts.yml",
        "files/kubeconfig": "types.yml",
    }.items():
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_bytes((folder / fixture).read_bytes())
    (repo / "config").write_text(
        CONFIG + "  providers: {kubernetes: {enabled: true, accounts: [{name: a, providerVersion: V2, kubeconfigFile: "
        "/home/spinnaker/.hal/files/kubeconfig}]}}\n"
    )
    ran = halgit("validate", "--repo", repo)
    found = {
        line.split(": warning: ")[1].partition(" is encrypted by SOPS")[0]: line
        for line in (ran.out + ran.err).splitlines()
        if "encrypted by SOPS" in line and ": warning: " in line
    }
    assert sorted(found) == [
        "accounts/clouddriver-local.yml", GATE, "default/profiles/rosco/one.yml", "default/profiles/rosco/two.env",
        "files/kubeconfig",
    ]  # fmt: skip
    assert "is encrypted by SOPS as dotenv, and nothing decrypts it." in found["default/profiles/rosco/two.env"]
    assert (
        "the config server serves it as it is. Encrypt its values as {cipher}"
        in found["accounts/clouddriver-local.yml"]
    )
    assert "is encrypted by SOPS, and nothing decrypts it: it has 2 documents." in found[GATE]
