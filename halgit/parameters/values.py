"""The sources of parameter values: layers, `--params`, `HALGIT_PARAM_*` variables and `--set`, lowest first.

Returns every value with its source, and findings for what cannot be read. Whether a value matches its declaration is
checked in `parameter_set`. Pure: environment and files are passed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from halgit import yaml as hyaml
from halgit.lazy import lazy_pattern
from halgit.operator_settings import OperatorSettings
from halgit.pipeline import Declaration, Finding, Layer, Origin, Position, Severity, Value
from halgit.record import Record
from halgit.text.phrases import describe_kind, find_nearest

PREFIX = "HALGIT_PARAM_"
FILE_SUFFIX = "_FILE"
SET_OPTION = "--set"

_WORD_START = lazy_pattern(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_START = Position(1, 1)


def variable_name(name: str) -> str:
    """Return the environment variable of a parameter: HALGIT_PARAM_GATE_HOST for `gateHost` and `gate-host`."""
    words = name if name.islower() else _WORD_START.sub("_", name)
    return PREFIX + words.replace("-", "_").upper()


class ParameterValue(Record):
    """One value of one parameter. `source` is a file, variable or option; `is_text` asks for conversion to the type.

    `origin` is its place in a layer. A value of `--params` has `file` and `position` instead. `is_expanded` says that
    the parameters in it are replaced.
    """

    name: str
    value: Value
    source: str
    is_text: bool = False
    origin: Origin | None = None
    file: str = ""
    position: Position | None = None
    is_expanded: bool = False

    @property
    def prefix(self) -> str:
        """The start of a message about the value, if no file shows its place."""
        if self.origin or self.file:
            return ""
        return f"{self.source} {self.name}: " if self.source == SET_OPTION else f"{self.source}: "


def layer_entries(layers: Sequence[Layer]) -> Iterator[tuple[Declaration, Origin]]:
    """Yield every entry of every layer's `params`, lowest layer first."""
    for layer in layers:
        for entry in layer.settings.params.values():
            yield entry, Origin(layer.id, layer.settings.file, entry.path)


# --- --params and --set ----------------------------------------------------------------------------------------


def file_values(operator: OperatorSettings) -> tuple[list[ParameterValue], tuple[Finding, ...]]:
    """Return the values of `--params FILE`, a YAML mapping of names to values."""
    file, text = operator.params_file, operator.params_text
    if not text.strip():
        return [], ()
    read = hyaml.read(text, file)
    if not read.documents:
        return [], read.findings
    data = {} if read.data is None else read.data
    if not isinstance(data, Mapping):
        message = f"--params must be a mapping of names to values, got {describe_kind(data)}."
        return [], (_file_finding(file, _START, message),)
    positions = hyaml.locate_all(text, [(name,) for name in data])
    valid: list[ParameterValue] = []
    findings = list(read.findings)
    for name, value in data.items():
        at = positions.get((name,), _START)
        if value is None or isinstance(value, Mapping):
            kind = "null" if value is None else "a mapping"
            findings.append(_file_finding(file, at, f"parameter {name} cannot be {kind}."))
        else:
            valid.append(ParameterValue(name, value, f"--params {file}", file=file, position=at))
    return valid, tuple(findings)


def _file_finding(file: str, at: Position, message: str) -> Finding:
    hint = "Write NAME: VALUE lines; a value is a string, number, boolean or list."
    return Finding("parameter/params-file", Severity.ERROR, message, hint, file, (), at.line, at.column)


def option_values(operator: OperatorSettings) -> list[ParameterValue]:
    """Return the values of `--set`."""
    return [ParameterValue(name, value, SET_OPTION, is_text=True) for name, value in operator.set.items()]


# --- the environment -------------------------------------------------------------------------------------------


def environment_values(
    operator: OperatorSettings, names: Iterable[str], undeclared: Severity
) -> tuple[list[ParameterValue], list[Finding]]:
    """Return the values of `HALGIT_PARAM_*`, and of the files in `HALGIT_PARAM_*_FILE`.

    `undeclared` is the severity of a variable that belongs to no parameter.
    """
    variables = {key: value for key, value in operator.environment.items() if key.startswith(PREFIX)}
    values: list[ParameterValue] = []
    findings: list[Finding] = []
    parameters = {variable_name(name): name for name in names}
    files = {key + FILE_SUFFIX: name for key, name in parameters.items()}
    for key in sorted(variables):
        if key in parameters:
            values.append(ParameterValue(parameters[key], variables[key], key, is_text=True))
        elif key in files:
            value = _value_from_file(key, files[key], variables, operator.parameter_files)
            values.append(value) if isinstance(value, ParameterValue) else findings.append(value)
        else:
            findings.append(_unknown_variable(key, [*parameters, *files], undeclared))
    return values, findings


def _value_from_file(
    key: str, name: str, variables: Mapping[str, str], files: Mapping[str, bytes]
) -> ParameterValue | Finding:
    """Read a value from its file, without one newline at the end, which editors and `echo` add."""
    plain = key.removesuffix(FILE_SUFFIX)
    if plain in variables:
        return _environment_finding(f"{key}: {plain} also sets parameter {name}.", "Set only one of the two.")
    if key not in files:
        message = f"{key}: the file {variables[key]} cannot be read."
        return _environment_finding(message, "Correct the path or its permissions.")
    try:
        text = files[key].decode("utf-8")
    except UnicodeDecodeError:
        return _environment_finding(f"{key}: the file {variables[key]} is not UTF-8 text.", "Use a text file.")
    return ParameterValue(name, re.sub(r"\r?\n\Z", "", text), key, is_text=True)


def _environment_finding(message: str, hint: str) -> Finding:
    return Finding("parameter/environment", Severity.ERROR, message, hint)


def _unknown_variable(key: str, known: list[str], severity: Severity) -> Finding:
    nearest = find_nearest(key.removeprefix(PREFIX), [name.removeprefix(PREFIX) for name in known])
    hint = f"Did you mean {PREFIX}{nearest}?" if nearest else undeclared_hint(severity)
    return Finding("parameter/undeclared", severity, f"{key}: no parameter with this name is declared.", hint)


def undeclared_hint(severity: Severity) -> str:
    """Return the hint for a value whose parameter is unknown and resembles no other."""
    return "Declare it under params in halgit.yaml, or remove it." if severity is Severity.ERROR else "Remove it."


def variable_conflicts(declared: Mapping[str, Declaration], names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each environment variable that two parameters have in common, with both names."""
    first: dict[str, str] = {}
    for name in names:
        variables = [variable_name(name)]
        if name in declared and declared[name].secret:
            variables.append(variables[0] + FILE_SUFFIX)
        for key in variables:
            if key in first:
                yield key, first[key], name
            first.setdefault(key, name)
