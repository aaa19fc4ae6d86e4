"""Where the values of parameters come from: layers, `--params`, `HALGIT_PARAM_*` variables and `--set`.

Gives every value with the name of its giver, lowest first, and refuses what cannot be read. Whether a value fits
its declaration is for `fitting.py`. Reads no environment and no file: both are handed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from halgit import yaml as hyaml
from halgit.operator_settings import OperatorSettings
from halgit.pipeline import Declaration, Finding, Layer, Origin, Position, Severity, Value
from halgit.text.phrases import describe_kind, find_nearest

PREFIX = "HALGIT_PARAM_"
FILE = "_FILE"
SET = "--set"

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def variable(name: str) -> str:
    """The environment variable of a parameter: `gateHost` and `gate-host` are HALGIT_PARAM_GATE_HOST."""
    return PREFIX + _WORD_START.sub("_", name).replace("-", "_").upper()


@dataclass(frozen=True, slots=True)
class Given:
    """One value for one parameter. `by` names the giver; `text` says that it is still to be converted.

    `origin` is its place in a layer. A value from outside has `file` and `spot` where it stands in `--params`.
    """

    name: str
    value: Value
    by: str
    text: bool = False
    origin: Origin | None = None
    file: str = ""
    spot: Position | None = None

    @property
    def prefix(self) -> str:
        """What a message about it begins with, where no file says the place."""
        if self.origin or self.file:
            return ""
        return f"{self.by} {self.name}: " if self.by == SET else f"{self.by}: "


def by_layers(layers: Sequence[Layer]) -> Iterator[tuple[Declaration, Origin]]:
    """Every entry of every layer's `params`, lowest layer first."""
    for layer in layers:
        for entry in layer.settings.params.values():
            yield entry, Origin(layer.id, layer.settings.file, entry.path)


def by_file(operator: OperatorSettings) -> tuple[list[Given], tuple[Finding, ...]]:
    """The values of `--params FILE`, a YAML mapping of names to values."""
    file, text = operator.params_file, operator.params_text
    if not text.strip():
        return [], ()
    read = hyaml.read(text, file)
    if not read.documents:
        return [], read.findings
    data = {} if read.data is None else read.data
    if not isinstance(data, Mapping):
        return [], (
            _wrong(file, Position(1, 1), f"--params holds {describe_kind(data)}, not a mapping of names to values."),
        )
    spots = hyaml.locate_all(text, [(name,) for name in data])
    given = [Given(name, data[name], f"--params {file}", file=file, spot=spots.get((name,), _FIRST)) for name in data]
    good = [each for each in given if each.value is not None and not isinstance(each.value, Mapping)]
    bad = [
        _wrong(file, each.spot or _FIRST, f"{describe_kind(each.value)} cannot be the value of parameter {each.name}.")
        for each in given
        if each not in good
    ]
    return good, (*read.findings, *bad)


_FIRST = Position(1, 1)


def _wrong(file: str, spot: Position, message: str) -> Finding:
    hint = "Write NAME: VALUE lines, each value a text, number, true, false or a list."
    return Finding("parameter/params-file", Severity.ERROR, message, hint, file, (), spot.line, spot.column)


def by_set(operator: OperatorSettings) -> list[Given]:
    """The values of `--set`."""
    return [Given(name, value, SET, text=True) for name, value in operator.set.items()]


def by_environment(
    operator: OperatorSettings, declared: Mapping[str, Declaration], names: Iterable[str], undeclared: Severity
) -> tuple[list[Given], list[Finding]]:
    """The values of `HALGIT_PARAM_*` variables, and for secrets of the files `HALGIT_PARAM_*_FILE` name."""
    told = {key: value for key, value in operator.environment.items() if key.startswith(PREFIX)}
    given: list[Given] = []
    findings: list[Finding] = []
    takers = {variable(name): name for name in names}
    secrets = {variable(name) + FILE: name for name, one in declared.items() if one.secret}
    for key in sorted(told):
        if key in takers:
            given.append(Given(takers[key], told[key], key, text=True))
        elif key in secrets:
            _from_file(key, secrets[key], told, operator.parameter_files, given, findings)
        else:
            findings.append(_unknown(key, [*takers, *secrets], takers, undeclared))
    return given, findings


def _from_file(
    key: str,
    name: str,
    told: Mapping[str, str],
    files: Mapping[str, bytes],
    given: list[Given],
    findings: list[Finding],
) -> None:
    """A secret from a file; one line break at its end, which editors and `echo` leave, is no part of it."""
    plain = key.removesuffix(FILE)
    if plain in told:
        findings.append(_refused(f"{key}: {plain} gives parameter {name} too.", "Give one of the two."))
    elif key not in files:
        findings.append(_refused(f"{key}: the file {told[key]} cannot be read.", "Correct the path or its rights."))
    else:
        try:
            text = files[key].decode("utf-8")
        except UnicodeDecodeError:
            findings.append(
                _refused(f"{key}: the file {told[key]} is not UTF-8 text.", "Name a file that holds a text.")
            )
            return
        given.append(Given(name, re.sub(r"\r?\n\Z", "", text), key, text=True))


def _refused(message: str, hint: str) -> Finding:
    return Finding("parameter/environment", Severity.ERROR, message, hint)


def _unknown(key: str, known: list[str], takers: Mapping[str, str], severity: Severity) -> Finding:
    plain = key.removesuffix(FILE)
    if plain in takers and plain != key:
        hint = f"Use {plain}, or declare {takers[plain]} with secret: true."
        return _refused(f"{key}: only a secret parameter is read from a file.", hint)
    near = find_nearest(key.removeprefix(PREFIX), [name.removeprefix(PREFIX) for name in known])
    hint = f"Did you mean {PREFIX}{near}?" if near else undeclared_hint(severity)
    return Finding("parameter/undeclared", severity, f"{key}: no parameter of this name is declared.", hint)


def undeclared_hint(severity: Severity) -> str:
    """The next step where a value is given for a name that is not known and like no other."""
    return "Declare it under params in halgit.yaml, or leave it out." if severity is Severity.ERROR else "Leave it out."


def clashes(declared: Mapping[str, Declaration], names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Two parameters that one variable would give: the variable and both names."""
    first: dict[str, str] = {}
    for name in names:
        own = [variable(name)]
        if name in declared and declared[name].secret:
            own.append(own[0] + FILE)
        for key in own:
            if key in first:
                yield key, first[key], name
            first.setdefault(key, name)
