"""How long a login to a real OpenBao lasts: renewed in time, made once more, and told when that is not enough.

Also logins that need more than one server: Kubernetes, and namespaces.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.kubernetes_api import kubernetes
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.relay import Answer, Request, relay
from servers.token_reviews import review_token, service_token

from halgit.errors import NotFoundError, RefusedError
from halgit.operator_settings import Access, PerHost, SourceSpec
from halgit.pipeline import Reference
from halgit.references import find_references
from halgit.remotes.vault import VaultEngine
from halgit.remotes.vault_tree import open_vault

OPENED: list[Access] = []
RENEWALS = "/auth/token/renew-self"


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        running.mount("kv", 2)
        running.put("kv", "gate", {"k": "value"})
        running.policy("reader", {"kv/data/gate": ["read"]})
        running.call("POST", "sys/auth/userpass", {"type": "userpass"})
        yield running


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().cache.close()


def access(url: str, token: str = "", **options: object) -> Access:
    environment = {"VAULT_TOKEN": token} if token else {}
    settings: dict[str, object] = {"timeout": 5.0, "retries": 1, "environment": environment, **options}
    OPENED.append(Access(vault_address=PerHost(url), **settings))  # type: ignore[arg-type]
    return OPENED[-1]


def reference(uri: str = "vault://kv/gate#k") -> Reference:
    return find_references("${{ secret('" + uri + "') }}")[0].reference


def read_until(engine: VaultEngine, end: float) -> None:
    """Read again and again until this moment; every read must succeed."""
    while time.monotonic() < end:
        assert engine.read(reference()).keys == {"k": "value"}
        time.sleep(0.05)


def user(bao: Bao, name: str, **options: object) -> dict[str, object]:
    """Options that log in as a new user whose tokens are like this."""
    bao.call("POST", f"auth/userpass/users/{name}", {"password": "pw-of-hal", "token_policies": ["reader"], **options})
    return {
        "vault_auth": PerHost("userpass"), "vault_role": PerHost(name), "environment": {"VAULT_PASSWORD": "pw-of-hal"},
    }  # fmt: skip


def hurried(request: Request, body: bytes) -> bytes:
    """Every token is said to end soon, so that a test on a busy machine renews it long before it does."""
    return re.sub(rb'"(ttl|lease_duration)":[0-9]+', rb'"\1":0.3', body)


def test_a_given_token_is_renewed_before_it_ends_and_outlives_its_time(bao: Bao) -> None:
    token = bao.token("reader", "default", ttl="2s")
    with relay(bao.url) as between:
        between.change = hurried
        read_until(VaultEngine(access(between.url, token)), time.monotonic() + 3)
        assert between.count(RENEWALS) >= 2
        assert between.count("lookup-self") == 1
        assert {request.method for request in between.seen if RENEWALS in request.path} == {"POST"}


def test_the_token_of_a_login_is_renewed_without_a_second_login(bao: Bao) -> None:
    options = user(bao, "renewing", token_ttl="2s")
    with relay(bao.url) as between:
        between.change = hurried
        read_until(VaultEngine(access(between.url, **options)), time.monotonic() + 3)
        assert between.count(RENEWALS) >= 2
        assert between.count("/login/") == 1
        assert between.count("lookup-self") == 0


def test_a_token_with_time_enough_is_not_renewed(bao: Bao) -> None:
    with relay(bao.url) as between:
        engine = VaultEngine(access(between.url, bao.token("reader", "default", ttl="1h")))
        for _ in range(3):
            engine.read(reference())
        assert between.count(RENEWALS) == 0


@pytest.mark.parametrize("options", [{"token_max_ttl": "1s"}, {"token_ttl": "1s", "token_type": "batch"}])
def test_a_token_that_cannot_live_longer_costs_one_login_more_and_its_second_death_is_told(
    bao: Bao, options: dict[str, object]
) -> None:
    login = user(bao, "-".join(map(str, options.values())), **options)
    with relay(bao.url) as between:
        engine = VaultEngine(access(between.url, **login))
        with pytest.raises(RefusedError) as caught:
            read_until(engine, time.monotonic() + 30)
        assert str(caught.value) == (
            f"The token for Vault at {between.url} became invalid a second time in this run (login method userpass). "
            "Issue tokens with a longer or renewable lease, and check what revokes them."
        )
        asked = len(between.seen)
        with pytest.raises(RefusedError, match="became invalid a second time"):
            engine.read(reference())
        assert len(between.seen) == asked
        assert between.count("/login/") == 2


def test_a_renewal_that_is_refused_changes_nothing_while_the_token_lives(bao: Bao) -> None:
    token = bao.token("reader", "default", ttl="30s")
    with relay(bao.url) as between:
        between.change = hurried
        between.rule = lambda request: Answer(403) if RENEWALS in request.path else None
        read_until(VaultEngine(access(between.url, token)), time.monotonic() + 1)
        assert between.count(RENEWALS) == 1


def test_a_dead_token_is_said_at_once_and_for_all_secrets(bao: Bao) -> None:
    with relay(bao.url) as between:
        engine = VaultEngine(access(between.url, "token-of-nobody"))
        for _ in range(3):
            with pytest.raises(RefusedError, match=r"is expired, revoked or unknown\. Set a valid one with") as caught:
                engine.read(reference())
            assert "token-of-nobody" not in str(caught.value)
        assert len(between.seen) == 1


def test_a_token_file_that_still_holds_the_dead_token_is_said_as_that(bao: Bao, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(bao.token("reader", "default"))
    engine = VaultEngine(access(bao.url, vault_token_file=PerHost(str(file))))
    assert engine.read(reference()).keys
    bao.call("POST", "auth/token/revoke", {"token": file.read_text()})
    with pytest.raises(RefusedError, match=r"is expired, revoked or unknown\. Set a valid one with"):
        engine.read(reference())


def test_a_living_token_that_may_not_look_itself_up_is_not_called_dead(bao: Bao) -> None:
    engine = VaultEngine(access(bao.url, bao.token("reader", no_default_policy=True)))
    with pytest.raises(
        RefusedError, match=r"denied access to kv/data/other .* Grant the token or role a policy that allows it\."
    ):
        engine.read(reference("vault://kv/other#k"))
    assert engine.read(reference()).keys == {"k": "value"}


def test_kubernetes_login_whose_token_the_cluster_reviews(bao: Bao, tmp_path: Path) -> None:
    with kubernetes(tmp_path) as cluster:
        cluster.rule = review_token
        bao.call("POST", "sys/auth/k8s-prod", {"type": "kubernetes"})
        trust = {"kubernetes_host": cluster.url, "kubernetes_ca_cert": cluster.ca.read_text()}
        bao.call("POST", "auth/k8s-prod/config", {**trust, "disable_iss_validation": True})
        names = {"bound_service_account_names": ["halyard"], "bound_service_account_namespaces": ["spinnaker"]}
        bao.call("POST", "auth/k8s-prod/role/hal", {**names, "token_policies": ["reader"]})

        def engine(account: str) -> VaultEngine:
            (tmp_path / account).write_text(service_token(account))
            options = {"vault_auth": PerHost("kubernetes:k8s-prod"), "vault_role": PerHost("hal")}
            return VaultEngine(access(bao.url, vault_secret_file=PerHost(str(tmp_path / account)), **options))

        assert engine("halyard").read(reference()).keys == {"k": "value"}
        assert cluster.asked == ["/apis/authentication.k8s.io/v1/tokenreviews"]
        with pytest.raises(
            RefusedError, match=r"denied access to the login kubernetes \(.*\)\. Check --vault-auth, --vault-role and"
        ):
            engine("intruder").read(reference())


@pytest.fixture(scope="module")
def spaced(bao: Bao) -> Bao:
    """The server with the namespaces `team` and `team/a`, each with the same paths as the root and its own values."""
    for parent, name in (("", "team"), ("team", "a")):
        _in(bao, parent, "POST", f"sys/namespaces/{name}", {})
        space = f"{parent}/{name}".strip("/")
        _in(bao, space, "POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
        _until(lambda space=space: _in(bao, space, "POST", "kv/data/gate", {"data": {"k": f"of {space}"}}))
        _in(bao, space, "POST", "kv/data/hal/config", {"data": {"content": f"x: {space}\n"}})
        policy = {"path": {"kv/*": {"capabilities": ["read", "list"]}}}
        _in(bao, space, "PUT", "sys/policies/acl/reader", {"policy": json.dumps(policy)})
        _in(bao, space, "POST", "sys/auth/userpass", {"type": "userpass"})
        _in(bao, space, "POST", "auth/userpass/users/hal", {"password": "pw-of-hal", "token_policies": ["reader"]})
    return bao


def _in(bao: Bao, space: str, method: str, path: str, body: object) -> None:
    bao.call(method, f"{space}/{path}".lstrip("/"), body)


def _until(write: object) -> None:
    for _ in range(50):
        try:
            write()  # type: ignore[operator]
        except urllib.error.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the mount never took a write")


@pytest.mark.parametrize("space", ["team", "team/a"])
@pytest.mark.parametrize("variable", ["VAULT_NAMESPACE", "BAO_NAMESPACE"])
def test_secrets_and_trees_are_read_in_the_namespace_of_the_operator(spaced: Bao, space: str, variable: str) -> None:
    given = {variable: space, "VAULT_TOKEN": ROOT_TOKEN}
    options = access(spaced.url, environment=given)
    assert VaultEngine(options).read(reference()).keys == {"k": f"of {space}"}
    assert VaultEngine(options).check(reference()).how == "metadata"
    snapshot = open_vault(SourceSpec("vault://kv/hal"), options)
    assert snapshot.read(snapshot.paths) == {"config": f"x: {space}\n".encode()}


def test_the_login_is_one_of_the_namespace_and_reaches_no_other(spaced: Bao) -> None:
    login = {"vault_auth": PerHost("userpass"), "vault_role": PerHost("hal")}

    def at(space: str) -> Access:
        return access(spaced.url, environment={"VAULT_PASSWORD": "pw-of-hal", "VAULT_NAMESPACE": space}, **login)

    assert VaultEngine(at("team/a")).read(reference()).keys == {"k": "of team/a"}
    assert open_vault(SourceSpec("vault://kv/hal"), at("team/a")).paths == {"config"}
    with pytest.raises(RefusedError, match="rejected the login userpass"):
        VaultEngine(at("")).read(reference())


def test_a_namespace_that_is_not_there(spaced: Bao) -> None:
    options = access(spaced.url, environment={"VAULT_TOKEN": ROOT_TOKEN, "VAULT_NAMESPACE": "nowhere"})
    with pytest.raises(NotFoundError) as caught:
        VaultEngine(options).read(reference())
    assert str(caught.value) == (
        f"Vault at {spaced.url} in the namespace nowhere has no auth/token/lookup-self (namespace not found). "
        "Check VAULT_NAMESPACE."
    )
