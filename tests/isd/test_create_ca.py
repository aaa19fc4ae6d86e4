"""`halgit isd create-ca`: what it makes of nothing, of a part, of everything, and of what cannot be completed."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import needs
import program
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from servers.http import Asked, Said
from servers.kubernetes_api import Cluster, kubernetes, status

from halgit import __version__
from halgit.isd import SecretNames, bootstrap
from halgit.isd.certificates import issue_control_certificate, read_ca
from halgit.operator_settings import Access
from halgit.remotes.kubernetes import SecretStore

Run = Callable[..., program.Ran]
CONTROLLER = (
    "--ca-secret=c-ca", "--control-secret=c-control", "--service-auth-secret=c-auth", "--trust-secret=c-trust",
)  # fmt: skip
ALL = ("create-ca", *CONTROLLER, "--generate=db:password,username=postgres", "--generate=api:token")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """What one run makes of nothing: keys take their time."""
    with kubernetes(tmp_path_factory.mktemp("cluster")) as cluster:
        assert program.halgit("isd", *ALL, KUBECONFIG=cluster.kubeconfig("isd")).code == 0
        return cluster.secrets


@pytest.fixture
def made(cluster: Cluster, once: dict[str, dict[str, bytes]]) -> Cluster:
    """A cluster in which everything was made."""
    cluster.secrets = {name: dict(data) for name, data in once.items()}
    return cluster


def certificate(cluster: Cluster, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(cluster.secrets[f"isd/{name}"]["tls.crt"])


def test_everything_is_made_of_nothing(cluster: Cluster, isd: Run) -> None:
    done = isd(*ALL)
    assert done.code == 0, done.err
    assert done.out.split("\n")[1:3] == ["db         created  credentials", "api        created  credentials"]
    assert {name.removeprefix("isd/"): set(data) for name, data in cluster.secrets.items()} == {
        "c-ca": {"tls.crt", "tls.key"}, "c-control": {"tls.crt", "tls.key"}, "c-auth": {"public.pem"},
        "c-trust": {"cacerts"}, "db": {"username", "password"}, "api": {"token"},
    }  # fmt: skip
    assert {name: made["type"] for name, made in cluster.made.items() if "tls" in made["type"]} == {
        "isd/c-ca": "kubernetes.io/tls", "isd/c-control": "kubernetes.io/tls",
    }  # fmt: skip
    assert cluster.made["isd/db"]["metadata"]["labels"] == {
        "app.kubernetes.io/part-of": "isd", "app.kubernetes.io/managed-by": "halgit",
    }  # fmt: skip
    assert cluster.secrets["isd/db"]["username"] == b"postgres"
    texts = [
        cluster.secrets["isd/db"]["password"],
        cluster.secrets["isd/api"]["token"],
        cluster.secrets["isd/c-auth"]["public.pem"],
    ]
    assert all(len(text) == 40 and text.isalnum() for text in texts)
    assert len(set(texts)) == 3
    for data in cluster.secrets.values():
        for key, value in data.items():
            assert key in ("username", "cacerts") or value.decode() not in done.out + done.err


def test_the_authority_is_what_the_controller_takes(made: Cluster) -> None:
    ca = certificate(made, "c-ca")
    assert ca.public_key().key_size == 4096  # type: ignore[union-attr]
    assert ca.subject == ca.issuer
    constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 2)
    usage = ca.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)
    assert ca.not_valid_after_utc - ca.not_valid_before_utc == timedelta(days=3652, hours=1)
    text = made.secrets["isd/c-ca"]["tls.key"]
    assert text.startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert load_pem_private_key(text, None).public_key() == ca.public_key()


def test_the_control_certificate_says_who_sapor_is(made: Cluster) -> None:
    own = certificate(made, "c-control")
    own.verify_directly_issued_by(certificate(made, "c-ca"))
    unit = own.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)[0].value
    assert unit == '{"name":"oes","purpose":"control"}'
    assert own.public_key().key_size == 2048  # type: ignore[union-attr]
    uses = set(own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert uses == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}
    usage = own.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign) == (True, False)
    assert own.not_valid_after_utc - own.not_valid_before_utc == timedelta(days=365, hours=1)


def test_openssl_takes_the_client_certificate(made: Cluster, tmp_path: Path) -> None:
    openssl = needs.program("openssl", "openssl")
    for name in ("c-ca", "c-control"):
        (tmp_path / name).write_bytes(made.secrets[f"isd/{name}"]["tls.crt"])
    command = [openssl, "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", "c-ca", "c-control"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "c-control: OK\n", done.stderr


@pytest.mark.parametrize("password", [[], ["-storepass", "changeit"]], ids=["no-password", "customary-password"])
def test_java_opens_the_trust_store(made: Cluster, tmp_path: Path, password: list[str]) -> None:
    keytool = needs.program("keytool", "default-jdk-headless")
    (tmp_path / "cacerts").write_bytes(made.secrets["isd/c-trust"]["cacerts"])
    command = [keytool, "-J-Duser.language=en", "-list", "-keystore", tmp_path / "cacerts", *password]
    done = subprocess.run(command, input="\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    rows = [line for line in done.stdout.splitlines() if "trustedCertEntry" in line]
    assert len(rows) > 100
    assert sum(row.startswith("isd-controller,") for row in rows) == 1


def test_the_trust_store_holds_the_authorities_of_the_operator(cluster: Cluster, isd: Run, tmp_path: Path) -> None:
    keytool = needs.program("keytool", "default-jdk-headless")
    assert isd("create-ca", "--ca-secret=ca", "--trust-secret=one").code == 0
    assert isd("create-ca", "--ca-secret=ca", "--trust-secret=two", f"--ca-file={cluster.ca}").code == 0
    counts = []
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(cluster.secrets[f"isd/{name}"]["cacerts"])
        command = [keytool, "-list", "-rfc", "-keystore", tmp_path / name, "-storepass", "changeit"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        counts.append(text.count("BEGIN CERTIFICATE"))
        assert "".join(cluster.secrets["isd/ca"]["tls.crt"].decode().split("\n")[1:-2]) in text.replace("\n", "")
    assert counts[1] == counts[0] + 1


def test_a_second_run_changes_nothing(made: Cluster, isd: Run) -> None:
    before = {name: dict(data) for name, data in made.secrets.items()}
    done = isd(*ALL, "--format=json")
    assert done.code == 0, done.err
    assert {row["state"] for row in done.json["secrets"]} == {"exists"}
    assert (made.secrets, made.made) == (before, {})


def test_two_at_once_agree_on_one_authority(cluster: Cluster, isd: Run) -> None:
    """The second is told that the authority is absent, and has lost when it comes to make its own."""
    gate = threading.Barrier(2)

    def both_see_nothing(asked: Asked) -> Said | None:
        if asked.method == "GET" and asked.path.endswith("/c-ca") and "isd/c-ca" not in cluster.secrets:
            gate.wait(60)
            return status(404, "NotFound")
        return None

    cluster.rule = both_see_nothing
    ran: list[program.Ran] = []
    runs = [threading.Thread(target=lambda: ran.append(isd("create-ca", *CONTROLLER))) for _ in range(2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert [one.code for one in ran] == [0, 0], [one.err for one in ran]
    certificate(cluster, "c-control").verify_directly_issued_by(certificate(cluster, "c-ca"))
    assert sum("c-ca       created" in one.out for one in ran) == 1


def test_a_lost_control_certificate_is_issued_from_the_authority(made: Cluster, isd: Run) -> None:
    ca, old = made.secrets["isd/c-ca"], made.secrets.pop("isd/c-control")
    assert isd(*ALL).code == 0
    assert made.secrets["isd/c-ca"] is ca
    assert made.secrets["isd/c-control"] != old
    certificate(made, "c-control").verify_directly_issued_by(certificate(made, "c-ca"))


def test_a_lost_authority_is_not_replaced_in_silence(made: Cluster, isd: Run) -> None:
    del made.secrets["isd/c-ca"], made.secrets["isd/api"]
    done = isd(*ALL)
    assert done.code == 4
    assert done.err == (
        "Secret api: created\n"
        "halgit: Secret c-ca in namespace isd: the CA certificate is missing, but c-control and c-trust, issued from "
        "it, exist. Restore the CA certificate from a backup; or delete c-control and c-trust and run again. All "
        "agents and kubeconfigs must be recreated then.\n"
    )
    assert "isd/c-ca" not in made.secrets
    assert "isd/api" in made.secrets, "what can be made is made"


def test_every_half_secret_is_told_and_none_is_changed(cluster: Cluster, isd: Run) -> None:
    cluster.secrets = {
        "isd/db": {"username": b"hal"},
        "isd/api": {"token": b""},
        "isd/c-ca": {"tls.crt": b"x", "tls.key": b"y"},
    }
    before = dict(cluster.secrets)
    done = isd("create-ca", "--ca-secret=c-ca", "--control-secret=c-control", *ALL[-2:])
    assert done.code == 4
    hint = "Add the missing keys, or delete the Secret to have it created again. Existing Secrets are not changed."
    assert done.err.splitlines() == [
        f"halgit: Secret db in namespace isd: no password (keys: username). {hint}",
        f"Secret api in namespace isd: no token (keys: token). {hint}",
        "Secret c-ca in namespace isd: tls.crt is not a PEM certificate. Store the right one there.",
    ]
    assert cluster.secrets == before


def test_a_control_certificate_of_another_authority_is_refused(cluster: Cluster, isd: Run) -> None:
    assert isd("create-ca", "--ca-secret=c-ca", "--control-secret=other").code == 0
    cluster.secrets["isd/c-control"] = cluster.secrets["isd/other"]
    del cluster.secrets["isd/c-ca"]
    assert isd("create-ca", "--ca-secret=c-ca").code == 0
    done = isd("create-ca", "--ca-secret=c-ca", "--control-secret=c-control")
    assert done.code == 4
    assert "Secret c-control in namespace isd: the certificate was not issued by the current CA. " in done.err
    done = isd("create-ca", "--ca-secret=other", "--control-secret=c-control")
    assert done.code == 4
    assert "Secret other in namespace isd: tls.crt is not a CA certificate." in done.err


def test_a_key_of_another_certificate_is_refused(cluster: Cluster, isd: Run) -> None:
    assert isd("create-ca", "--ca-secret=c-ca", "--control-secret=c-control").code == 0
    cluster.secrets["isd/c-ca"]["tls.key"] = cluster.secrets["isd/c-control"]["tls.key"]
    done = isd("create-ca", "--ca-secret=c-ca")
    assert done.code == 4
    assert (
        "Secret c-ca in namespace isd: tls.key does not belong to tls.crt. Store a certificate and its key" in done.err
    )


def test_a_service_account_that_may_not_create_is_told_what_it_lacks(cluster: Cluster, isd: Run) -> None:
    cluster.rule = lambda asked: status(403, "Forbidden") if asked.method == "POST" else None
    done = isd("create-ca", "--generate=db:password")
    assert (done.code, done.err) == (
        3,
        "halgit: Kubernetes denied access to Secret db in namespace isd: Forbidden. "
        "Grant the account's role the verb create for Secrets there.\n",
    )


def test_a_namespace_that_is_not_there_is_named(cluster: Cluster, isd: Run) -> None:
    cluster.rule = lambda asked: status(404, "NotFound")
    done = isd("create-ca", "--namespace=nowhere", "--generate=db:password")
    assert done.code == 3
    assert "cannot create Secret db in namespace nowhere: namespace not found." in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "No Secret is named. Name some with --ca-secret, --generate and the like."),
        (["--control-secret=x"], "--control-secret needs a CA certificate, but --ca-secret is missing."),
        (["--ca-secret=Upper"], "'Upper' is not a valid name of a Secret."),
        (["--ca-secret=x", "--generate=x:y"], "The Secret name x is used more than once."),
        (["--generate=x"], "--generate x: a name or a key is missing or invalid. Write NAME:KEY[=TEXT][,KEY...]."),
        (["--generate=x:a,b="], "--generate x: a name or a key is missing or invalid."),
        (["--generate=x:a,a"], "--generate x: the key a is duplicate."),
        (["--service-auth-secret=x", "--service-auth-key=a/b"], "--service-auth-key: 'a/b' is not a valid key"),
        (["--ca-secret=x", "--ca-file=/nowhere"], "--ca-file: cannot read /nowhere: No such file or directory."),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(isd: Run, cluster: Cluster, arguments: list[str], said: str) -> None:
    done = isd("create-ca", *arguments)
    assert done.code == 2
    assert said in done.err
    assert cluster.asked == []


def test_a_file_without_certificates_is_refused(isd: Run, cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    done = isd("create-ca", "--ca-secret=x", "--trust-secret=y", f"--ca-file={tmp_path}/empty.pem")
    assert done.code == 2
    assert "empty.pem holds no PEM certificate. Name a file of PEM certificates." in done.err


def test_a_fault_is_told_in_the_json_answer(isd: Run, cluster: Cluster) -> None:
    cluster.secrets["isd/db"] = {}
    done = isd("create-ca", "--generate=db:password", "--format=json")
    assert done.code == 4
    assert json.loads(done.out)["error"]["code"] == 4


@pytest.fixture
def aged(made: Cluster) -> Cluster:
    """A cluster in which everything was made, the control certificate 340 days ago."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    ca = read_ca("c-ca", made.secrets["isd/c-ca"], now)
    made.secrets["isd/c-control"] = dict(issue_control_certificate(ca, now - timedelta(days=340)))
    return made


