"""Every key of every values.yaml, misspelt once and given a wrong type once: each is refused, at any depth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import chart_readme
import chart_values
import pytest
from chart_values import Value
from charts_values import ALONE, CHARTS, over
from helm_python import HelmError
from jsonschema import Draft202012Validator

Path = tuple[str, ...]
WRONG: dict[str, Any] = {
    "string": {},
    "boolean": "yes",
    "integer": "two",
    "number": "two",
    "array": "one",
    "object": "x",
}


def keys(values: tuple[Value, ...], above: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Every key, those above others too."""
    for value in values:
        yield (*above, value.name), value
        if "subchart" not in value.marks:
            yield from keys(value.children, (*above, value.name))


def own(chart: str) -> list[tuple[Path, Value]]:
    """The keys a chart takes: its own and those every chart has; `global` is the library's."""
    found = dict(keys(chart_values.read(CHARTS / chart / "values.yaml")))
    if chart != "isd":
        found = {**dict(keys(chart_values.read(chart_readme.SHARED))), **found}
    return [(path, value) for path, value in found.items() if (path[0] == "global") == (chart == "common")]


def nested(path: Path, value: Any) -> Any:
    return value if not path else {path[0]: nested(path[1:], value)}


def schema(chart: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((CHARTS / chart / "values.schema.json").read_text()))


CHARTS_WITH_VALUES = sorted(file.parent.name for file in CHARTS.glob("*/values.schema.json"))


@pytest.mark.parametrize("chart", CHARTS_WITH_VALUES)
def test_each_key_misspelt_is_refused(chart: str) -> None:
    check = schema(chart)
    rows = own(chart)
    assert len(rows) > 20
    for path, value in rows:
        if len(path) == 2 and path[0] == "global":
            continue  # a wrapping chart may have globals of its own: the templates refuse these
        misspelt = nested((*path[:-1], path[-1] + "x"), value.default)
        assert not check.is_valid(misspelt), f"{'.'.join(path)} misspelt"
        if "credential" in value.marks:
            for inner in ({"existingSecretx": "a"}, {"keys": {"otherx": "a"}}, {"values": {"otherx": "a"}}):
                assert not check.is_valid(nested(path, inner)), f"{'.'.join(path)}: {inner}"
        if "entry" in value.marks:
            assert not check.is_valid(nested(path, {"a": {"secret": "s", "keyx": "k"}})), path


@pytest.mark.parametrize("chart", CHARTS_WITH_VALUES)
def test_each_key_of_a_wrong_type_is_refused(chart: str) -> None:
    check = schema(chart)
    for path, value in own(chart):
        kinds = chart_values.schema(value)["type"]
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if kind != "null":
                wrong = 1.5 if kinds == ["integer", "string"] else WRONG[kind]
                assert not check.is_valid(nested(path, wrong)), f"{'.'.join(path)}: {wrong!r}"
        assert check.is_valid(nested(path, value.default)), f"{'.'.join(path)}: its default is refused"


@pytest.mark.parametrize("name", chart_readme.global_names())
def test_each_global_misspelt_is_refused_in_words(texts: Callable[..., dict[str, str]], name: str) -> None:
    with pytest.raises(HelmError) as caught:
        texts("minio", over(ALONE["minio"], {"global": {name + "x": {}}}))
    assert f"global.{name}x is not a value of this chart. Known: addresses, " in str(caught.value)


NAMES = re.compile(r"(Secrets?|ConfigMap|configMap|secret|Claim|[cC]lassName|Class|Namespace|namespaces?|issuer)$")
NO_NAMES = {"sapor.secret", "global.secretStore.namespace"}


def named(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The keys of a schema whose value is the name of an object of Kubernetes, with the schema of that name."""
    for key, value in schema.get("properties", {}).items():
        here = f"{path}.{key}".removeprefix(".")
        one = value.get("items", value)
        if NAMES.search(key) and one.get("type") == "string" and not re.search(r"\.(keys|values)\.", here):
            yield here, one
        yield from named(value, here)
        if isinstance(value.get("additionalProperties"), dict):
            yield from named(value["additionalProperties"], f"{here}.*")


def test_every_name_that_the_api_refuses_is_refused_by_the_schema() -> None:
    """`DB_Login` is no name; a load balancer's class may have a prefix."""
    found = 0
    for file in sorted(CHARTS.glob("*/values.schema.json")):
        for path, schema in named(json.loads(file.read_text()), ""):
            if path not in NO_NAMES:
                found += 1
                for name in ("DB_Login/", "-db", "a b"):
                    assert list(Draft202012Validator(schema).iter_errors(name)), f"{file.parent.name}: {path}"
                assert not list(Draft202012Validator(schema).iter_errors("db-login")), path
    assert found > 100
