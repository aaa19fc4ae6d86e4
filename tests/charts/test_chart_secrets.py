"""A secret given as a value stands in one Secret and nowhere else; nothing random, no default password."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from charts_pods import job, template
from charts_values import CHARTS, CI, EXAMPLES, over

Object = dict[str, Any]
KEYS = {
    "database": ["password"], "redis": ["password"], "rabbitmq": ["password"], "objectStore": ["secretKey"],
    "ldap": ["password"], "login": ["password"], "encryption": ["key"], "saporGate": ["password"],
    "git": ["username", "token"], "vault": ["token"], "saml": ["password"], "oauth2": ["clientId", "clientSecret"],
}  # fmt: skip


def canaries() -> Object:
    return {name: {"values": {key: f"canary-{name}-{key}" for key in keys}} for name, keys in KEYS.items()}


PLANTED = {
    "global": {
        "credentials": canaries(), "trial": True, "predecessorNames": True, "login": {"kind": "ldap"},
        "controller": {"enabled": True}, "saporGate": {"enabled": True},
        "hosts": {"controller": "agents.example.org"},
        "secretStore": {"kind": "vault", "address": "https://vault.example.org"},
    },
    "controller": {"agent": {"service": {"type": "LoadBalancer"}}},
    "accounts": {"enabled": True, "store": {"url": "https://git.example.org/accounts.git"}},
    "halyard": {"source": {"repositories": ["https://git.example.org/config.git"]}, "credentials": {"git": True}},
    "sapor": {"pipelinePromotion": {"kind": "github", "cloneUrl": "https://git.example.org/pipelines"}},
    "configure": {"accountsRepository": "https://github.com/org/accounts.git"},
    "pipelinePromotion": {
        "enabled": True, "organization": "org", "repository": "pipelines", "kind": "s3",
        "gitToken": {"values": {"git_secret_token": "canary-pipelines-token"}},
        "spinConfig": {"values": {"address": "http://gate", "username": "admin", "password": "canary-spin-password"}},
        "localSpinConfig": {"values": {"address": "http://gate", "username": "admin", "password": "canary-local"}},
    },
}  # fmt: skip


def test_no_secret_stands_outside_a_secret(render: Callable[..., list[Object]]) -> None:
    objects = render("isd", over(CI["hosts"], PLANTED))
    for one in objects:
        if one["kind"] != "Secret":
            assert "canary" not in json.dumps(one), f"{one['kind']} {one['metadata']['name']}"


def test_each_secret_stands_in_one_secret(render: Callable[..., list[Object]]) -> None:
    secrets = [one for one in render("isd", over(CI["hosts"], PLANTED)) if one["kind"] == "Secret"]
    text = "".join(json.dumps(one) for one in secrets)
    for name, keys in KEYS.items():
        for key in keys:
            assert text.count(f'"canary-{name}-{key}"') == 1, f"{name}.{key}"


def test_the_notes_show_no_secret(texts: Callable[..., dict[str, str]]) -> None:
    rendered = texts("isd", over(CI["hosts"], PLANTED))
    notes = [text for name, text in rendered.items() if name.endswith("NOTES.txt")]
    assert len(notes) > 10
    assert not [text for text in notes if "canary" in text]


def test_values_make_the_secret_that_is_referenced(render: Callable[..., list[Object]]) -> None:
    made = {o["metadata"]["name"]: o["stringData"] for o in render("isd", CI["oauth2"]) if o["kind"] == "Secret"}
    assert made == {
        "isd-database": {"username": "postgres", "password": "a-value"},
        "isd-oauth2": {"clientId": "isd", "clientSecret": "a-value"},
    }


def test_given_credentials_are_not_made_by_the_job(every: dict[str, list[Object]]) -> None:
    def made(name: str) -> set[str]:
        arguments = template(job(every[name], "bootstrap"))["spec"]["containers"][0]["args"]
        return {text for text in arguments if text.startswith("--generate=")}

    assert "--generate=isd-database:password,username=postgres" in made("hosts")
    assert not [text for text in made("external-servers") if "database" in text]
    assert not [text for text in made("oauth2") if "database" in text]


def test_a_key_of_another_name_is_made_under_that_name(render: Callable[..., list[Object]]) -> None:
    values = over(CI["hosts"], {"global": {"credentials": {"database": {"keys": {"password": "pg-password"}}}}})
    arguments = template(job(render("isd", values), "bootstrap"))["spec"]["containers"][0]["args"]
    assert "--generate=isd-database:pg-password,username=postgres" in arguments


def test_templates_make_nothing_at_random() -> None:
    """And ask the cluster only for Secrets (versions, changes of own ones), claims, and labels of a namespace."""
    asked = []
    for file in CHARTS.rglob("templates/*"):
        found = re.search(
            r"\b(rand(Alpha|Ascii|Numeric|Bytes|Int)\w*|genCA|genSigned\w*|genPrivateKey|uuidv4|now|htpasswd|derivePassword)\b",
            file.read_text(),
        )
        assert not found or file.name == "NOTES.txt", f"{file}: {found and found[0]}"
        asked += re.findall(r'lookup "v1" "(\w+)"', file.read_text())
    assert sorted(asked) == ["Namespace", "PersistentVolumeClaim", "Secret", "Secret"]
    text = (CHARTS / "common" / "templates" / "_pod.tpl").read_text()
    read = set(re.findall(r"\$secret\.\w+(?:\.\w+)?", text))
    assert read == {f"$secret.metadata.{name}" for name in ("creationTimestamp", "managedFields", "resourceVersion")}


def test_no_value_is_a_default_password() -> None:
    def texts_of(value: Any, path: str) -> list[tuple[str, str]]:
        if isinstance(value, dict):
            return [row for key, one in value.items() for row in texts_of(one, f"{path}.{key}")]
        return [(path, value)] if isinstance(value, str) and value else []

    for file in CHARTS.glob("*/values.yaml"):
        for path, value in texts_of(yaml.safe_load(file.read_text()), file.parent.name):
            secret = re.search(r"(password|token|secret)$", path.rpartition(".")[2].lower())
            assert not secret, f"{path}: {value}"


def test_files_of_the_services_hold_placeholders(every: dict[str, list[Object]]) -> None:
    """Every "${NAME}" of a configuration file is a variable of the container that reads it."""
    for where, objects in every.items():
        maps = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "ConfigMap"}
        for one in (o for o in objects if o["kind"] in ("Deployment", "StatefulSet")):
            spec = one["spec"]["template"]["spec"]
            known = {
                v["name"] for c in [*spec["containers"], *spec.get("initContainers", [])] for v in c.get("env", [])
            }
            for text in maps.get(one["metadata"]["name"], {}).values():
                wanted = set(re.findall(r"\$\{([A-Z0-9_]+)\}", text))
                assert wanted <= known, f"{where}: {one['metadata']['name']}: {wanted - known}"


def test_the_upgrade_of_a_release_makes_no_secret_anew() -> None:
    for file in Path(CHARTS).rglob("templates/*"):
        assert "IsInstall" not in file.read_text(), file


def _used(objects: list[Object]) -> set[str]:
    """Every Secret that a pod of the release mounts or reads."""
    found: set[str] = set()
    for one in (one for one in objects if template(one)):
        spec = template(one)["spec"]
        found |= {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            sources = [row.get("valueFrom", {}).get("secretKeyRef", {}) for row in container.get("env", [])]
            found |= {source["name"] for source in sources if source}
    return found


@pytest.mark.parametrize("name", sorted({**CI, **EXAMPLES}))
def test_the_bootstrap_job_creates_what_pods_read_and_nothing_else(every: dict[str, list[Object]], name: str) -> None:
    """But for the trust store, which the services that Halyard deploys mount."""
    arguments = template(job(every[name], "bootstrap"))["spec"]["containers"][0]["args"]
    created = {
        text.split("=", 1)[1].split(":")[0] for text in arguments if re.match(r"--(generate|[a-z-]+-secret)=", text)
    }
    trust = {text.split("=", 1)[1] for text in arguments if text.startswith("--trust-secret=")}
    assert created - trust <= _used(every[name])
    own = {secret for secret in _used(every[name]) if secret.startswith("isd-") and not secret.endswith("-login")}
    rendered = {one["metadata"]["name"] for one in every[name] if one["kind"] == "Secret"}
    issued = {one["spec"]["secretName"] for one in every[name] if one["kind"] == "Certificate"}
    assert own <= created | rendered | issued


def test_the_predecessors_configuration_finds_its_trust_store(every: dict[str, list[Object]]) -> None:
    """With the controller and without: its service-settings mount oes-cacerts in any case."""
    for name in ("trial", "git-ssh"):
        arguments = template(job(every[name], "bootstrap"))["spec"]["containers"][0]["args"]
        assert "--trust-secret=oes-cacerts" in arguments, name


def test_the_notes_say_where_to_log_in_as_whom_and_with_which_secret(texts: Callable[..., dict[str, str]]) -> None:
    def notes(values: Object) -> str:
        return texts("isd", values)["isd/templates/NOTES.txt"]

    trial = notes(EXAMPLES["example newcomer"])
    assert "Log in at https://isd.example.org as admin, with the password in the Secret isd-ldap:\n" in trial
    assert "get secret isd-ldap --output go-template='{{.data.password | base64decode}}" in trial
    file = notes(CI["hosts"])
    assert "Log in at https://isd.example.org as the user in the Secret isd-login:\n" in file
    assert "Pod Security" not in file, "no cluster says that the namespace restricts pods"
    assert "with your account of saml." in notes(CI["saml"])