def test_a_control_certificate_that_ends_is_renewed_and_nothing_else(aged: Cluster, isd: Run) -> None:
    aged.secrets["isd/c-control"]["note"] = b"of the operator"
    before = {name: dict(data) for name, data in aged.secrets.items()}
    for few in ([], ["--renew-control-before=20"]):
        assert isd(*ALL, *few).code == 0
        assert (aged.secrets, aged.versions) == (before, {})
    done = isd(*ALL, "--renew-control-before=30", "--format=json")
    assert done.code == 0, done.err
    states = {row["name"]: row["state"] for row in done.json["secrets"]}
    assert states.pop("c-control") == "renewed"
    assert set(states.values()) == {"exists"}
    assert "PRIVATE KEY" not in done.out + done.err
    new, old = aged.secrets["isd/c-control"], before["isd/c-control"]
    assert aged.secrets == {**before, "isd/c-control": new}
    assert new.keys() == {"tls.crt", "tls.key", "note"}
    assert new["tls.key"] != old["tls.key"]
    renewed = certificate(aged, "c-control")
    assert renewed.subject == x509.load_pem_x509_certificate(old["tls.crt"]).subject
    assert load_pem_private_key(new["tls.key"], None).public_key() == renewed.public_key()
    assert {row["state"] for row in isd(*ALL, "--renew-control-before=366", "--format=json").json["secrets"]} == {
        "exists"
    }


