"""Every kind of field with every kind of value, beside the real Jackson and SnakeYAML of Halyard.

halgit refuses a value where Jackson refuses it, and `explain` shows what Jackson makes of a scalar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from java_judge import started

from halgit import yaml as hyaml
from halgit.explain import read_value
from halgit.pipeline import File, LayerId, SourceId
from halgit.validation.schema import verdict

VALUES = (
    "a text", "''", "' '", "true", "True", "yes", "off", "'true'", "'True'", "'TRUE'", "'tRUE'", "' true '", "'yes'",
    "'false'", "'null'", "0", "1", "2", "-1", "'1'", "' 1 '", "'+1'", "'-0'", "'1.5'", "'0x10'", "'1e3'", "1.5", "1.0",
    "-0.9", "1e3", "1.0e+3", ".nan", ".inf", "-.inf", "2147483647", "2147483648", "-2147483649", "9223372036854775807",
    "9223372036854775808", "99999999999999999999", "2147483648.5", "012", "0x1F", "0b11", "1_000", "1:30", "08",
    "2020-01-01", "'2020-01-01'", "2020-01-01T10:00:00Z", "2001-12-14 21:59:43.10 -5", "[]", "[a]", "[1, yes]", "[[a]]",
    "[~]", "[{}]", "[{name: a}]", "[{nam: a}]", "{}", "{a: b}", "{a: 1}", "{a: ~}", "{a: [b]}", "{a: {b: c}}", "{1: a}",
    "{yes: a}", "{name: a}", "{name: [a]}", "{READ: [a]}", "{READ: a}", "{read: [a]}", "{READ: []}", "{READ: [~]}",
    "!!binary aGFs", "!!set {a, b}", "!!str 12", "!!int '12'", "!!float 1", "!!bool yes", "SMALL", "small",
    "' SMALL '", "'0'", "'2'", "'3'", "http://a.example/b", "'http://a b'", "'http://['", "ldap://a:b", "a:b", "//x",
)  # fmt: skip
FIELDS = {
    "text": ("timezone",),
    "flag": ("providers", "kubernetes", "enabled"),
    "number": ("metricStores", "period"),
    "big": ("providers", "dockerRegistry", "accounts", 0, "cacheIntervalSeconds"),
    "size": ("deploymentEnvironment", "size"),
    "url": ("security", "authn", "saml", "serviceAddress"),
    "uri": ("security", "authn", "ldap", "url"),
    "texts": ("metricStores", "datadog", "tags"),
    "map": ("deploymentEnvironment", "nodeSelectors"),
    "rights": ("providers", "aws", "accounts", 0, "permissions"),
    "sizing": ("deploymentEnvironment", "customSizing"),
}
"""The field of the judge, and a field of the same kind in a deployment of the halconfig."""

SCALARS = ("text", "flag", "number", "big", "size")
Judge = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def jackson() -> Iterator[Judge]:
    with started("jackson") as java:
        yield lambda text: dict(java.ask_text(text.encode()))


def halconfig(path: tuple[str | int, ...], value: str) -> str:
    """A halconfig with a value, as it is written, in one field of its deployment."""
    more = "address: b, " if "dockerRegistry" in path else ""
    for step in reversed(path):
        value = f"[{{name: a, {more}{value.removeprefix('{')}]" if step == 0 else f"{{{step}: {value}}}"
    return f"deploymentConfigurations:\n- {value}\n"


@pytest.mark.parametrize("field", FIELDS)
def test_halgit_refuses_what_jackson_refuses(field: str, jackson: Judge) -> None:
    disagreed = {}
    for value in VALUES:
        answer = jackson(f"{field}: {value}")
        outcome = verdict(halconfig(FIELDS[field], value).encode()).outcome
        if ("refused" in answer) != (outcome == "rejected"):
            disagreed[value] = (answer, outcome)
    assert disagreed == {}


@pytest.mark.parametrize("field", SCALARS)
def test_explain_shows_what_jackson_makes_of_a_scalar(field: str, jackson: Judge) -> None:
    layer = LayerId(".", SourceId("a"))
    differing: dict[str, Any] = {}
    for value in VALUES:
        answer = jackson(f"{field}: {value}")
        data = hyaml.read(halconfig(FIELDS[field], value).encode(), "config").data
        if "refused" in answer or answer["value"] == "null":
            continue
        path = ("deploymentConfigurations", 0, *FIELDS[field])
        here = data
        for step in path:
            here = here[step]
        shown = hyaml.to_java_string(read_value(File("config", "merged", (layer,), data), path, here).value)
        if shown != answer["value"]:
            differing[value] = (shown, answer["value"])
    assert differing == {}
