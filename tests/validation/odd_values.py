"""Places of YAML texts with something odd put in each, and everything halgit does with a repository, in process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from secret_trees import Store, Texts, opened

from halgit import diff as difference
from halgit import explain as explaining
from halgit import lock
from halgit import yaml as hyaml
from halgit.compiler import Locator, compile_tree
from halgit.compiler.findings import collect_findings
from halgit.diff import Side
from halgit.errors import HalgitError
from halgit.operator_settings import OperatorSettings, Trust
from halgit.pipeline import Finding, SecretsMode, Severity, SourceId
from halgit.record import replace
from halgit.redaction import Redactor
from halgit.secrets import learn_plain_secrets, list_references, plan_secrets, resolve_secrets

ODD = (
    "a text", "''", "~", "0", "-1.5", ".nan", ".inf", "true", "2020-01-01", "2020-01-01 10:00:00", "'2020-01-01'", "[]",
    "{}", "[a, [b]]", "[~]", "[{}]", "{a: {b: [c]}}", "{1: a}", "{~: a}", "{true: [1]}", "{2020-01-01: a}", "{'': a}",
    "99999999999999999999", "!!binary aGFs", "!!set {a, b}", "&x [*x]", "{<<: {a: b}}", "{$patch: delete}",
    "{$patch: replace, a: 1}", "{$patch: [x]}", "{$value: ~}", "{$value: {a: b}}", "[{$list: replace}, a]",
    "[{$list: x}]", "[{$list: [1]}]", "[$list: append]", "'${{ params.none }}'", "${{ params.namespace }}",
    "'${{ params.slackToken }}x'", "'${{'", "\"$${{ secret('x') }}\"", "'encrypted:x'", "encrypted:gate:pw",
    "encryptedFile:gate:pw", "'encrypted:s3!r:x!b:y!f:z'", "\"${{ secret('k8s://a#b') }}\"", "'http://['",
    "'ldap://a:99999999'", "'local:1.30.1'", "'branch:a'", "'\\u0007'", '"\\ud83d\\ude00"', "'a\\n\\n  b'",
)  # fmt: skip
"""Values as they stand in a file, in flow style."""

_MARK = "7odd7odd7"


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document, the whole of it too."""
    yield at
    for step, below in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from places(below, (*at, step))


def with_odd(node: Any, place: tuple[Any, ...], odd: str) -> bytes:
    """The document with an odd value at a place."""
    return hyaml.dump(_marked(node, place)).replace(_MARK.encode(), odd.encode())


def with_odd_key(node: Any, place: tuple[Any, ...], odd: str) -> bytes:
    """The document with an odd key for the one at a place."""
    *above, last = place
    here = node
    for step in above:
        here = here[step]
    renamed = {(_MARK if key == last else key): value for key, value in here.items()}
    text = hyaml.dump(_put(node, tuple(above), renamed))
    return text.replace(_MARK.encode(), odd.encode())


def _marked(node: Any, place: tuple[Any, ...]) -> Any:
    return _put(node, place, _MARK)


def _put(node: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[place[0]] = _put(node[place[0]], place[1:], value)
    return copy


def side(files: Mapping[str, bytes]) -> Side:
    """The merged tree of these files, to compare others with."""
    compiled = compile_tree([Texts(files, SourceId("texts", "r1"))], replace(OperatorSettings(), overlay="prod"))
    return Side(compiled.files, compiled.accounts)


def everything(files: Mapping[str, bytes], before: Side, **options: Any) -> tuple[Finding, ...] | None:
    """All that commands do with these files but talk and write: the findings, None where an error of ours ended it."""
    operator = replace(OperatorSettings(), overlay="prod", **options)
    with suppress(HalgitError):
        return _all(Texts(files, SourceId("texts", "r1")), operator, before)
    return None


def _all(source: Texts, operator: OperatorSettings, before: Side) -> tuple[Finding, ...]:
    compiled = compile_tree([source], operator)
    redactor = Redactor()
    learn_plain_secrets(compiled, redactor)
    locator = Locator(compiled.files, compiled.layers, compiled.accounts, compiled.parameters)
    findings: tuple[Finding, ...] = ()
    modes: tuple[SecretsMode, ...] = ("resolve", "native", "keep", "mask")
    for mode in modes:
        plan = plan_secrets(compiled, Trust(), mode)
        findings += collect_findings(compiled, plan, replace(operator, secrets=mode), locator)
        list_references(plan, locator.locate_findings)
    for name, file in compiled.files.items():
        if file.how != "copied":
            for one in explaining.explain(compiled, name, locator.position):
                explaining.to_json(one)
    difference.compare(before, Side(compiled.files, compiled.accounts), b"key", "prod", redactor.clean)
    lock.entry(compiled, {}, bytes)
    if not any(finding.severity is Severity.ERROR for finding in findings):
        opened(resolve_secrets(plan, Store({}), redactor, locate=locator.locate_findings))
    for finding in findings:
        assert finding.message, finding
    return findings