def test_it_is_renewed_within_the_days_given_and_while_the_authority_holds(cluster: Cluster) -> None:
    """At the end, with a day left of the authority, a new certificate would hold no longer than the old."""
    store = SecretStore(Access(environment={"KUBECONFIG": cluster.kubeconfig("isd")}, retries=0))
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    found = []
    for days in (0, 335, 336, 336, 337, 3650, 3651):
        _, control = bootstrap(store, SecretNames(ca="ca", control="control"), (), start + timedelta(days=days), 30)
        found.append((days, control.state))
    assert found == [
        (0, "created"), (335, "exists"), (336, "renewed"), (336, "exists"), (337, "exists"), (3650, "renewed"),
        (3651, "exists"),
    ]  # fmt: skip


@pytest.mark.parametrize("renewed", [True, False])
def test_a_renewal_that_meets_another_change_looks_again(aged: Cluster, isd: Run, renewed: bool) -> None:
    """Where the other has renewed, its certificate stays; where it has changed something else, ours is tried again."""
    ca = read_ca("ca", aged.secrets["isd/c-ca"], datetime.now(timezone.utc))
    old = aged.secrets["isd/c-control"]
    theirs = dict(issue_control_certificate(ca, datetime.now(timezone.utc))) if renewed else {**old, "note": b"x"}

    def another(asked: Asked) -> Said | None:
        if asked.method == "PUT" and aged.versions.get("isd/c-control", 42) == 42:
            aged.secrets["isd/c-control"] = theirs
            aged.versions["isd/c-control"] = 43
        return None

    aged.rule = another
    done = isd(*ALL, "--renew-control-before=30", "--format=json")
    assert done.code == 0, done.err
    states = {row["name"]: row["state"] for row in done.json["secrets"]}
    assert states["c-control"] == ("exists" if renewed else "renewed")
    after = aged.secrets["isd/c-control"]
    assert after == theirs if renewed else (after["note"], after["tls.crt"] != old["tls.crt"]) == (b"x", True)


