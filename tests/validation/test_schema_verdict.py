"""Halyard's verdict on halconfigs: every known case agrees, and so do two validators and real configurations."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import needs
import pytest
from halconfig_loading import loaded

from halgit import yaml as hyaml
from halgit.halyard import resources
from halgit.pipeline import Severity, UnquotedScalar
from halgit.redaction import Secret, SecretText
from halgit.validation.schema import READERS, check, schema_of, verdict
from halgit.validation.schema_documents import prepared

CASES = json.loads((needs.ROOT / "tests" / "fixtures" / "halyard-accepts.json").read_text())
EXAMPLES = Path(__file__).parent / "schema"
EACH = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


@EACH
def test_the_verdict_is_halyards(case: dict[str, Any]) -> None:
    found = verdict(case["yaml"].encode())
    assert found.outcome == case["outcome"]
    refused = any(fault.severity is Severity.ERROR for fault in found.faults)
    assert refused or case["outcome"].startswith("accepted")
    unknown = [fault.path[-1] for fault in found.faults if fault.rule == "schema/unknown-key"]
    assert case.get("unknown_key") is None or case["unknown_key"] in unknown


@EACH
def test_what_halyard_holds_after_loading(case: dict[str, Any]) -> None:
    if "value" not in case:
        return
    here: Any = loaded(hyaml.read(case["yaml"].encode(), "config").data, "<daemon home>")
    for step in case["path"].split("/"):
        here = here[int(step)] if isinstance(here, list) else here.get(step)
    assert java_text(here) == from_java(case["value"])


def java_text(value: Any) -> Any:
    """Plain data with every scalar as Java prints it."""
    if isinstance(value, dict):
        return {key: java_text(item) for key, item in value.items() if key != "instanceId"}
    return [java_text(item) for item in value] if isinstance(value, list) else hyaml.to_java_string(value)


def from_java(text: str | None) -> Any:
    """What Java's `toString` of maps and lists says, as plain data of texts."""
    if text is None or text[:1] not in {"{", "["}:
        return "null" if text is None else text
    value, _ = _from_java(text, 0)
    if isinstance(value, dict):
        value.pop("instanceId", None)
    return value


def _from_java(text: str, at: int) -> tuple[Any, int]:
    if text[at] not in "{[":
        end = min(found for found in (text.find(mark, at) for mark in ",}]") if found >= 0)
        return text[at:end], end
    made: Any = {} if text[at] == "{" else []
    close = "}" if text[at] == "{" else "]"
    at += 1
    while text[at] != close:
        if isinstance(made, dict):
            equals = text.index("=", at)
            made[text[at:equals]], at = _from_java(text, equals + 1)
        else:
            item, at = _from_java(text, at)
            made.append(item)
        at += 2 if text[at] == "," else 0
    return made, at + 1


# --- more outcomes ---


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("", "accepted-as-empty"),
        ("# nothing\n", "accepted-as-empty"),
        ("a: b: c\n", "rejected"),
        ("deploymentConfigurations:\n- providers: {oracle: {accounts: [{name: a}]}}\n", "crashes"),
        (
            "deploymentConfigurations:\n- providers: {oracle: {accounts: [{}, {name: a}], primaryAccount: a}}\n",
            "crashes",
        ),
        (
            "deploymentConfigurations:\n- providers: {oraclebmcs: {accounts: [{name: a}], primaryAccount: b}}\n",
            "crashes",
        ),
        (
            "deploymentConfigurations:\n- providers:\n    oraclebmcs: {accounts: [{name: a}]}\n"
            "    oracle: {accounts: [{name: a}], primaryAccount: a}\n",
            "accepted",
        ),
        ("deploymentConfigurations:\n- providers: {dcos: {accounts: [{name: a, clusters: []}]}}\n", "accepted"),
        ("deploymentConfigurations:\n- providers: {dcos: {accounts: [{name: a, clusters: null}]}}\n", "crashes"),
        ("deploymentConfigurations:\n- providers: {aws: {accounts: [{name: a}, null]}}\n", "accepted"),
        (
            "deploymentConfigurations:\n- deploymentEnvironment: {bootstrapOnly: true}\n"
            "  providers: {aws: {accounts: [{name: a}, null]}}\n",
            "loads-but-cannot-be-rewritten",
        ),
        (
            "deploymentConfigurations:\n- providers: {aws: {primaryAccount: b, accounts: [{}, {name: b}]}}\n",
            "loads-but-cannot-be-rewritten",
        ),
        ("deploymentConfigurations:\n- providers: {aws: {primaryAccount: a, accounts: [{name: a}, {}]}}\n", "accepted"),
        ("deploymentConfigurations:\n- providers: {dcos: {accounts: [{name: a}]}}\n  foo: 1\n", "rejected"),
        ("deploymentConfigurations:\n- foo: null\n", "accepted"),
        ("? null\n: x\n", "rejected"),
        ("? null\n:\n", "accepted"),
    ],
)
def test_the_outcome_of_more_cases(text: str, outcome: str) -> None:
    assert verdict(text.encode()).outcome == outcome


