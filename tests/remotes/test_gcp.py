"""Google's stores through Google's libraries, against a fake of the calls they make."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.google import Google, google
from servers.http import Said, server
from servers.tls import authority

from halgit.errors import NotFoundError, RefusedError, ThrottledError, UnreachableError, UntrustedError
from halgit.operator_settings import Access, PerHost
from halgit.pipeline import Reference
from halgit.references import find_references
from halgit.remotes.gcp import GcsEngine, GoogleSecretManagerEngine


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Google]:
    with google(tmp_path) as running:
        running.objects = {"bucket/dir/secrets.yml": [b"old", b"a: {b: \xff}"]}
        running.secrets = {"1234/gate": [b"first", b'{"k": "second"}']}
        yield running


def reference(uri: str) -> Reference:
    return find_references("${{ secret('" + uri + "') }}")[0].reference


def test_an_object_is_read_at_its_newest_or_a_named_generation(fake: Google) -> None:
    engine = GcsEngine(fake.access())
    newest = engine.read(find_references("encrypted:gcs!b:bucket!f:dir/secrets.yml!k:a.b")[0].reference)
    assert (newest.whole, newest.keys, newest.version) == (b"a: {b: \xff}", None, "2")
    old = engine.read(reference("gcs://bucket/dir/secrets.yml?version=1"))
    assert (old.whole, old.version) == (b"old", "1")


def test_a_secret_is_read_at_its_newest_or_a_named_version(fake: Google) -> None:
    engine = GoogleSecretManagerEngine(fake.access())
    newest = engine.read(find_references("encrypted:google-secrets-manager!p:1234!s:gate!k:k")[0].reference)
    assert (newest.whole, newest.version) == (b'{"k": "second"}', "2")
    assert engine.read(reference("google-secrets-manager://1234/gate?version=1")).whole == b"first"


def test_existence_is_asked_by_metadata(fake: Google) -> None:
    assert GcsEngine(fake.access()).check(reference("gcs://bucket/dir/secrets.yml")).how == "metadata"
    assert (
        GoogleSecretManagerEngine(fake.access()).check(reference("google-secrets-manager://1234/gate")).how
        == "metadata"
    )
    assert not [asked for asked in fake.asked if "alt=media" in asked.path or ":access" in asked.path]
    fake.rule = lambda asked: Said(body=b'{"name": "x", "state": "DISABLED"}')
    with pytest.raises(
        NotFoundError, match=r"google-secrets-manager://1234/gate: its version is disabled\. Enable one\."
    ):
        GoogleSecretManagerEngine(fake.access()).check(reference("google-secrets-manager://1234/gate"))


@pytest.mark.parametrize(
    ("engine", "uri"),
    [(GcsEngine, "gcs://bucket/none"), (GoogleSecretManagerEngine, "google-secrets-manager://1234/none")],
)
def test_absence_refusal_and_patience_are_told_apart(
    fake: Google, engine: type[GcsEngine | GoogleSecretManagerEngine], uri: str
) -> None:
    one = engine(fake.access())
    with pytest.raises(NotFoundError, match=rf"{uri}: not found\. Check the name and its version\."):
        one.read(reference(uri))
    fake.rule = lambda asked: Said(403, b'{"error": {"code": 403, "message": "quotes a secret"}}')
    with pytest.raises(RefusedError, match=r": permission denied\. Grant the login") as caught:
        one.read(reference(uri))
    assert "quotes" not in str(caught.value)
    fake.rule = lambda asked: Said(429, b"{}", {"Retry-After": "900"})
    with pytest.raises(ThrottledError, match=r"the server asks to retry later\.") as throttled:
        one.read(reference(uri))
    assert throttled.value.retry_after == 900
    fake.rule = lambda asked: Said(500, b"{}")
    with pytest.raises(UnreachableError, match=r"the server failed \(HTTP 500\)\."):
        one.read(reference(uri))


def test_a_login_is_needed_and_the_metadata_service_is_not_asked_for_one(fake: Google, tmp_path: Path) -> None:
    for engine in (GcsEngine, GoogleSecretManagerEngine):
        with pytest.raises(
            RefusedError, match=r"no Google Cloud credentials found\. Give GOOGLE_APPLICATION_CREDENTIALS"
        ):
            engine(Access(environment={"HOME": str(tmp_path)}))
        with pytest.raises(
            RefusedError,
            match=r"/none holds no Google Cloud credentials \(supported types: service_account, authorized",
        ):
            engine(Access(environment={"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "none")}))


def test_without_the_extra_its_name_is_told(fake: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.storage", None)
    with pytest.raises(RefusedError) as caught:
        GcsEngine(fake.access())
    assert str(caught.value) == (
        "The engine gcs needs google-cloud-storage. Install it with: pip install 'halgit[gcp]'."
    )


def test_an_object_over_the_stated_size_is_refused(fake: Google) -> None:
    with pytest.raises(RefusedError, match=r"gcs://bucket/dir/secrets\.yml: it exceeds 3 bytes\."):
        GcsEngine(fake.access(largest_file=3)).read(reference("gcs://bucket/dir/secrets.yml"))


@pytest.mark.parametrize(
    ("engine", "uri", "value"),
    [
        (GcsEngine, "gcs://bucket/object", b"of an object"),
        (GoogleSecretManagerEngine, "google-secrets-manager://1234/gate", b"of a secret"),
    ],
)
def test_a_ca_file_is_trusted_for_the_login_and_the_store(
    engine: type[GcsEngine | GoogleSecretManagerEngine],
    uri: str,
    value: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("server", "other"):
        (tmp_path / name).mkdir()
    certificate, ca_file = authority(tmp_path / "server")
    ca, other = str(ca_file), str(authority(tmp_path / "other")[1])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", other)  # of this process, not of the run: it is not read
    with google(tmp_path, certificate) as fake:
        fake.objects, fake.secrets = {"bucket/object": [b"of an object"]}, {"1234/gate": [b"of a secret"]}
        for own in (PerHost(ca), PerHost(other, {"127.0.0.1": ca})):
            assert engine(fake.access(ca_file=own)).read(reference(uri)).whole == value
        for wrong in (PerHost(), PerHost(other), PerHost("", {"googleapis.com": ca})):
            with pytest.raises(UntrustedError) as caught:
                engine(fake.access(ca_file=wrong)).read(reference(uri))
            assert str(caught.value) == (
                f"{uri}: the certificate of the Google Cloud login cannot be verified. "
                "Add the CA certificate with --ca-file or REQUESTS_CA_BUNDLE; verification cannot be disabled."
            )
        with pytest.raises(UntrustedError, match=r"^The CA file /nowhere\.pem does not exist\. Fix --ca-file\.$"):
            engine(fake.access(ca_file=PerHost("/nowhere.pem")))


@pytest.mark.parametrize(
    ("engine", "uri"),
    [(GcsEngine, "gcs://bucket/object"), (GoogleSecretManagerEngine, "google-secrets-manager://1234/gate")],
)
def test_the_certificate_of_a_store_is_verified_after_the_login(
    engine: type[GcsEngine | GoogleSecretManagerEngine], uri: str, fake: Google, tmp_path: Path
) -> None:
    certificate, _ = authority(tmp_path)
    with server(fake.answer, certificate) as url:
        plain = fake.access()
        names = ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER")
        access = fake.access(environment={**plain.environment, **dict.fromkeys(names, url)})
        with pytest.raises(UntrustedError, match=rf"^{uri}: the server's certificate cannot be verified\. Add the CA"):
            engine(access).read(reference(uri))


@pytest.mark.parametrize("engine", [GcsEngine, GoogleSecretManagerEngine])
def test_a_login_that_cannot_be_reached_is_no_wrong_login(
    engine: type[GcsEngine | GoogleSecretManagerEngine], tmp_path: Path
) -> None:
    with google(tmp_path) as fake:
        access = fake.access(retries=0)
    uri = "gcs://bucket/object" if engine is GcsEngine else "google-secrets-manager://1234/gate"
    with pytest.raises(UnreachableError, match=rf"^{uri}: the Google Cloud login is unreachable\. Check the endpoint"):
        engine(access).read(reference(uri))
