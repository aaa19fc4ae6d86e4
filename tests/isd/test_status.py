"""`halgit isd status`: what it says of Secrets that are there, half there and gone, and of dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import program
import pytest
from servers.kubernetes_api import Cluster

from halgit.isd import Row, SecretNames, bootstrap, status
from halgit.operator_settings import Access
from halgit.remotes.kubernetes import SecretStore

Run = Callable[..., program.Ran]
NAMES = ("--ca-secret=ca", "--control-secret=control", "--trust-secret=trust", "--generate=db:password")
WANTED = SecretNames(ca="ca", control="control")


def test_what_create_ca_made_is_there(cluster: Cluster, isd: Run) -> None:
    assert isd("create-ca", *NAMES).code == 0
    asked = len(cluster.asked)
    done = isd("status", *NAMES)
    assert (done.code, done.err) == (0, "")
    head, *rows = done.out.splitlines()
    assert head.split() == ["secret", "state", "valid", "until"]
    assert [row.split()[:2] for row in rows] == [[name, "exists"] for name in ("ca", "control", "trust", "db")]
    assert "364 days" in rows[1] or "365 days" in rows[1]
    assert all("secrets/" in path for path in cluster.asked[asked:]), "status only reads"
    found: dict[str, Any] = {row["name"]: row for row in isd("status", *NAMES, "--format=json").json["secrets"]}
    assert found["db"] == {
        "role": "generated", "name": "db", "state": "exists", "keys": ["password"],
        "until": "", "days": None, "detail": "",
    }  # fmt: skip
    assert datetime.fromisoformat(found["ca"]["until"].replace("Z", "+00:00")) > datetime.now(timezone.utc)


def test_what_is_missing_or_half_there_is_told_and_fails(cluster: Cluster, isd: Run) -> None:
    cluster.secrets = {"isd/db": {"user": b"hal", "password": b""}, "isd/control": {"tls.crt": b"no", "tls.key": b"no"}}
    done = isd("status", *NAMES)
    assert done.code == 4
    assert done.err.splitlines() == [
        "halgit: 4 Secrets cannot be used:",
        "Secret ca: missing: run halgit isd create-ca with the same options.",
        "Secret control: invalid: tls.crt is not a PEM certificate.",
        "Secret trust: missing: run halgit isd create-ca with the same options.",
        "Secret db: incomplete: password is empty; delete it and run halgit isd create-ca.",
    ]
    assert len(done.out.splitlines()) == 5


def job(name: str, release: str = "isd", **state: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"app.kubernetes.io/instance": release}}, "status": state}


def test_jobs_of_a_release_are_shown_and_a_failed_one_fails(cluster: Cluster, isd: Run) -> None:
    done = {"type": "Complete", "status": "True"}
    ended = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "Job was active too long"}
    cluster.jobs = [
        job("isd-bootstrap-1", conditions=[done]), job("isd-configure-2", failed=2), job("other", "other", failed=1),
    ]  # fmt: skip
    ran = isd("status", "--release=isd", "--format=json")
    assert ran.code == 0, ran.err
    assert ran.json["jobs"] == [
        {"name": "isd-bootstrap-1", "state": "succeeded"},
        {"name": "isd-configure-2", "state": "running, 2 failed attempts"},
    ]
    cluster.jobs = [job("isd-configure-2", conditions=[ended])]
    ran = isd("status", "--release=isd")
    assert (ran.code, ran.err) == (
        4, "halgit: A job failed:\nJob isd-configure-2: failed: DeadlineExceeded Job was active too long.\n",
    )  # fmt: skip


@pytest.fixture
def made(cluster: Cluster) -> Callable[[timedelta], tuple[Row, ...]]:
    """The rows as they are so long after everything was made."""
    access = Access(environment={"KUBECONFIG": cluster.kubeconfig("isd")}, retries=0)
    store = SecretStore(access)
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    bootstrap(store, WANTED, (), start)
    yield lambda later: status(store, WANTED, start + later, 30)
    access.cache.close()


def test_a_certificate_ends_soon_and_then_has_ended(made: Callable[[timedelta], tuple[Row, ...]]) -> None:
    assert [row.state for row in made(timedelta(days=300))] == ["exists", "exists"]
    _, soon = made(timedelta(days=340))
    assert (soon.state, soon.days, soon.until) == ("expires soon", 25, "2027-01-01T00:00:00Z")
    assert soon.detail == (
        "run halgit isd create-ca with the same options, --renew-control-before 366 and --restart with sapor's name"
    )
    _, over = made(timedelta(days=366))
    assert (over.state, over.days) == ("expired", -1)
    ca, _ = made(timedelta(days=4000))
    assert ca.state == "expired"


def test_a_certificate_of_another_authority_is_wrong(cluster: Cluster, isd: Run) -> None:
    assert isd("create-ca", "--ca-secret=ca", "--control-secret=control").code == 0
    assert isd("create-ca", "--ca-secret=other").code == 0
    done = isd("status", "--ca-secret=other", "--control-secret=control")
    assert done.code == 4
    assert "Secret control: invalid: the certificate was not issued by the current CA." in done.err
    cluster.secrets["isd/ca"]["tls.key"] = cluster.secrets["isd/other"]["tls.key"]
    assert "Secret ca: invalid: tls.key does not belong to tls.crt." in isd("status", "--ca-secret=ca").err