def test_a_key_that_stands_twice_is_our_fault_to_find_but_not_halyards() -> None:
    found = verdict(b"currentDeployment: a\ncurrentDeployment: b\n")
    assert found.outcome == "accepted"
    assert [fault.rule for fault in found.faults] == ["yaml/duplicate-key"]


# --- secrets, and what is out of the ordinary ---


def config(**account: Any) -> dict[str, Any]:
    return {"deploymentConfigurations": [{"providers": {"kubernetes": {"accounts": [{"name": "a", **account}]}}}]}


COERCIONS = {
    "version: [a]": "rejected", "version: {a: b}": "rejected", "version: 1.5": "accepted", "version: ~": "accepted",
    "providers: {kubernetes: {enabled: [true]}}": "rejected", "providers: {kubernetes: {enabled: {}}}": "rejected",
    "providers: {kubernetes: {enabled: 1}}": "accepted", "providers: {kubernetes: {enabled: 'yes'}}": "rejected",
    "providers: {kubernetes: {enabled: 1.0}}": "rejected", "providers: {kubernetes: {enabled: ''}}": "accepted",
    "providers: {kubernetes: {accounts: [{name: a, cacheThreads: [1]}]}}": "rejected",
    "providers: {kubernetes: {accounts: [{name: a, cacheThreads: {}}]}}": "rejected",
    "providers: {kubernetes: {accounts: [{name: a, cacheThreads: 1.5}]}}": "accepted",
    "providers: {kubernetes: {accounts: [{name: a, cacheThreads: true}]}}": "rejected",
    "providers: {kubernetes: {accounts: [{name: a, cacheThreads: '1.5'}]}}": "rejected",
    "providers: {kubernetes: {accounts: [{name: a, namespaces: {}}]}}": "rejected",
    "providers: {kubernetes: {accounts: [{name: a, namespaces: [[a]]}]}}": "rejected",
    "providers: {kubernetes: {accounts: [{name: a, namespaces: [{a: b}]}]}}": "rejected",
    "providers: []": "rejected", "providers: ''": "rejected", "providers: {kubernetes: []}": "rejected",
    "deploymentEnvironment: {type: [Distributed]}": "rejected", "deploymentEnvironment: {type: {}}": "rejected",
    "deploymentEnvironment: {customSizing: []}": "rejected", "deploymentEnvironment: {customSizing: a}": "rejected",
    "deploymentEnvironment: {customSizing: {1: a}}": "rejected", "providers: {aws: {enabled: .inf}}": "rejected",
}  # fmt: skip
"""What Jackson does with values of another kind, by the kinds that the recorded cases of Halyard show."""


@pytest.mark.parametrize(("body", "outcome"), COERCIONS.items())
def test_a_value_of_another_kind_is_coerced_as_by_jackson(body: str, outcome: str) -> None:
    assert verdict(f"deploymentConfigurations:\n- name: default\n  {body}\n".encode()).outcome == outcome


@pytest.mark.parametrize(
    "secret", [Secret("hunter2", "a"), SecretText(("a", Secret("hunter2", "a")))], ids=["secret", "woven"]
)
def test_a_secret_counts_as_a_text_nobody_reads(secret: Secret | SecretText) -> None:
    assert check(config(context=secret, cacheThreads=secret, debug=secret, providerVersion=secret), "config") == ()
    assert check(config(name=secret), "config") == ()
    (found,) = check(config(namespaces=secret), "config")
    assert found.message == "namespaces is a secret; Halyard expects a list."


def test_a_secret_name_is_not_compared() -> None:
    account = {"name": Secret("a", "a")}
    oracle = {"oracle": {"accounts": [account], "primaryAccount": "b"}}
    assert check({"deploymentConfigurations": [{"providers": oracle}]}, "config") == ()


def test_parameters_in_place_and_bytes_count_as_texts() -> None:
    assert check(config(context=UnquotedScalar("${{ params.a }}"), kubeconfigContents=b"a"), "config") == ()


def test_a_document_that_would_not_fit_into_memory_is_refused_at_once() -> None:
    node: Any = ["x"]
    for _ in range(40):
        node = [node, node]
    (found,) = check({"currentDeployment": node}, "config")
    assert (found.rule, found.file) == ("schema/too-large", "config")
    assert found.message == "With every alias expanded this document has more than 2,000,000 values."


