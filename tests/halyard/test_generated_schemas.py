"""The schemas of Halyard's files: made by the kept scripts, sound, and read alike by two validators and by Java."""

from __future__ import annotations

import base64
import functools
import importlib
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import needs
import pytest

from halgit.halyard import coercion
from halgit.halyard.model import get_class
from halgit.halyard.resources import list_schema_names, load_schema, load_table, read_schema_text

NAMES = ("clouddriver-accounts", "halconfig", "kubeconfig", "service-settings", "spinnakerconfig")
DEFINITIONS = [
    (name, definition)
    for name in NAMES
    for definition, node in load_schema(name)["$defs"].items()
    if "properties" not in node
]
BLANK = "\x00\t \n"
SCALARS: list[Any] = [
    None, True, False, 0, 1, 2, 3, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, 2**63, -(2**63) - 1,
    0.5, -0.5, 3.7, 2147483647.5, 1e300, "", " ", "null", "true", "True", "TRUE", "tRUE", f"{BLANK}true{BLANK}",
    "yes", "on", "0", "1", "01", "+1", "-1", "1.0", "2147483647", "2147483648", "-2147483648", "-2147483649",
    "9223372036854775807", "9223372036854775808", "0000000000000000000000001", " 7 ", "1_000", "SMALL",
    " SMALL ", "small", "S3", "s3",
    "oRaCle", "hvm", "NEED", "${X}", "a${X}b", "http://h", "text", "é", "https://h:80/p?q#f", [], {}, ["a"],
    {"name": "google"},
]  # fmt: skip


def scripts(name: str) -> Any:
    """One of the scripts that are kept, as a module."""
    folder = str(needs.ROOT / "scripts")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


