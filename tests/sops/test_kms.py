"""Files that the real SOPS encrypted with AWS KMS, decrypted with the run's AWS login against moto's KMS."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import needs
import pytest
from program import halgit
from servers.aws import KEYS, Cloud, aws
from servers.relay import relay

from halgit.errors import CorruptError, NotFoundError, RefusedError
from halgit.operator_settings import Access
from halgit.pipeline import Reference
from halgit.secrets.sops import SopsEngine

FIXTURES = needs.ROOT / "tests/fixtures/sops"
sys.path.insert(0, str(FIXTURES))

import make_kms  # noqa: E402


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with aws() as running:
        running.kms_key(make_kms.KEY_ID, make_kms.MATERIAL)
        yield running


def _decrypt(text: bytes, access: Access) -> dict[str, object]:
    read = SopsEngine(access, {"f": text}).read(Reference("sops", "halgit", (("path", "f"), ("key", "x")), ""))
    return dict(read.keys or {})


def _plain() -> dict[str, object]:
    return _decrypt((FIXTURES / "types.yml").read_bytes(), Access(sops_age_key_file=str(FIXTURES / "first.key")))


@pytest.mark.parametrize("name", ["kms.yml", "kms-groups.yml"])
def test_kms_opens_what_sops_encrypted(cloud: Cloud, name: str) -> None:
    key = str(FIXTURES / "first.key") if name == "kms-groups.yml" else ""
    assert _decrypt((FIXTURES / name).read_bytes(), cloud.access(sops_age_key_file=key)) == _plain()


def test_kms_opens_what_sops_encrypts_now(cloud: Cloud, tmp_path: Path) -> None:
    make_kms.encrypt(tmp_path)
    assert _decrypt((tmp_path / "kms.yml").read_bytes(), cloud.access()) == _plain()


def test_only_the_operators_login_and_endpoint_are_used(cloud: Cloud) -> None:
    text = (FIXTURES / "kms.yml").read_bytes().replace(b'aws_profile: ""', b"aws_profile: theirs")
    with relay(cloud.url) as between:
        assert _decrypt(text, cloud.access(between.url)) == _plain()
        (request,) = between.seen
    assert request.headers["x-amz-target"] == "TrentService.Decrypt"
    assert "Credential=test-key/" in request.headers["authorization"]


@pytest.mark.parametrize(
    ("old", "new", "error", "message", "hint"),
    [
        (
            b"arn:aws:kms:us-east-1:123456789012:key/11111111",
            b"arn:aws:kms:us-east-1:123456789012:key/99999999",
            NotFoundError,
            "f is encrypted by SOPS, and AWS KMS does not open it: "
            "arn:aws:kms:us-east-1:123456789012:key/99999999-2222-4333-8444-555555555555: "
            "not found (NotFoundException).",
            "Check the name and the permissions of the login.",
        ),
        (
            b"arn:aws:kms",
            b"arn:aws:sns",
            CorruptError,
            "f is encrypted by SOPS, and AWS KMS does not open it: arn:aws:sns:us-east-1:123456789012:key/"
            "11111111-2222-4333-8444-555555555555 is not the ARN of a key of AWS KMS.",
            "Encrypt the file again.",
        ),
        (
            b"          context:",
            b"          role: arn:aws:iam::1:role/theirs\n          context:",
            RefusedError,
            "f is encrypted by SOPS, and AWS KMS does not open it: arn:aws:kms:us-east-1:123456789012:key/"
            "11111111-2222-4333-8444-555555555555 is to be used with the role arn:aws:iam::1:role/theirs; "
            "halgit uses only the operator's login.",
            "Grant that login kms:Decrypt, and remove the role with `sops updatekeys`.",
        ),
        (
            b"app: spinnaker",
            b"app: other",
            RefusedError,
            "f is encrypted by SOPS, and AWS KMS does not open it: arn:aws:kms:us-east-1:123456789012:key/"
            "11111111-2222-4333-8444-555555555555: the server refused the request (InvalidCiphertextException).",
            "Grant the login this permission.",
        ),
    ],
)
def test_what_kms_does_not_open_is_named(
    cloud: Cloud, old: bytes, new: bytes, error: type[Exception], message: str, hint: str
) -> None:
    text = (FIXTURES / "kms.yml").read_bytes().replace(old, new)
    with pytest.raises((RefusedError, CorruptError, NotFoundError)) as failed:
        _decrypt(text, cloud.access())
    assert (type(failed.value), failed.value.message, failed.value.hint) == (error, message, hint)


def test_without_a_login_the_file_is_named(cloud: Cloud) -> None:
    access = Access(environment={"AWS_ENDPOINT_URL_KMS": cloud.url})
    with pytest.raises(RefusedError, match=r"f is encrypted by SOPS, .*: no AWS credentials found\."):
        _decrypt((FIXTURES / "kms.yml").read_bytes(), access)


def test_a_group_too_few_is_counted(cloud: Cloud) -> None:
    with pytest.raises(RefusedError, match=r"The key of --sops-age-key-file opens 1 of 2 key groups that f needs\."):
        _decrypt((FIXTURES / "kms-groups.yml").read_bytes(), cloud.access())


def test_render_decrypts_with_kms(cloud: Cloud, tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    (repo / "default/profiles").mkdir(parents=True)
    (repo / "config").write_text(
        "deploymentConfigurations:\n- name: default\n  version: '1.36.1'\n"
        "  persistentStorage: {persistentStoreType: s3, s3: {bucket: one}}\n"
    )
    (repo / "default/profiles/gate-local.yml").write_bytes((FIXTURES / "kms.yml").read_bytes())
    out = tmp_path / "out"
    environment = {**KEYS, "AWS_ENDPOINT_URL_KMS": cloud.url}
    ran = halgit("render", "--repo", repo, "--out", out, "--no-validate", **environment)
    assert ran.code == 0, ran.err
    assert "correct horse: battery # staple" in (out / "default/profiles/gate-local.yml").read_text()