def test_after_a_renewal_sapor_is_restarted_and_without_one_it_is_not(aged: Cluster, isd: Run) -> None:
    aged.deployments["isd/isd-sapor"] = {}
    for _ in range(2):
        done = isd(*ALL, "--renew-control-before=30", "--restart=isd-sapor")
        assert done.code == 0, done.err
    patched = aged.deployments["isd/isd-sapor"]["spec"]["template"]["metadata"]["annotations"]
    assert patched.keys() == {"kubectl.kubernetes.io/restartedAt"}
    assert len([path for path in aged.asked if "/deployments/" in path]) == 1
    assert isd("restart", "--deployment=isd-sapor", "--deployment=isd-controller").err == (
        "Deployment isd-sapor: restarted\n"
        "halgit: Kubernetes Deployment isd-controller in namespace isd not found. Create it, or fix the reference.\n"
    )


def test_writes_name_their_manager_and_all_requests_their_program(cluster: Cluster, isd: Run) -> None:
    assert isd("create-ca", "--generate=db:password").code == 0
    assert set(cluster.managers) == {"halgit"}
    assert cluster.agents == {f"halgit/{__version__}"}


def test_what_the_api_refuses_is_told_in_its_words(cluster: Cluster, isd: Run) -> None:
    done = isd("create-ca", "--generate=a..b:password")
    assert (done.code, done.err.partition("; ")[0]) == (
        3,
        "halgit: Kubernetes rejected Secret a..b in namespace isd (HTTP 422): "
        'Secret "a..b" is invalid: metadata.name: Invalid value: "a..b": '
        "a lowercase RFC 1123 subdomain must consist of ...",
    )


