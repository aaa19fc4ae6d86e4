"""Kubernetes Secrets over TLS, by kubeconfig and by service account, and what is said when they cannot be had."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.http import Said
from servers.kubernetes_api import Cluster, kubernetes, status

from halgit.errors import CorruptError, NotFoundError, RefusedError, ThrottledError, UnreachableError, UntrustedError
from halgit.operator_settings import Access
from halgit.pipeline import Reference
from halgit.references import find_references
from halgit.remotes.kubernetes import KubernetesEngine

OPENED: list[Access] = []


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with kubernetes(tmp_path) as running:
        running.secrets = {"spinnaker/gate": {"pw": b"v\xff", "user": b"hal"}, "other/gate": {"pw": b"other"}}
        yield running
        while OPENED:
            OPENED.pop().cache.close()


def reference(text: str) -> Reference:
    return find_references(text)[0].reference


def engine(kubeconfig: str, **options: object) -> KubernetesEngine:
    settings: dict[str, object] = {"timeout": 5.0, "retries": 1, "environment": {"KUBECONFIG": kubeconfig}, **options}
    OPENED.append(Access(**settings))  # type: ignore[arg-type]
    return KubernetesEngine(OPENED[-1])


def test_every_form_reads_the_whole_secret_of_its_own_namespace(cluster: Cluster) -> None:
    one = engine(cluster.kubeconfig())
    for text in ("encrypted:gate:pw", "encrypted:k8s!n:gate!k:pw", "${{ secret('k8s://gate#pw') }}"):
        held = one.read(reference(text))
        assert (held.keys, held.version) == ({"pw": b"v\xff", "user": b"hal"}, "revision:42")
    assert set(cluster.asked) == {"/api/v1/namespaces/spinnaker/secrets/gate"}


def test_another_namespace_is_asked_for_where_it_is_named(cluster: Cluster) -> None:
    assert engine(cluster.kubeconfig()).read(reference("${{ secret('k8s://other/gate#pw') }}")).keys == {"pw": b"other"}
    assert engine(cluster.kubeconfig("other")).read(reference("encrypted:gate:pw")).keys == {"pw": b"other"}


def test_a_pod_uses_its_service_account(cluster: Cluster) -> None:
    host, port = cluster.url.removeprefix("https://").split(":")
    access = Access(environment={"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}, retries=0)
    OPENED.append(access)
    assert (KubernetesEngine(access, cluster.service_account()).read(reference("encrypted:gate:pw")).keys or {})[
        "user"
    ] == b"hal"


def test_a_pod_reaches_its_own_api_server_past_any_proxy(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    host, port = cluster.url.removeprefix("https://").split(":")
    access = Access(environment={"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}, retries=0)
    OPENED.append(access)
    assert KubernetesEngine(access, cluster.service_account()).read(reference("encrypted:gate:pw")).keys


def test_the_api_has_no_metadata_alone_so_checking_reads(cluster: Cluster) -> None:
    told = engine(cluster.kubeconfig()).check(reference("encrypted:gate:pw"))
    assert (told.how, told.keys) == ("read", {"pw", "user"})


def test_absence_and_refusals_are_told_apart(cluster: Cluster) -> None:
    with pytest.raises(
        NotFoundError, match=r"Kubernetes Secret none in namespace spinnaker not found. Create it, or fix"
    ):
        engine(cluster.kubeconfig()).read(reference("encrypted:none:pw"))
    with pytest.raises(
        RefusedError,
        match=r"Kubernetes denied access to Secret gate in namespace forbidden: secrets is forbidden: .* Grant the",
    ):
        engine(cluster.kubeconfig("forbidden")).read(reference("encrypted:gate:pw"))
    with pytest.raises(RefusedError, match=r"Kubernetes rejected the login\.") as caught:
        engine(cluster.kubeconfig(token="wrong-token")).read(reference("encrypted:gate:pw"))
    assert "wrong-token" not in str(caught.value)


def test_a_cluster_whose_certificate_does_not_hold_is_not_trusted(cluster: Cluster) -> None:
    with pytest.raises(UntrustedError, match=r"The certificate of the Kubernetes API cannot be verified\."):
        engine(cluster.kubeconfig(ca=False)).read(reference("encrypted:gate:pw"))
    assert cluster.asked == []


def test_patience_is_given_where_it_is_asked_for(cluster: Cluster) -> None:
    later = {"Retry-After": "0"}
    cluster.rule = lambda asked: status(429, "TooManyRequests", **later) if len(cluster.asked) == 1 else None
    assert engine(cluster.kubeconfig()).read(reference("encrypted:gate:pw")).version == "revision:42"
    cluster.rule = lambda asked: Said(503, b"<html>", {"Retry-After": "900"})
    with pytest.raises(ThrottledError, match=r"Kubernetes asks to retry later \(HTTP 503\)\."):
        engine(cluster.kubeconfig()).read(reference("encrypted:gate:pw"))


def test_answers_that_make_no_sense(cluster: Cluster) -> None:
    cluster.rule = lambda asked: Said(body=b"<html>")
    with pytest.raises(CorruptError, match=r"The response of Kubernetes for Secret gate in namespace spinnaker is"):
        engine(cluster.kubeconfig()).read(reference("encrypted:gate:pw"))
    cluster.rule = lambda asked: Said(body=b'{"metadata": {"name": "gate"}, "data": {"pw": "no base64!"}}')
    with pytest.raises(CorruptError, match=r"Key pw of Kubernetes Secret gate is not base64\.") as caught:
        engine(cluster.kubeconfig()).read(reference("encrypted:gate:pw"))
    assert "no base64!" not in str(caught.value)
    cluster.rule = lambda asked: status(500, "InternalError")
    with pytest.raises(
        UnreachableError, match=r"Kubernetes failed for Secret gate in namespace spinnaker \(HTTP 500\)"
    ):
        engine(cluster.kubeconfig()).read(reference("encrypted:gate:pw"))


def test_no_cluster_and_broken_settings_are_named(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(
        RefusedError, match=r"No Kubernetes cluster is configured\. Run in a pod with a service account, or set"
    ):
        KubernetesEngine(Access(environment={}), str(tmp_path / "none"))
    with pytest.raises(
        RefusedError, match=r"The kubeconfig /nowhere cannot be read \(ConfigError\)\. Correct KUBECONFIG\."
    ):
        engine("/nowhere")
    (tmp_path / "broken").write_text("a: [")
    with pytest.raises(RefusedError, match=r"The kubeconfig .*/broken cannot be"):
        engine(str(tmp_path / "broken"))
    (tmp_path / "empty").write_text("{clusters: [], contexts: []}")
    with pytest.raises(
        RefusedError, match=r"The kubeconfig is not usable \(ConfigError\)\. Check its current context\."
    ):
        engine(str(tmp_path / "empty"))


def test_a_cluster_that_is_gone(cluster: Cluster, tmp_path: Path) -> None:
    text = Path(cluster.kubeconfig()).read_text().replace(cluster.url, "https://127.0.0.1:9")
    (tmp_path / "gone").write_text(text)
    with pytest.raises(UnreachableError, match=r"The Kubernetes API is unreachable\. Check the kubeconfig"):
        engine(str(tmp_path / "gone"), retries=0).read(reference("encrypted:gate:pw"))
