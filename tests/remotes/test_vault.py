"""Reading secrets from a real OpenBao: KV 1 and 2, logins, expiry, refusals, and the faults of a bad day."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.http import Asked, Said, server
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.relay import Answer, Request, relay
from servers.tls import authority

from halgit.errors import (
    NotFoundError,
    RefusedError,
    RemoteError,
    ThrottledError,
    UnreachableError,
    UntrustedError,
    UsageError,
)
from halgit.operator_settings import Access, PerHost
from halgit.pipeline import Reference
from halgit.references import find_references
from halgit.remotes.vault import VaultEngine
from halgit.remotes.vault_login import choose_login


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        running.mount("kv1", 1)
        running.mount("team/kv2", 2)
        running.put("kv1", "gate", {"clientSecret": "old-style"}, 1)
        running.put("team/kv2", "apps/gate", {"clientSecret": "first"})
        running.put("team/kv2", "apps/gate", {"clientSecret": "second", "number": 7})
        running.policy("reader", {"team/kv2/data/apps/*": ["read"], "kv1/*": ["read"]})
        yield running


def reference(uri: str) -> Reference:
    return find_references("${{ secret('" + uri + "') }}")[0].reference


OPENED: list[Access] = []


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().cache.close()


def access(url: str, token: str = ROOT_TOKEN, **options: object) -> Access:
    environment = {"VAULT_TOKEN": token} if token else {}
    settings: dict[str, object] = {"timeout": 5.0, "retries": 1, "environment": environment, **options}
    OPENED.append(Access(vault_address=PerHost(url), **settings))  # type: ignore[arg-type]
    return OPENED[-1]


GATE = "vault://team/kv2/apps/gate#clientSecret"


@pytest.mark.parametrize(
    ("uri", "values", "version"),
    [
        (GATE, {"clientSecret": "second", "number": 7}, "2"),
        ("vault://team/kv2/apps/gate?version=1#clientSecret", {"clientSecret": "first"}, "1"),
        ("vault://kv1/gate#clientSecret", {"clientSecret": "old-style"}, ""),
    ],
)
@pytest.mark.parametrize("who", ["root", "one who may read data only"])
def test_both_kv_versions_are_told_apart_by_themselves(
    bao: Bao, who: str, uri: str, values: dict[str, object], version: str
) -> None:
    token = ROOT_TOKEN if who == "root" else bao.token("reader")
    held = VaultEngine(access(bao.url, token)).read(reference(uri))
    assert (held.keys, held.version) == (values, version)


def test_armory_mount_is_the_hint_where_the_server_does_not_tell(bao: Bao) -> None:
    bao.policy("bare", {"team/kv2/data/apps/gate": ["read"]})
    token = bao.token("bare", no_default_policy=True)
    with relay(bao.url) as between:
        between.rule = lambda request: Answer(403) if "internal/ui/mounts" in request.path else None
        engine = VaultEngine(access(between.url, token))
        armory = find_references("encrypted:vault!e:team/kv2!p:apps/gate!k:clientSecret")[0].reference
        assert (engine.read(armory).keys or {})["clientSecret"] == "second"


def test_the_mount_and_the_login_cost_one_request_each(bao: Bao, tmp_path: Path) -> None:
    for number in range(20):
        bao.put("team/kv2", f"many/{number}", {"k": str(number)})
    bao.call("POST", "sys/auth/userpass", {"type": "userpass"})
    bao.policy("many", {"team/kv2/data/many/*": ["read"]})
    bao.call("POST", "auth/userpass/users/hal", {"password": "pass-of-hal", "token_policies": ["many"]})
    (tmp_path / "password").write_text("pass-of-hal\n")
    with relay(bao.url) as between:
        options = {"vault_auth": PerHost("userpass"), "vault_role": PerHost("hal")}
        engine = VaultEngine(access(between.url, "", vault_secret_file=PerHost(str(tmp_path / "password")), **options))
        for number in range(20):
            assert engine.read(reference(f"vault://team/kv2/many/{number}#k")).keys == {"k": str(number)}
        assert between.count("/login/") == 1
        assert between.count("/internal/ui/mounts") == 1
        assert len(between.seen) == 22


def test_one_run_shares_one_login_between_all_who_ask_it(bao: Bao) -> None:
    shared = access(bao.url)
    VaultEngine(shared).read(reference(GATE))
    with relay(bao.url) as between:
        other = access(between.url)
        VaultEngine(other).read(reference(GATE))
        VaultEngine(other).read(reference("vault://team/kv2/apps/gate?version=1#k"))
        assert between.count("/internal/ui/mounts") == 1


def test_approle(bao: Bao) -> None:
    bao.call("POST", "sys/auth/machines", {"type": "approle"})
    bao.call("POST", "auth/machines/role/hal", {"token_policies": ["reader"]})
    role = bao.call("GET", "auth/machines/role/hal/role-id")["data"]["role_id"]
    secret = bao.call("POST", "auth/machines/role/hal/secret-id")["data"]["secret_id"]
    options = {"vault_auth": PerHost("approle:machines"), "vault_role": PerHost(role)}
    engine = VaultEngine(access(bao.url, "", environment={"VAULT_SECRET_ID": secret}, **options))
    assert engine.read(reference(GATE)).version == "2"
    wrong = VaultEngine(access(bao.url, "", environment={"VAULT_SECRET_ID": "wrong"}, **options))
    for _ in range(2):
        with pytest.raises(RefusedError, match=r"rejected the login approle .*Check --vault-auth"):
            wrong.read(reference(GATE))


def test_a_login_that_fails_is_tried_once_and_not_for_each_secret(bao: Bao) -> None:
    with relay(bao.url) as between:
        options = {"vault_auth": PerHost("userpass:nowhere"), "vault_role": PerHost("hal")}
        engine = VaultEngine(access(between.url, "", environment={"VAULT_PASSWORD": "x"}, **options))
        for _ in range(3):
            with pytest.raises(RefusedError):
                engine.read(reference(GATE))
        assert len(between.seen) == 1


def _jwt_files(folder: Path) -> tuple[str, str]:
    """A public key and a token signed with its private half, as an issuer of service-account tokens makes them."""
    import base64
    import json

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {"sub": "hal", "aud": "vault", "exp": int(time.time()) + 600, "iat": int(time.time())}
    signed = part(b'{"alg":"RS256","typ":"JWT"}') + "." + part(json.dumps(claims).encode())
    token = signed + "." + part(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))
    (folder / "jwt").write_text(token)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return public.decode(), str(folder / "jwt")


def test_jwt(bao: Bao, tmp_path: Path) -> None:
    public, token_file = _jwt_files(tmp_path)
    bao.call("POST", "sys/auth/jwt", {"type": "jwt"})
    bao.call("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [public]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["reader"]}
    bao.call("POST", "auth/jwt/role/hal", role)
    options = {"vault_auth": PerHost("jwt"), "vault_role": PerHost("hal"), "vault_secret_file": PerHost(token_file)}
    assert VaultEngine(access(bao.url, "", **options)).read(reference(GATE)).version == "2"


def test_kubernetes_login_hands_the_service_accounts_token_to_its_mount(bao: Bao, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("service-account-token")
    reader = bao.token("reader")

    def login(request: Request) -> Answer | None:
        if request.path == "/v1/auth/k8s-prod/login":
            return Answer(
                200, b'{"auth": {"client_token": "%s"}}' % reader.encode(), {"Content-Type": "application/json"}
            )
        return None

    with relay(bao.url) as between:
        between.rule = login
        options = {"vault_auth": PerHost("kubernetes:k8s-prod"), "vault_role": PerHost("halyard")}
        engine = VaultEngine(access(between.url, "", vault_secret_file=PerHost(str(tmp_path / "token")), **options))
        assert engine.read(reference(GATE)).version == "2"


def test_a_token_that_expires_in_the_middle_is_replaced_once(bao: Bao, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(bao.token("reader", "default", ttl="1s"))
    engine = VaultEngine(access(bao.url, "", vault_token_file=PerHost(str(file))))
    assert engine.read(reference(GATE)).version == "2"
    _wait_until_dead(bao, file.read_text())
    file.write_text(bao.token("reader"))
    assert engine.read(reference(GATE)).version == "2"


def test_an_expired_token_that_cannot_be_replaced_is_named(bao: Bao) -> None:
    token = bao.token("reader", "default", ttl="1s")
    engine = VaultEngine(access(bao.url, token))
    assert engine.read(reference(GATE)).version == "2"
    _wait_until_dead(bao, token)
    with pytest.raises(RefusedError, match=r"is expired, revoked or unknown\. Set a valid one with") as caught:
        engine.read(reference(GATE))
    assert token not in str(caught.value)


def _wait_until_dead(bao: Bao, token: str) -> None:
    import urllib.error

    for _ in range(100):
        try:
            bao.call("GET", "auth/token/lookup-self", token=token)
        except urllib.error.HTTPError:
            return
        time.sleep(0.05)
    raise AssertionError("the token outlived its time")


def test_no_permission_on_one_path_leaves_the_others_readable(bao: Bao) -> None:
    bao.put("team/kv2", "private/x", {"k": "v"})
    engine = VaultEngine(access(bao.url, bao.token("reader")))
    with pytest.raises(
        RefusedError, match=r"denied access to team/kv2/data/private/x \(.*permission denied.*\)\. Grant the token"
    ):
        engine.read(reference("vault://team/kv2/private/x#k"))
    assert engine.read(reference(GATE)).version == "2"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("vault://team/kv2/apps/nothing#k", "has no team/kv2/data/apps/nothing."),
        ("vault://team/kv2/apps/gate?version=9#k", "has no team/kv2/data/apps/gate."),
        (
            "vault://team/kv2/data/apps/gate#k",
            "has no team/kv2/data/data/apps/gate. Remove data/ from the path: it belongs to the API of KV 2, and "
            "halgit adds it.",
        ),
        ("vault://nowhere/x#k", "has no nowhere/data/x (no handler for route"),
        ("vault://kv1/gate?version=1#k", "The Vault mount kv1 is KV 1, which has no versions. Omit ?version=."),
    ],
)
def test_what_is_missing_is_named(bao: Bao, uri: str, words: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        VaultEngine(access(bao.url)).read(reference(uri))
    assert words in str(caught.value)


def test_existence_is_asked_by_metadata_where_the_policy_lets(bao: Bao) -> None:
    told = VaultEngine(access(bao.url)).check(reference(GATE))
    assert (told.how, told.keys) == ("metadata", {"clientSecret", "number"})
    read = VaultEngine(access(bao.url, bao.token("reader"))).check(reference(GATE))
    assert (read.how, read.keys) == ("read", {"clientSecret", "number"})
    with pytest.raises(NotFoundError):
        VaultEngine(access(bao.url)).check(reference("vault://team/kv2/apps/nothing#k"))


def test_namespace_is_sent_where_the_operator_says(bao: Bao) -> None:
    with relay(bao.url) as between:
        environment = {"VAULT_TOKEN": ROOT_TOKEN, "VAULT_NAMESPACE": "team-a"}
        with pytest.raises(RemoteError):
            VaultEngine(access(between.url, environment=environment)).read(reference(GATE))
        assert {request.headers.get("x-vault-namespace") for request in between.seen} == {"team-a"}


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_patience_gets_it(bao: Bao, status: int) -> None:
    with relay(bao.url) as between:
        between.rule = lambda request: Answer(status, headers={"Retry-After": "0"}) if len(between.seen) == 1 else None
        assert VaultEngine(access(between.url)).read(reference(GATE)).version == "2"


def test_a_retry_after_beyond_our_patience_ends_the_tries(bao: Bao) -> None:
    with relay(bao.url) as between:
        between.rule = lambda request: Answer(429, headers={"Retry-After": "3600"})
        with pytest.raises(ThrottledError, match=r"asks to retry later \(HTTP 429\)\. Retry later\.") as caught:
            VaultEngine(access(between.url)).read(reference(GATE))
        assert caught.value.retry_after == 3600
        assert len(between.seen) == 1


def test_a_slow_server_is_given_up(bao: Bao) -> None:
    with relay(bao.url) as between:
        between.after = lambda request: time.sleep(1)
        environment = {"VAULT_TOKEN": ROOT_TOKEN, "VAULT_CLIENT_TIMEOUT": "0.2s", "VAULT_MAX_RETRIES": "0"}
        with pytest.raises(UnreachableError, match=r"did not respond to auth/token/lookup-self in time\."):
            VaultEngine(access(between.url, environment=environment)).read(reference(GATE))


def test_an_answer_cut_short_is_tried_again(bao: Bao) -> None:
    with relay(bao.url) as between:

        def once(request: Request) -> Answer | None:
            first = between.count("/data/") == 1 and "/data/" in request.path
            return Answer(200, b'{"data": {"data": {"clientSecret": "half"}}}', cut=True) if first else None

        between.rule = once
        held = VaultEngine(access(between.url)).read(reference(GATE))
        assert (held.keys or {})["clientSecret"] == "second"


def test_a_page_that_is_not_vault_is_called_that(bao: Bao) -> None:
    with relay(bao.url) as between:
        between.rule = lambda request: Answer(200, b"<html>login</html>", {"Content-Type": "text/html"})
        with pytest.raises(RemoteError, match=r"is not JSON\. Set --vault-address to Vault itself"):
            VaultEngine(access(between.url)).read(reference(GATE))


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(UnreachableError, match=r"Vault at http://127\.0\.0\.1:9 is unreachable. Check --vault-address"):
        VaultEngine(access("http://127.0.0.1:9")).read(reference(GATE))


def test_a_sealed_server_is_called_sealed(tmp_path: Path) -> None:
    with openbao(tmp_path) as own:
        own.call("PUT", "sys/seal")
        with pytest.raises(UnreachableError, match=r"is sealed\. Unseal it and run again\."):
            VaultEngine(access(own.url)).read(reference(GATE))


def test_certificates_are_verified_and_the_authority_is_the_operators(tmp_path: Path) -> None:
    with openbao(tmp_path, tls=True) as own:
        own_ca = own.ca
        with pytest.raises(UntrustedError, match=r"cannot be verified\. Add the CA certificate with --ca-file"):
            VaultEngine(access(own.url)).read(reference(GATE))
        skip = {"VAULT_TOKEN": ROOT_TOKEN, "VAULT_SKIP_VERIFY": "true"}
        with pytest.raises(UntrustedError):
            VaultEngine(access(own.url, environment=skip)).read(reference(GATE))
        with pytest.raises(UntrustedError, match=r"The CA file /nowhere\.pem does not exist"):
            VaultEngine(access(own.url, ca_file=PerHost("/nowhere.pem")))
        for trusting in (
            access(own.url, ca_file=PerHost(own_ca)),
            access(own.url, environment={"VAULT_TOKEN": ROOT_TOKEN, "VAULT_CACERT": own_ca}),
        ):
            with pytest.raises(NotFoundError):
                VaultEngine(trusting).read(reference("vault://secret/nothing#k"))


def test_a_redirect_without_tls_never_gets_the_token(tmp_path: Path) -> None:
    context, ca = authority(tmp_path)
    stolen: list[Asked] = []

    def thief(asked: Asked) -> Said:
        stolen.append(asked)
        return Said()

    with server(thief) as plain:
        redirect = Said(307, b"", {"Location": f"{plain}/v1/x"})
        words = r"redirects to http://127\.0\.0\.1, which is not followed with a token\."
        with server(lambda asked: redirect, context) as url, pytest.raises(UntrustedError, match=words):
            VaultEngine(access(url, ca_file=PerHost(str(ca)))).read(reference(GATE))
    assert stolen == []


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({}, UnreachableError, "No Vault server is configured. Set --vault-address or VAULT_ADDR."),
        ({"vault_address": PerHost("vault:8200")}, UsageError, "The Vault address is not an http:// or https:// URL."),
        ({"vault_address": PerHost("https://u:p@vault")}, UsageError, "The Vault address contains credentials."),
        (
            {"vault_address": PerHost("https://v"), "vault_auth": PerHost("ldap")},
            UsageError,
            "Unknown Vault login method ldap",
        ),
        (
            {"vault_address": PerHost("https://v"), "vault_auth": PerHost("jwt")},
            UsageError,
            "login method jwt requires a role",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, PerHost], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        choose_login(Access(**given))  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert "p@vault" not in str(caught.value)


def test_missing_credentials_are_named(tmp_path: Path) -> None:
    at = "http://127.0.0.1:9"
    with pytest.raises(RefusedError, match=r"No token for Vault at .*Set --vault-token-file or VAULT_TOKEN"):
        VaultEngine(access(at, "")).read(reference(GATE))
    with pytest.raises(RefusedError, match=r"The file /nowhere for the Vault token cannot be read: No such file"):
        VaultEngine(access(at, "", vault_token_file=PerHost("/nowhere"))).read(reference(GATE))
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(RefusedError, match=r"/empty for the Vault token is empty\."):
        VaultEngine(access(at, "", vault_token_file=PerHost(str(tmp_path / "empty")))).read(reference(GATE))
    roleful = {"vault_auth": PerHost("approle"), "vault_role": PerHost("r")}
    with pytest.raises(
        RefusedError, match=r"The Vault login method approle requires the secret id. Set --vault-secret-file or"
    ):
        VaultEngine(access(at, "", **roleful)).read(reference(GATE))


def test_the_usual_variables_count_openbaos_too(tmp_path: Path) -> None:
    chosen = choose_login(Access(environment={"BAO_ADDR": "https://bao.example.com/", "VAULT_ROLE": "r"}))
    assert (chosen.address, chosen.method, chosen.role) == ("https://bao.example.com", "token", "r")
    own = PerHost("", {"other.example.com": "jwt"})
    assert choose_login(Access(vault_auth=own, environment={"VAULT_ADDR": "https://bao.example.com"})).method == "token"
