"""Whole trees revealed out of real servers: what it costs, and what a bad day looks like from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from secret_trees import compiled, opened
from servers.aws import aws
from servers.google import google
from servers.kubernetes_api import kubernetes
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.relay import Answer, Crowd, relay

from halgit.compiler import Locator
from halgit.errors import SecretError
from halgit.operator_settings import Access, PerHost, Trust
from halgit.pipeline import Compiled, Resolved
from halgit.redaction import Redactor
from halgit.secrets import check_secrets, plan_secrets, resolve_secrets
from halgit.secrets.engines import engines

GATE = "default/profiles/gate-local.yml"
OPENED: list[Access] = []


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        running.mount("kv", 2)
        for number in range(50):
            running.put("kv", f"apps/{number}", {f"k{key}": f"value-{number}-{key}" for key in range(20)})
        running.call("POST", "sys/auth/userpass", {"type": "userpass"})
        running.policy("apps", {"kv/data/apps/*": ["read"]})
        running.call("POST", "auth/userpass/users/hal", {"password": "pw-of-hal", "token_policies": ["apps"]})
        yield running


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().cache.close()


def vault_access(url: str, **options: object) -> Access:
    settings: dict[str, object] = {
        "vault_address": PerHost(url), "timeout": 10.0, "retries": 1, "environment": {"VAULT_TOKEN": ROOT_TOKEN},
    }  # fmt: skip
    OPENED.append(Access(**{**settings, **options}))  # type: ignore[arg-type]
    return OPENED[-1]


def run(tree: Compiled, access: Access) -> Resolved:
    found = plan_secrets(tree, Trust(), "resolve")
    return resolve_secrets(found, engines(access), Redactor(), locate=Locator(tree.files, tree.layers).locate_findings)


def thousand() -> Compiled:
    lines = [f"a{n}: encrypted:vault!e:kv!p:apps/{n % 50}!k:k{n // 50}\n" for n in range(1000)]
    return compiled({GATE: "".join(lines)})


def test_a_thousand_references_over_fifty_paths_cost_fifty_reads_and_one_login(bao: Bao) -> None:
    with relay(bao.url) as between:
        access = vault_access(
            between.url,
            vault_auth=PerHost("userpass"),
            vault_role=PerHost("hal"),
            environment={"VAULT_PASSWORD": "pw-of-hal"},
        )
        text = opened(run(thousand(), access))[GATE]
        assert between.count("/login/") == 1
        assert between.count("/v1/kv/data/") == 50
        assert len(between.seen) == 52
    assert "a0: value-0-0\n" in text
    assert "a999: value-49-19\n" in text


def test_eight_secrets_are_read_at_once_and_never_more(bao: Bao) -> None:
    lines = "".join(f"a{n}: encrypted:vault!e:kv!p:apps/{n}!k:k1\n" for n in range(24))
    with relay(bao.url) as between:
        between.rule = crowd = Crowd(8, "/v1/kv/data/")
        text = opened(run(compiled({GATE: lines}), vault_access(between.url, retries=0)))[GATE]
        assert crowd.most == 8
        assert between.count("/v1/kv/data/") == 24
    assert text.count("value-") == 24


def test_a_sealed_vault_ends_with_one_line_and_nothing_else_asked(tmp_path: Path) -> None:
    with openbao(tmp_path) as own, relay(own.url) as between:
        own.call("PUT", "sys/seal")
        with pytest.raises(SecretError) as caught:
            run(thousand(), vault_access(between.url, retries=0))
        assert len(between.seen) < 30
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{GATE}:1: a0: Vault at {between.url} is sealed. (Also at {GATE}:2: a1; ")
    assert line.endswith("and 994 more places.) Unseal it and run again.")
    assert caught.value.exit_code == 4


def test_no_permission_on_one_path_names_its_places_and_the_rest_is_still_tried(bao: Bao) -> None:
    bao.put("kv", "private/x", {"k": "v"})
    tree = compiled({GATE: "a: encrypted:vault!e:kv!p:private/x!k:k\nb: encrypted:vault!e:kv!p:apps/1!k:none\n"})
    with pytest.raises(SecretError) as caught:
        run(tree, vault_access(bao.url, environment={"VAULT_TOKEN": bao.token("apps")}))
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{GATE}:1: a: Vault at {bao.url} denied access to kv/data/private/x (")
    assert first.endswith("Grant the token or role a policy that allows it.")
    assert second.startswith(f"{GATE}:2: b: Vault secret kv/apps/1 has no key none (keys: k0, k1, k10, ")


def test_a_vault_that_is_overloaded_now_and_then_costs_patience_only(bao: Bao) -> None:
    with relay(bao.url) as between:
        between.rule = lambda request: Answer(429, headers={"Retry-After": "0"}) if len(between.seen) % 7 == 0 else None
        text = opened(run(thousand(), vault_access(between.url, retries=3)))[GATE]
    assert text.count("value-") == 1000


def test_every_engine_gives_its_secret_to_one_tree(bao: Bao, tmp_path: Path) -> None:
    (tmp_path / "local").write_text("from-a-file")
    tree = compiled(
        {
            GATE: "vault: encrypted:vault!e:kv!p:apps/3!k:k4\nk8s: encrypted:gate:pw\n"
            "s3: encrypted:s3!r:us-east-1!b:secrets!f:all.yml!k:db.password\n"
            "manager: encrypted:secrets-manager!r:us-east-1!s:gate!k:pw\nnoop: encrypted:noop!v:from-noop\n"
            "gcs: encrypted:gcs!b:bucket!f:dir/all.yml!k:db.passwords.1\n"
            "google: encrypted:google-secrets-manager!p:1234!s:gate!k:pw\n"
            "google1: encrypted:google-secrets-manager!p:1234!s:gate!v:1\n"
            "env: ${{ secret('env://OF_HAL') }}\n" + f"file: ${{{{ secret('file://{tmp_path}/local') }}}}\n"
        }
    )
    with aws() as cloud, kubernetes(tmp_path) as cluster, google(tmp_path) as gcp:
        gcp.objects = {"bucket/dir/all.yml": [b"old", b"db: {passwords: [x, from-gcs]}"]}
        gcp.secrets = {"1234/gate": [b"from-google-before", b'{"pw": "from-google"}']}
        cluster.secrets["spinnaker/gate"] = {"pw": b"from-k8s"}
        cloud.bucket("secrets", {"all.yml": b"db: {password: from-s3}"}, versions=True)
        cloud.client("secretsmanager").create_secret(Name="gate", SecretString='{"pw": "from-manager"}')
        access = cloud.access(
            vault_address=PerHost(bao.url),
            environment={
                **gcp.access().environment,
                "VAULT_TOKEN": ROOT_TOKEN,
                "KUBECONFIG": cluster.kubeconfig(),
            },
            variables={"OF_HAL": "from-env"},
        )
        found = plan_secrets(tree, Trust(frozenset({"env", "file"})), "resolve")
        result = resolve_secrets(found, engines(access), Redactor())
        states = {each.row.engine: (each.state, each.how) for each in check_secrets(found, engines(access))}
        versions = dict(result.versions)
        again = resolve_secrets(found, engines(access), Redactor(), pinned=versions)
    assert opened(result)[GATE] == opened(again)[GATE]
    assert opened(result)[GATE] == (
        "vault: value-3-4\nk8s: from-k8s\ns3: from-s3\nmanager: from-manager\nnoop: from-noop\n"
        "gcs: from-gcs\ngoogle: from-google\ngoogle1: from-google-before\n"
        "env: from-env\nfile: from-a-file\n"
    )
    assert states == {
        "vault": ("there", "metadata"), "k8s": ("there", "read"), "s3": ("there", "metadata"),
        "secrets-manager": ("there", "metadata"), "noop": ("there", "metadata"), "env": ("there", "read"),
        "file": ("there", "metadata"), "gcs": ("there", "metadata"),
        "google-secrets-manager": ("there", "metadata"),
    }  # fmt: skip
    assert versions.keys() == {
        "vault://kv/apps/3", "k8s://gate", "s3://secrets/all.yml?region=us-east-1",
        "secrets-manager://gate?region=us-east-1", "gcs://bucket/dir/all.yml", "google-secrets-manager://1234/gate",
        "google-secrets-manager://1234/gate?version=1",
    }  # fmt: skip


def test_a_login_that_is_missing_is_said_for_each_engine_once(tmp_path: Path, bao: Bao) -> None:
    text = "a: encrypted:vault!e:kv!p:x!k:k\nb: encrypted:gate:pw\nc: encrypted:gate:other\n"
    text += "d: encrypted:s3!r:r!b:bbb!f:x\n"
    nothing = {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    with pytest.raises(SecretError) as caught:
        run(compiled({GATE: text}), vault_access(bao.url, environment=nothing))
    lines = str(caught.value).splitlines()
    assert [line.split(": ", 2)[1] for line in lines] == ["a", "b", "d"]
    assert f"No token for Vault at {bao.url}." in lines[0]
    assert f"No Kubernetes cluster is configured. (Also at {GATE}:3: c.)" in lines[1]
    assert "s3://bbb/x: no AWS credentials found." in lines[2]
