"""Google's stores through Google's libraries, against a fake of the calls they make."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.google import Google, google
from servers.http import Said

from halgit.errors import NotFoundError, RefusedError, ThrottledError, UnreachableError
from halgit.operator_settings import Access
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