def test_findings_name_the_file_they_were_given() -> None:
    assert {found.file for found in check({"a": 1, "b": 2}, "overlays/prod/config")} == {"overlays/prod/config"}


def test_an_unknown_kind_of_file_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        check({}, "a", "nonsense")


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("config", "halconfig"),
        ("default/service-settings/gate.yml", "service-settings"),
        ("default/service-settings/gate.yaml", None),
        ("default/profiles/spinnakerconfig.yml", "spinnakerconfig"),
        ("default/profiles/spinnakerconfig.yml.bak", None),
        ("default/profiles/clouddriver-local.yml", "clouddriver-accounts"),
        ("default/profiles/clouddriver/x.yml", None),
        ("default/profiles/gate-local.yml", None),
        ("README.md", None),
    ],
)
def test_which_schema_a_file_of_the_tree_has(path: str, schema: str | None) -> None:
    assert schema_of(path) == schema


# --- whole documents ---


def documents() -> list[tuple[str, Any]]:
    """Documents of every kind, as validators can take them, good and bad."""
    found = [("halconfig", case["yaml"].encode()) for case in CASES]
    found += [(file.parent.name, file.read_bytes()) for file in sorted(EXAMPLES.glob("*/*.yml"))]
    read = [(schema, hyaml.read(text, "x")) for schema, text in found]
    jackson = {name: READERS[name].name == "Halyard" for name in READERS}
    return [(schema, prepared(one.data, jackson=jackson[schema])) for schema, one in read if one.documents]


def mutated(document: Any, chance: random.Random) -> Any:
    """A document with some of its nodes replaced by something else."""
    if chance.random() < 0.04:
        return chance.choice([None, "", "x", 0, 7, True, [], {}, ["x"], {"name": "x"}, 1.5])
    if isinstance(document, dict):
        return {
            key + ("x" if chance.random() < 0.02 else ""): mutated(value, chance) for key, value in document.items()
        }
    return [mutated(item, chance) for item in document] if isinstance(document, list) else document


def test_two_validators_agree_on_whole_documents() -> None:
    chance = random.Random(11)
    fast = {name: jsonschema_rs.Draft202012Validator(resources.read_schema_text(name)) for name in READERS}
    reference = {name: jsonschema.Draft202012Validator(resources.load_schema(name)) for name in READERS}
    originals = [*documents(), ("halconfig", loaded({}))]
    several = originals + [(name, mutated(document, chance)) for _ in range(5) for name, document in originals]
    for name, document in several:
        assert fast[name].is_valid(document) == reference[name].is_valid(document), document


def test_every_fault_the_validator_finds_is_told_and_has_its_place() -> None:
    chance = random.Random(13)
    validator = jsonschema_rs.Draft202012Validator(resources.read_schema_text("halconfig"))
    whole = loaded({})
    for _ in range(150):
        document = mutated(whole, chance)
        found = check(document, "config")
        refused = {tuple(error.instance_path) for error in validator.iter_errors(document) if minded(error, document)}
        for fault in found:
            parent = fault.path[:-1] if fault.rule == "schema/unknown-key" else fault.path
            beside = {"schema/null-item", "schema/crash", "schema/cannot-rewrite"}
            nameless = fault.rule == "schema/missing-key" and (*parent, "name") in refused
            assert parent in refused or nameless or fault.rule in beside, fault
        told = {fault.path for fault in found} | {fault.path[:-1] for fault in found}
        unnamed = {(*fault.path, "name") for fault in found if fault.rule == "schema/missing-key"}
        assert refused <= told | unnamed


def minded(error: Any, document: Any) -> bool:
    """Whether Halyard minds what the validator refuses: it drops keys without a value, known or not."""
    for step in error.instance_path:
        document = document[step]
    if error.kind.name == "additionalProperties":
        return any(document[key] is not None for key in error.kind.unexpected)
    return True


def test_what_halyard_writes_for_a_new_deployment_is_accepted() -> None:
    assert check(loaded({}), "config") == ()
    assert loaded(None) == loaded({})


def test_real_configurations_are_accepted() -> None:
    for repository in sorted(needs.shared_data().iterdir()):
        for file in sorted(path for path in repository.rglob("*") if path.is_file()):
            schema = schema_of(file.relative_to(repository).as_posix())
            if schema:
                found = check(hyaml.read(file.read_bytes(), file.name).data, file.name, schema)
                assert [fault for fault in found if fault.severity is Severity.ERROR] == [], file