def test_the_first_denial_after_a_restart_of_the_api_server_is_retried(cluster: Cluster, isd: Run) -> None:
    """Its cache of roles is empty for a moment; then it answers. What is denied for good is denied again."""
    denied = [status(403, "Forbidden", "no RBAC policy matched")]
    cluster.rule = lambda asked: denied.pop() if denied else None
    assert isd("create-ca", "--generate=db:password", "--retries=3").code == 0
    cluster.rule = lambda asked: status(403, "Forbidden", "no RBAC policy matched")
    done = isd("create-ca", "--generate=other:password", "--retries=3")
    assert (done.code, "in namespace isd: no RBAC policy matched. Grant" in done.err) == (3, True)


def test_overload_is_waited_for_until_the_timeout(cluster: Cluster, isd: Run) -> None:
    """The number of retries does not end them: five answers of 429 are more than --retries."""
    busy = [status(429, "TooManyRequests", **{"Retry-After": "0"}) for _ in range(5)]
    cluster.rule = lambda asked: busy.pop() if busy else None
    assert isd("create-ca", "--generate=db:password", "--retries=1", "--timeout=60").code == 0


def test_a_run_that_is_cut_off_has_told_what_it_created(cluster: Cluster, isd: Run) -> None:
    def refuse(asked: Asked) -> Said | None:
        return status(403, "Forbidden") if asked.method == "POST" and "isd/api" in cluster.secrets else None

    cluster.rule = refuse
    done = isd("create-ca", "--generate=api:token", "--generate=db:password")
    assert done.code == 3
    assert done.err.splitlines()[0] == "Secret api: created"


def test_a_trust_store_needs_no_ca(cluster: Cluster, isd: Run) -> None:
    """Spinnaker's services of the predecessor mount one, with the controller and without."""
    assert isd("create-ca", "--trust-secret=oes-cacerts").code == 0
    assert b"isd-controller" not in cluster.secrets["isd/oes-cacerts"]["cacerts"]
    assert len(cluster.secrets["isd/oes-cacerts"]["cacerts"]) > 50_000


def test_an_account_that_may_not_renew_is_told_what_it_lacks(aged: Cluster, isd: Run) -> None:
    aged.rule = lambda asked: status(403, "Forbidden") if asked.method == "PUT" else None
    done = isd(*ALL, "--renew-control-before=30")
    assert (done.code, done.err) == (
        3,
        "halgit: Kubernetes denied access to Secret c-control in namespace isd: Forbidden. "
        "Grant the account's role the verb update for Secrets there.\n",
    )


def test_a_certificate_of_another_authority_is_not_renewed(aged: Cluster, isd: Run) -> None:
    assert isd("create-ca", "--ca-secret=other", "--control-secret=c-other").code == 0
    before = dict(aged.secrets["isd/c-other"])
    done = isd("create-ca", "--ca-secret=c-ca", "--control-secret=c-other", "--renew-control-before=30")
    assert done.code == 4
    assert "Secret c-other in namespace isd: the certificate was not issued by the current CA." in done.err
    assert aged.secrets["isd/c-other"] == before


def test_there_must_be_a_certificate_to_renew(isd: Run) -> None:
    done = isd("create-ca", "--ca-secret=ca", "--renew-control-before=30")
    assert (done.code, done.err) == (
        2, "halgit: --renew-control-before requires --control-secret. Name the Secret of the certificate.\n",
    )  # fmt: skip
