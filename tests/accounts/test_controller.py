"""The controller's client against a controller as strict as the recorded one: what each fault is blamed on."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from program import Ran, halgit
from servers.controller import Authority, FakeController, controller, encoded, error, pem, said
from servers.git_http import GitHttpServer
from servers.http import Said
from servers.openbao import ROOT_TOKEN, openbao
from servers.repositories import Repository

from halgit import yaml as hyaml
from halgit.accounts.cipher import Cipher
from halgit.redaction import Secret

FILE = "accounts/clouddriver-local.yml"
KEY = "the-encrypt-key"
KEPT = (
    "halgit.keep was added: a {cipher} value that stays, so that Clouddriver notices when the last account with a"
    " secret is removed.\n"
)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "accounts.git")
    made.commit({"README": "hello\n"})
    made.git("checkout", "--quiet", "--detach")
    (tmp_path / "key").write_text(KEY)
    return made


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[FakeController]:
    with controller(tmp_path) as running:
        yield running


def add(repository: Repository, *options: object, name: str = "shop", agent: str = "shop") -> Ran:
    ran = halgit(
        "accounts", "add", name, "--agent", agent, "--encrypt-key-file", "key", "--repo", repository.url,
        "--ref", "main", *options, cwd=repository.folder.parent,
    )  # fmt: skip
    assert "canary" not in ran.out + ran.err
    return ran


def entries(repository: Repository) -> list[dict[str, Any]]:
    data = hyaml.read(repository.git("show", f"main:{FILE}").encode(), FILE).data
    return list(data["kubernetes"]["accounts"])


def kubeconfig(repository: Repository) -> dict[str, Any]:
    text = Cipher(Secret(KEY, "key")).decrypt(str(entries(repository)[0]["kubeconfigContents"]))
    return dict(hyaml.read(text.encode(), "").data)


def test_a_remote_account_asks_the_controller_and_takes_its_namespaces(
    repository: Repository, remote: FakeController
) -> None:
    remote.names, remote.namespaces = {"shop": ["kubernetes"]}, ["a", "b"]
    ran = add(repository, *remote.options())
    assert (ran.code, ran.err) == (0, KEPT)
    assert remote.asked == [
        ("getAgentStatistics", None), ("generateKubectlComponents", {"agentName": "shop", "name": "kubernetes"}),
    ]  # fmt: skip
    assert kubeconfig(repository)["clusters"][0]["cluster"]["server"] == "https://controller:9002"
    assert entries(repository)[0]["namespaces"] == ["a", "b"]
    listed = halgit("accounts", "list", "--repo", repository.url, "--ref", "main", "--encrypt-key-file", "key",
                    cwd=repository.folder.parent, HOME=str(repository.folder.parent))  # fmt: skip
    assert listed.out.splitlines()[1].split()[:3] == ["shop", "kubernetes", "shop"]


def test_nothing_is_issued_for_a_change_that_is_refused_or_a_dry_run(
    repository: Repository, remote: FakeController
) -> None:
    assert add(repository, *remote.options(), "--field", "debug=1").code == 6
    assert add(repository, *remote.options(), name="a/b").code == 6
    assert add(repository, *remote.options(), "--dry-run").code == 0
    assert remote.asked == []


def test_an_agent_that_is_not_connected_is_reported(repository: Repository, remote: FakeController) -> None:
    ran = add(repository, *remote.options())
    assert (ran.code, ran.err) == (0, KEPT + "The agent shop is not connected: apply its manifest in the cluster.\n")
    remote.names = {"shop": ["one", "two"]}
    ran = add(repository, *remote.options(), "--endpoint", "three", name="b")
    assert ran.err == "The agent shop has no Kubernetes endpoint three (endpoints: one, two).\n"


def test_an_account_is_renewed_before_its_certificate_ends(repository: Repository, remote: FakeController) -> None:
    remote.days = 10
    assert add(repository, *remote.options()).code == 0
    before = kubeconfig(repository)
    where = ("--repo", repository.url, "--ref", "main", "--encrypt-key-file", "key")
    listed = halgit("accounts", "list", *where, cwd=repository.folder.parent)
    assert "shop: the certificate expires in 9 days" in listed.err
    shown = halgit("accounts", "show", "shop", *where, cwd=repository.folder.parent)
    end = listed.out.splitlines()[1].split()[-1]
    assert f"The certificate expires at {end}T" in shown.err
    remote.days = 365
    ran = halgit("accounts", "renew", *where, *remote.options(), cwd=repository.folder.parent)
    assert (ran.code, ran.out[:20]) == (0, "shop: renewed as " + repository.git("rev-parse", "main")[:3]), ran.err
    assert kubeconfig(repository)["users"] != before["users"]
    assert halgit("accounts", "renew", *where, *remote.options(), cwd=repository.folder.parent).out == (
        "Nothing to renew.\n"
    )


def test_nothing_is_renewed_if_a_name_is_wrong(repository: Repository, remote: FakeController) -> None:
    assert add(repository, *remote.options()).code == 0
    asked = len(remote.asked)
    where = ("--repo", repository.url, "--ref", "main", "--encrypt-key-file", "key")
    ran = halgit("accounts", "renew", "shop", "shpo", *where, *remote.options(), cwd=repository.folder.parent)
    assert (ran.code, ran.err) == (6, "halgit: There is no account shpo. Did you mean shop?\n")
    assert len(remote.asked) == asked


def _other_agent(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, **_identity({"name": "kubernetes", "type": "kubernetes", "agent": "other", "purpose": "service"})}


AUTHORITY = Authority()


def _identity(identity: dict[str, str], **more: Any) -> dict[str, str]:
    certificate, key = AUTHORITY.issue(identity, **more)
    return {"userCertificate": encoded(certificate), "userKey": encoded(key),
            "caCert": encoded(pem(AUTHORITY.certificate))}  # fmt: skip


GOOD = {"name": "kubernetes", "type": "kubernetes", "agent": "shop", "purpose": "service"}
ANSWERS = {
    "another identity": (_other_agent, "userCertificate is for purpose=service agent=other type=kubernetes"),
    "a key of another": (lambda a: {**a, "userKey": _identity(GOOD)["userKey"]}, "userKey does not belong to"),
    "another CA": (lambda a: {**a, "caCert": encoded(pem(AUTHORITY.certificate))}, "was not issued by caCert"),
    "an ended certificate": (lambda a: {**a, **_identity(GOOD, days=-1)}, "userCertificate is not valid now"),
    "no certificate": (lambda a: {**a, "userCertificate": "eA=="}, "userCertificate is not a certificate"),
    "plain http": (lambda a: {**a, "serverUrl": "http://controller:9002"}, "is not an https:// address"),
    "no host": (lambda a: {**a, "serverUrl": "https:///x"}, "has no host"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_the_controller_issues_is_checked(repository: Repository, remote: FakeController, case: str) -> None:
    remote.changed, words = ANSWERS[case]
    ran = add(repository, *remote.options())
    assert (ran.code, words in ran.err) == (6, True), ran.err
    assert repository.git("log", "--format=%s", "main") == "A change"


def test_each_fault_of_the_connection_is_told_apart(repository: Repository, tmp_path: Path) -> None:
    def failed(fake: FakeController, *options: object) -> tuple[int, str]:
        ran = add(repository, *fake.options(), "--timeout", 3, *options)
        return ran.code, ran.err.removeprefix("halgit: ").rstrip("\n").replace(fake.url, "URL")

    def folder(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    with controller(folder("one")) as one, controller(folder("two")) as two:
        theirs = ("--controller-cert-file", two.cert, "--controller-key-file", two.key)
        code, words = failed(one, *theirs)
        assert (code, words) == (
            3, "The controller at URL ended the connection. The control certificate was issued by another CA."
            " Use the certificate of this controller.",
        )  # fmt: skip
        assert failed(one, "--controller-ca-file", two.ca) == (
            3, "The controller at URL has a certificate that --controller-ca-file does not verify."
            " Use the controller's own CA.",
        )  # fmt: skip
        address = one.url.replace("localhost", "127.0.0.1")
        code, words = failed(one, "--controller-url", address)
        assert (code, words.replace(address, "URL")) == (
            3, "The controller at URL has a certificate for another name. Name it with --controller-server-name.",
        )  # fmt: skip
        named = ("--controller-url", address, "--controller-server-name", "localhost")
        assert add(repository, *one.options(), *named, name="named").code == 0
        code, words = failed(one, "--controller-url", address, "--controller-server-name", "example.com")
        assert (code, words.replace(address, "URL")) == (
            3, "The controller at URL has a certificate for another name. Name it with --controller-server-name.",
        )  # fmt: skip
        commented = tmp_path / "commented"
        commented.write_text("Aussteller: Müller\n" + one.ca.read_text())
        assert add(repository, *one.options(), "--controller-ca-file", commented, name="commented").code == 0
    with controller(folder("agent"), purpose="agent") as fake:
        assert failed(fake) == (
            3, "The controller at URL refuses the request (Unable to process request: certificate is not authorized"
            " for 'control': agent). Check the names, and that the login has purpose control.",
        )  # fmt: skip
    with controller(folder("expired-server"), server_days=-1) as fake:
        assert failed(fake) == (3, "The certificate of the controller at URL has expired. Restart the controller.")
    assert failed(fake, "--controller-url", "https://127.0.0.1:1") == (
        3, "The controller at https://127.0.0.1:1 is unreachable. Check --controller-url and the network.",
    )  # fmt: skip
    with controller(folder("plain")) as fake:
        from servers.http import server

        with server(lambda asked: Said()) as plain:
            code, words = failed(fake, "--controller-url", plain.replace("http:", "https:"))
            assert (code, "does not use TLS. Check the port: the control API is on 9003." in words) == (3, True), words


def test_faults_of_the_login_name_the_file_before_anything_connects(
    repository: Repository, remote: FakeController, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no certificate")
    (tmp_path / "two-lines").write_text("canary one\ncanary two\n")
    (tmp_path / "no-ascii").write_text("canary-ü")
    ended = Authority()
    (tmp_path / "old-ca").write_bytes(pem(ended.sign(ended.name, ended.key.public_key(), days=-1, ca=True)))
    (tmp_path / "other").mkdir()
    with controller(tmp_path / "other", days=-1) as other:
        pass
    cases: tuple[tuple[tuple[object, ...], str], ...] = (
        (("--controller-ca-file", "text"), "--controller-ca-file: text has no CA certificate in PEM."),
        (("--controller-ca-file", "nowhere"), "--controller-ca-file: nowhere cannot be read: No such file"),
        (("--controller-cert-file", "text"), "--controller-cert-file: text is not a certificate in PEM."),
        (("--controller-key-file", "text"), "--controller-key-file: text is not a private key in PEM"),
        (("--controller-key-file", other.key), "does not belong to"),
        (("--controller-cert-file", other.cert, "--controller-key-file", other.key), "expired on 20"),
        (
            ("--controller-token-file", "two-lines"),
            "--controller-token-file: two-lines holds 4 words, not one token in ASCII.",
        ),
        (("--controller-token-file", "no-ascii"), "--controller-token-file: no-ascii holds 1 words, not one token in"),
        (("--controller-ca-file", "old-ca"), "--controller-ca-file: old-ca expired on 20"),
        (("--controller-url", "http://x"), "--controller-url is not an https:// address."),
        (("--controller-url", "https://x:99999"), "--controller-url is not an https:// address."),
    )
    for options, words in cases:
        ran = add(repository, *remote.options(), *options)
        assert (ran.code, words in ran.err) == (2, True), ran.err
    assert remote.asked == []


def test_a_restart_is_waited_for_and_odd_answers_are_bounded(repository: Repository, remote: FakeController) -> None:
    left = [error(503, "starting"), Said(429, b"", {"Retry-After": "1"})]
    remote.rule = lambda asked: left.pop() if left else None
    remote.names = {"shop": ["kubernetes"]}
    assert add(repository, *remote.options()).code == 0
    remote.rule = lambda asked: said({"connectedAgents": None}) if asked.method == "GET" else Said(200, b"[" * 50_000)
    ran = add(repository, *remote.options(), name="b")
    assert (ran.code, "answers with HTTP 200" in ran.err) == (3, True), ran.err
    remote.rule = lambda asked: Said(200, b" " * (60 * 1024 * 1024))
    ran = add(repository, *remote.options(), name="c")
    assert (ran.code, "with more than 8388608 bytes" in ran.err) == (3, True), ran.err


def test_an_answer_in_drops_is_bounded_and_a_lost_one_is_not_asked_for_again(
    repository: Repository, remote: FakeController
) -> None:
    remote.pause = 0.4
    started = time.monotonic()
    ran = halgit("accounts", "agents", *remote.options(), "--timeout", 3, cwd=repository.folder.parent)
    assert (ran.code, time.monotonic() - started < 6) == (3, True), ran.err
    assert "answers too slowly" in ran.err
    remote.pause, asked = 0.0, len(remote.asked)
    remote.rule = lambda asked: error(504, "a proxy waited too long") if asked.method == "POST" else None
    ran = add(repository, *remote.options(), "--timeout", 5)
    assert (ran.code, "answers with HTTP 504" in ran.err) == (3, True), ran.err
    assert [call for call, _ in remote.asked[asked:]] == ["getAgentStatistics", "generateKubectlComponents"]


def test_a_controller_that_is_down_is_waited_for_until_the_timeout(repository: Repository, tmp_path: Path) -> None:
    """The chart restarts the controller with Recreate: for tens of seconds nothing listens."""
    with controller(tmp_path) as before:
        options = before.options()
    port = int(before.url.rsplit(":", 1)[1])
    started = time.monotonic()
    ran = add(repository, *options, "--timeout", 3)
    assert (ran.code, "is unreachable" in ran.err) == (3, True), ran.err
    assert 1 < time.monotonic() - started < 20
    seen: list[object] = []

    def restart() -> None:
        time.sleep(2)
        # It is the same CA: what the client verifies and shows stays valid.
        with before.restarted(port) as after:
            while not seen:
                time.sleep(0.05)
            assert after.asked

    thread = threading.Thread(target=restart)
    thread.start()
    ran = add(repository, *options, "--timeout", 30)
    seen.append(ran)
    thread.join()
    assert ran.code == 0, ran.err
    assert entries(repository)[0]["name"] == "shop"


@pytest.mark.parametrize("anchor", ["root", "intermediate", "rsa"])
def test_an_ec_ca_and_an_intermediate_ca_alone_are_anchors(repository: Repository, tmp_path: Path, anchor: str) -> None:
    (tmp_path / "c").mkdir()
    with controller(tmp_path / "c", anchor=anchor) as remote:
        assert add(repository, *remote.options()).code == 0


def test_a_controller_of_generation_5_takes_and_issues_tokens(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "fifth").mkdir()
    (tmp_path / "token").write_text("canary-control")
    with controller(tmp_path / "fifth", token="canary-control") as remote:
        login = ["--controller-url", remote.url, "--controller-ca-file", str(remote.ca)]
        ran = add(repository, *login, "--controller-token-file", tmp_path / "token")
        assert ran.code == 0, ran.err
        assert kubeconfig(repository)["users"][0]["user"] == {"token": "canary-issued-token"}
        remote.server_url = "http://controller:9002"
        ran = add(repository, *login, "--controller-token-file", tmp_path / "token", name="b")
        assert (ran.code, "is not an https:// address" in ran.err) == (6, True)
        ran = add(repository, *login, "--controller-token-file", tmp_path / "token", "--allow", "http-server", name="b")
        assert ran.code == 0, ran.err


def test_agents_are_listed_with_their_state(remote: FakeController) -> None:
    assert halgit("accounts", "agents", *remote.options()).out == "No agent is connected.\n"
    remote.names = {"shop": ["kubernetes", "other"]}
    out = halgit("accounts", "agents", *remote.options()).out
    assert out.splitlines()[1].split() == ["shop", "v3.5.9", "12", "s", "ago", "kubernetes", "(kubernetes),", "other",
                                           "(kubernetes)"]  # fmt: skip


def test_service_credentials_go_to_a_file_only_its_owner_reads(remote: FakeController, tmp_path: Path) -> None:
    target = tmp_path / "login.json"
    ran = halgit("accounts", "service-credentials", "shop", "jenkins", "--type", "jenkins", "--output", target,
                 *remote.options())  # fmt: skip
    assert (ran.code, "canary" in ran.out + ran.err) == (0, False)
    assert stat.S_IMODE(os.stat(target).st_mode) == 0o600
    found = json.loads(target.read_text())
    assert (found["username"], found["password"]) == ("jenkins.shop", "canary-password")
    ran = halgit("accounts", "service-credentials", "shop", "x", "--type", "x-y", "--output", "-", *remote.options())
    assert (ran.code, "'type' is invalid" in ran.err) == (3, True)


def test_a_manifest_has_its_namespace_and_leaves_the_services_alone(remote: FakeController, tmp_path: Path) -> None:
    target = tmp_path / "agent.yaml"
    where = ("--namespace", "opsmx", "--output", target, *remote.options())
    ran = halgit("accounts", "manifest", "shop", *where)
    assert ran.code == 0, ran.err
    assert stat.S_IMODE(os.stat(target).st_mode) == 0o600
    documents = hyaml.read(target.read_bytes(), "", many=True).documents
    assert [one["kind"] for one in documents] == [
        "Namespace", "ServiceAccount", "Role", "RoleBinding", "Secret", "ConfigMap", "Deployment",
    ]  # fmt: skip
    assert all("services.yaml" not in one.get("data", {}) for one in documents)
    pod = documents[-1]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "quay.io/opsmxpublic/forwarder-agent:v3.5.9"
    assert pod["volumes"][-1] == {"name": "services", "configMap": {"name": "opsmx-services-shop"}}
    assert "halgit/expires" in documents[4]["metadata"]["annotations"]
    wide = halgit("accounts", "manifest", "shop", *where, "--cluster-wide")
    assert {"ClusterRole", "ClusterRoleBinding"} <= {
        one["kind"] for one in hyaml.read(target.read_bytes(), "", many=True).documents
    }, wide.err
    services = ("--services", "--endpoint", "kubernetes", "--endpoint", "ci:jenkins")
    assert halgit("accounts", "manifest", "shop", *where, *services).code == 0
    inside = hyaml.read(hyaml.read(target.read_bytes(), "").data["data"]["services.yaml"].encode(), "").data
    assert inside["outgoingServices"] == [
        {"name": "kubernetes", "type": "kubernetes", "enabled": True},
        {"name": "ci", "type": "jenkins", "enabled": True},
    ]  # fmt: skip
    printed = halgit("accounts", "manifest", "shop", "--namespace", "opsmx", "--output", "-", *remote.options())
    assert printed.out.startswith("apiVersion: v1\nkind: Namespace\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("Shop", "--namespace", "opsmx"), "the agent's name is not at most 51 lower case letters"),
        (("shop", "--namespace", "a_b"), "'a_b' is not a namespace"),
        (("shop", "--namespace", "a", "--endpoint", "x", "--endpoint", "x"), "the endpoint 'x' is empty or duplicate"),
        (("shop", "--namespace", "a", "--endpoint", "x:a-b"), "the endpoint type 'a-b' is not lower case letters"),
        (("shop", "--namespace", "a", "--agent-tag", "a b"), "'a b' is not an image tag"),
    ],
)
def test_names_of_a_manifest_are_checked_before_anything_is_issued(
    remote: FakeController, arguments: tuple[str, ...], words: str
) -> None:
    ran = halgit("accounts", "manifest", *arguments, "--output", "-", *remote.options())
    assert (ran.code, words in ran.err) == (2, True), ran.err
    assert remote.asked == []


# --- nothing is issued for nothing -------------------------------------------------------------------------------


def issued(remote: FakeController) -> list[str]:
    return [call for call, _ in remote.asked if call.startswith("generate")]


def test_namespaces_of_an_agent_never_contradict_the_account(repository: Repository, remote: FakeController) -> None:
    remote.names, remote.namespaces = {"shop": ["kubernetes"]}, ["a"]
    assert add(repository, *remote.options(), "--field", "omitNamespaces=[b]").code == 0
    assert "namespaces" not in entries(repository)[0]
    remote.namespaces = ["a${x}"]
    ran = add(repository, *remote.options(), name="b")
    assert (ran.code, "namespaces holds ${" in ran.err) == (6, True), ran.err
    assert issued(remote) == ["generateKubectlComponents"], "for the first account only"


def test_a_store_that_cannot_be_written_is_found_before_a_credential_is_issued(
    repository: Repository, remote: FakeController, tmp_path: Path
) -> None:
    repository.git("branch", "taken", "main")
    taken = add(repository, *remote.options(), "--pull-request-branch", "taken")
    assert (taken.code, "the branch taken exists already" in taken.err) == (2, True), taken.err
    (tmp_path / "signing").write_text("x")
    unsigned = add(repository, *remote.options(), "--signing-key-file", "signing")
    assert (unsigned.code, "cannot sign" in unsigned.err) == (2, True), unsigned.err
    (tmp_path / "token").write_text("t")
    repository.git("config", "http.receivepack", "false")
    with GitHttpServer(tmp_path, token="t") as server:
        where = ("--repo", f"{server.url}/accounts.git", "--git-token-file", "token")
        ran = add(repository, *remote.options(), *where)
    assert ran.code == 3, ran.err
    assert issued(remote) == []


def test_a_vault_secret_that_would_be_too_large_is_found_before_a_credential_is_issued(
    remote: FakeController, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(KEY)
    with openbao(tmp_path) as bao:
        bao.mount("kv", 2)
        environment = {"VAULT_ADDR": bao.url, "VAULT_TOKEN": ROOT_TOKEN}
        where = ("--repo", "vault://kv/team", "--encrypt-key-file", "key")
        near = (*where, "--provider", "aws", "--field", "accountId=1", "--fields", "fields")
        (tmp_path / "fields").write_text(f"environment: {'x' * (1024 * 1024 - 6000)}\n")
        assert halgit("accounts", "add", "near", *near, cwd=tmp_path, **environment).code == 0
        agent = (*where, "--agent", "shop", *remote.options())
        ran = halgit("accounts", "add", "shop", *agent, cwd=tmp_path, **environment)
    assert (ran.code, "and Vault stores 1 MiB in one secret" in ran.err) == (6, True), ran.err
    assert issued(remote) == []


def test_a_file_that_cannot_be_written_is_found_before_a_credential_is_issued(
    remote: FakeController, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    for target in ("folder", "link", "file/below"):
        manifest = ("manifest", "shop", "--namespace", "n", "--output", target)
        login = ("service-credentials", "shop", "j", "--type", "jenkins", "--output", target)
        for command in (manifest, login):
            ran = halgit("accounts", *command, *remote.options(), cwd=tmp_path)
            assert ran.code not in {0, 70}, (target, ran.err)
    assert issued(remote) == []
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix not in {".crt", ".key", ".pem"}) == [
        "file", "folder", "link",
    ]  # fmt: skip


def test_a_manifest_of_a_controller_without_a_version_is_not_thrown_away(
    remote: FakeController, tmp_path: Path
) -> None:
    for version in ({"agentVersion": "latest"}, {"agentVersion": ""}):
        remote.changed = lambda answer, version=version: {**answer, **version}  # type: ignore[misc]
        ran = halgit(
            "accounts", "manifest", "shop", "--namespace", "n", "--output", "-", *remote.options(), cwd=tmp_path
        )
        assert ran.code == 0, ran.err
        assert ran.out.startswith("# The controller does not name the version of its agent, so the image has")
        assert "image: quay.io/opsmxpublic/forwarder-agent:latest" in ran.out
    assert issued(remote) == ["generateAgentManifestComponents"] * 2


ADDRESSES = (
    "https://[::1", "https://a b", "https://x:99999", "https://x:0", "https://u:p@host", "https://host/path",
    "https://h?q", "ftp://host", "host:9002", "https://-x", "https://\u00fcn\u00ef", "https://x#f",
)  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_from_the_controller_must_be_one_of_a_host(
    repository: Repository, remote: FakeController, address: str
) -> None:
    remote.server_url = address
    ran = add(repository, *remote.options())
    assert (ran.code, "serverUrl" in ran.err) == (6, True), ran.err
    assert repository.git("log", "--format=%s", "main") == "A change"


MANIFESTS = {
    "serverHostname": ("a b", "-a", "a/b", "a:9001", "a\nb"),
    "serverPort": (0, 65536, "x", "9001 ", "1" * 5000),
    "url": ("https://", "host", "https://u@h", "https://h/x", "ftp://h"),
}


@pytest.mark.parametrize("key", MANIFESTS)
def test_addresses_in_manifests_and_logins_are_checked(remote: FakeController, tmp_path: Path, key: str) -> None:
    login = ("service-credentials", "shop", "j", "--type", "jenkins", "--output", "-")
    manifest = ("manifest", "shop", "--namespace", "n", "--output", "-")
    for value in MANIFESTS[key]:
        remote.changed = lambda answer, value=value: {**answer, key: value}  # type: ignore[misc]
        ran = halgit("accounts", *(login if key == "url" else manifest), *remote.options(), cwd=tmp_path)
        assert (ran.code, f"cannot be used: {key} '" in ran.err, ran.out) == (6, True, ""), ran.err


GOOD_ADDRESSES = ("https://controller:9002", "https://10.0.0.1", "https://[fd00::1]:9002/", "https://a_b.c")


@pytest.mark.parametrize("address", GOOD_ADDRESSES)
def test_a_good_address_is_accepted(repository: Repository, remote: FakeController, address: str) -> None:
    remote.server_url = address
    assert add(repository, *remote.options()).code == 0