@pytest.mark.parametrize("script", ["make_halyard_tables", "make_account_schemas"])
def test_the_schemas_are_what_the_scripts_make(script: str) -> None:
    for name, text in scripts(script).schemas().items():
        assert text == read_schema_text(name), f"run scripts/{script}.py"


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one(name: str) -> None:
    assert name in list_schema_names()
    jsonschema.Draft202012Validator.check_schema(load_schema(name))
    assert load_schema(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_an_unknown_schema_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_schema("nonsense")


@pytest.mark.parametrize("name", NAMES)
def test_every_key_has_a_title_and_a_description(name: str) -> None:
    def walk(node: Any, path: str) -> None:
        for key, below in node.get("properties", {}).items():
            if "const" in below or "enum" in below or set(below) == {"type", "items"}:
                continue
            assert below.get("title"), f"{path}.{key}"
            assert below.get("description", "").endswith("."), f"{path}.{key}"
            walk(below, f"{path}.{key}")
            walk(below.get("items", {}), f"{path}.{key}[]")

    walk(load_schema(name), name)
    for definition, node in load_schema(name)["$defs"].items():
        walk(node, definition)


def test_an_unknown_key_is_refused_and_constants_are_listed() -> None:
    definitions = load_schema("halconfig")["$defs"]
    for name, class_ in load_table("halconfig")["classes"].items():
        if name in definitions and "by" not in class_:
            assert definitions[name]["additionalProperties"] is False
            assert set(class_["fields"]) <= set(definitions[name]["properties"])
    for name, enum in load_table("halconfig")["enums"].items():
        if name in definitions:
            assert definitions[name]["anyOf"][0]["enum"] == enum["constants"]


@pytest.mark.parametrize(("name", "definition"), DEFINITIONS, ids=str)
def test_two_validators_agree(name: str, definition: str) -> None:
    part = {"$ref": f"#/$defs/{definition}", "$defs": load_schema(name)["$defs"]}
    fast, reference = jsonschema_rs.Draft202012Validator(part), jsonschema.Draft202012Validator(part)
    for value in SCALARS:
        assert fast.is_valid(value) == reference.is_valid(value), value


@functools.cache
def validator(definition: str) -> jsonschema_rs.Draft202012Validator:
    part = {"$ref": f"#/$defs/{definition}", "$defs": load_schema("halconfig")["$defs"]}
    return jsonschema_rs.Draft202012Validator(part)


def accepts(definition: str, value: Any) -> bool:
    return bool(validator(definition).is_valid(value))


@pytest.mark.parametrize("value", [value for value in SCALARS if value is not None], ids=repr)
def test_the_schema_takes_what_jackson_can_coerce(value: Any) -> None:
    whole_float = isinstance(value, float) and value.is_integer()
    assert accepts("boolean", value) == (coercion.coerce_boolean(value) is not None) or whole_float
    assert accepts("int32", value) == (coercion.coerce_integer(value, 32) is not None)
    assert accepts("int64", value) == (coercion.coerce_integer(value, 64) is not None)
    for enum in load_table("halconfig")["enums"]:
        if enum in load_schema("halconfig")["$defs"]:
            assert accepts(enum, value) == (coercion.coerce_enum(value, enum) is not None) or whole_float, enum


def test_every_class_and_field_of_the_model_is_in_the_schema_with_words_for_people() -> None:
    model, halconfig = load_table("halconfig"), load_schema("halconfig")
    described = {model["root"]: halconfig, **halconfig["$defs"]}
    fields = [(name, key) for name, class_ in model["classes"].items() for key in class_["fields"]]
    assert (len(model["classes"]), len(fields)) == (203, 994)
    for name, key in fields:
        field = described[name]["properties"][key]
        assert field["title"], (name, key)
        assert field["description"], (name, key)


def test_every_class_of_the_model_can_be_looked_up() -> None:
    for model in ("halconfig", "service-settings"):
        for name in load_table(model)["classes"]:
            assert get_class(name, model).name == name


# --- addresses, as Java reads them ---

ADDRESSES = [
    "", "a", "http://h", "http://h:80", "http://h:", "http://h:x", "http://h:-2", "http://", "http:", "http:/p",
    "http:p",    "https://u:p@h:1/p?q=[1]#f", "ldap://a b", "ldaps://ldap.example.com:636/dc=x", "ldap://[::1]:389", "ldap://[x]:389",
    "redis://:pw@h:6379", "redis://h:1", "//h/p", "///p", "//", "//?q", "a:b", "a:", ":a", "1a:b", "a+b-c.d:e", "a/b:c",
    "p?q?r", "p#f#g", "p%20q", "p%2", "p%zz", "a|b", "a\\b", "a^b", "{x}", "${x}", "é", "\u00a0", "http://é/é", "a_b://h_i",
    "mailto:a@b", "file:///x", "file:x", "jar:file:x!/y", "jar:x", "HTTP://h", "url:http://h", "ftp://h", "gopher://h",
    " http://h ", "http://u@v@h", "http://[::1]", "http://[::1]:8/p", "http://h/[x]", "http://h?[x]", "http://h#[x]",
    "http://h:80x", "http://h/a b", "jdbc:mysql://h/x", "http://h:99999", "?", "#", "/", "http://[fe80::1%25eth0]/",
]  # fmt: skip


def random_addresses() -> list[str]:
    pieces = [
        "http",
        "ldap",
        "a",
        "h.i",
        ":",
        "/",
        "//",
        "?",
        "#",
        "@",
        "[",
        "]",
        "::1",
        "80",
        "%20",
        "%",
        " ",
        "é",
        ",",
        "=",
    ]
    chance = random.Random(7)
    return ["".join(chance.choices(pieces, k=chance.randint(1, 8))) for _ in range(4000)]


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Asks Java of many texts at once whether each is a URI and a URL."""
    compiler, machine = needs.program("javac", "default-jdk-headless"), needs.program("java", "default-jre-headless")
    folder = tmp_path_factory.mktemp("java")
    source = Path(__file__).parent / "Addresses.java"
    subprocess.run([compiler, "-nowarn", "-d", str(folder), str(source)], check=True, capture_output=True)

    def ask(texts: list[str]) -> list[tuple[bool, bool]]:
        lines = "\n".join(base64.b64encode(text.encode()).decode() for text in texts)
        run = subprocess.run(
            [machine, "-cp", str(folder), "Addresses"], input=lines, check=True, capture_output=True, text=True
        )
        return [(answer[0] == "1", answer[1] == "1") for answer in run.stdout.split()]

    return ask


def test_addresses_are_taken_as_java_takes_them(java: Any) -> None:
    uri, url = (re.compile(load_schema("halconfig")["$defs"][kind]["pattern"]) for kind in ("uri", "url"))
    texts = [text for text in (*ADDRESSES, *random_addresses()) if text]
    different = [
        (text, answer)
        for text, answer in zip(texts, java(texts), strict=True)
        if answer != (bool(uri.match(text)), bool(url.match(text)))
    ]
    assert different == []
