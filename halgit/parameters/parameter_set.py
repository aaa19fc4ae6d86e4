"""The parameters of one run: declarations and values of all layers and of the operator, the highest value wins.

Lowest first: declared default, layers from the lowest up, `--params`, `HALGIT_PARAM_*`, `--set`. Every value that is
given is checked, also one that another beats. Secret values leave here as `Secret`, and no message shows any value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from halgit import references
from halgit.merge.diagnostics import Fault, findings
from halgit.operator_settings import OperatorSettings
from halgit.parameters import values as givers
from halgit.parameters.types import Misfit, fitted
from halgit.parameters.values import Given
from halgit.pipeline import EMPTY, MISSING, Declaration, Finding, Layer, Origin, Parameter, Severity, Value
from halgit.redaction import Secret
from halgit.text.phrases import suggest_nearest


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters by name; one without a value has MISSING. `findings` are all that is wrong with them."""

    values: Mapping[str, Parameter]
    declared: Mapping[str, Declaration] = EMPTY
    findings: tuple[Finding, ...] = ()

    def with_used(self, used: Iterable[str]) -> dict[str, Parameter]:
        """The parameters, each told whether it was used."""
        names = frozenset(used)
        return {name: replace(one, used=name in names) for name, one in self.values.items()}


def collect(
    layers: Sequence[Layer],
    operator: OperatorSettings,
    *,
    known: Mapping[str, Declaration] = EMPTY,
    undeclared: Severity = Severity.ERROR,
) -> Parameters:
    """The parameters of these layers, which come lowest first, a root's settings beneath all others.

    `known` are declarations no layer has to make. A value in a layer needs no declaration: it makes the parameter.
    `undeclared` is how bad a value from outside is whose name no layer and nothing known has.
    """
    entries = list(givers.by_layers(layers))
    gathering = _Gathering(known, undeclared)
    gathering.declare(entries)
    gathering.take([_default(entry, origin) for entry, origin in entries if entry.declares])
    gathering.take([_plain(entry, origin) for entry, origin in entries if not entry.declares])
    from_file, bad = givers.by_file(operator)
    from_environment, unknown = givers.by_environment(operator, gathering.declared, gathering.names, undeclared)
    gathering.found += (*bad, *unknown)
    gathering.take_from_outside([*from_file, *from_environment, *givers.by_set(operator)])
    gathering.require()
    return Parameters(
        {name: gathering.parameter(name) for name in gathering.names},
        gathering.declared,
        (*findings(gathering.faults, layers), *gathering.found),
    )


def _default(entry: Declaration, origin: Origin) -> Given:
    here = Origin(origin.layer, origin.file, (*origin.path, "default"), f"default of {entry.name}")
    return Given(entry.name, entry.value, f"default in {origin.file}", origin=here)


def _plain(entry: Declaration, origin: Origin) -> Given:
    return Given(entry.name, entry.value, origin.file, origin=origin)


class _Gathering:
    """Declarations and values as they come in, lowest first."""

    def __init__(self, known: Mapping[str, Declaration], undeclared: Severity) -> None:
        self.declared: dict[str, Declaration] = dict(known)
        self.names: dict[str, None] = dict.fromkeys(known)
        self.faults: list[Fault] = []
        self.found: list[Finding] = []
        self._undeclared = undeclared
        self._places: dict[str, Origin] = {}
        self._given: dict[str, Given] = {}

    def declare(self, entries: Sequence[tuple[Declaration, Origin]]) -> None:
        """Take the declarations and the names; a name is declared once, and has its own variable."""
        for entry, origin in entries:
            self.names.setdefault(entry.name)
            if not entry.declares:
                continue
            if entry.name in self._places:
                message = f"Parameter {entry.name} is declared in {{other}} already."
                hint = "Give it a value here without declaring it again, or remove one of the two."
                self.faults.append(Fault("parameter/redeclared", origin, message, hint, other=self._places[entry.name]))
                continue
            self._places[entry.name] = origin
            known = self.declared.get(entry.name)
            self.declared[entry.name] = replace(entry, secret=entry.secret or bool(known and known.secret))
        for key, one, other in givers.clashes(self.declared, self.names):
            message = f"Parameters {one} and {other} would both be given by the variable {key}."
            where = next((origin for entry, origin in entries if entry.name == other), None)
            if where:
                self.faults.append(Fault("parameter/same-variable", where, message, "Rename one of them."))

    def take(self, given: Iterable[Given]) -> None:
        """Take values, each over the one before, if they fit."""
        for one in given:
            if one.value is MISSING:
                continue
            declared = self.declared.get(one.name)
            try:
                value = fitted(declared, one.value, text=one.text)
            except Misfit as wrong:
                self._say("parameter/value", one, wrong.message, wrong.hint)
                value = one.value
            self._look_at(one, value)
            self._given[one.name] = replace(one, value=value)

    def take_from_outside(self, given: Iterable[Given]) -> None:
        """Take values of the operator, whose names must be declared."""
        for one in given:
            if one.name not in self.names:
                hint = suggest_nearest(one.name, self.names, givers.undeclared_hint(self._undeclared))
                message = f"no parameter {one.name} is declared."
                self._say("parameter/undeclared", one, message, hint, self._undeclared)
                continue
            if one.by == givers.SET and self._is_secret(one.name) and not _is_reference(one.value):
                message = f"parameter {one.name} is secret, and every process of this machine can see --set."
                hint = f"Give it by {givers.variable(one.name)}{givers.FILE}, or as a reference."
                self._say("parameter/secret-in-arguments", one, message, hint, Severity.WARNING)
            self.take([one])

    def _look_at(self, one: Given, value: Value) -> None:
        """What is wrong with a value that fits: a parameter in a parameter, a secret written into a repository."""
        if one.origin and isinstance(value, str):
            if "${{" in value and "params." in value:
                message = f"parameter {one.name}: a parameter is not replaced in the value of another."
                self._say("parameter/nested", one, message, "Write the value out.")
            elif value and self._is_secret(one.name) and not _is_reference(value):
                message = f"parameter {one.name} is secret, and its value stands in the repository in clear."
                hint = f"Write a reference, or give it by {givers.variable(one.name)}{givers.FILE}."
                self._say("parameter/secret-in-plain-text", one, message, hint, Severity.WARNING)

    def require(self) -> None:
        """Say which required parameters have no value."""
        for name, declared in self.declared.items():
            if declared.required and name not in self._given and name in self._places:
                about = f" ({declared.description})" if declared.description else ""
                message = f"Parameter {name}{about} is required and has no value."
                self.faults.append(Fault("parameter/required", self._places[name], message, how_to_give(declared)))

    def parameter(self, name: str) -> Parameter:
        """The parameter as it stands; a secret value as a `Secret`, unless it is a reference."""
        one = self._given.get(name)
        secret = self._is_secret(name)
        if one is None:
            return Parameter(name, MISSING, secret, "", used=False)
        hidden = secret and not _is_reference(one.value)
        value = Secret(str(one.value), f"parameter {name}") if hidden else one.value
        return Parameter(name, value, secret, one.by, used=False, origin=one.origin)

    def _is_secret(self, name: str) -> bool:
        return name in self.declared and self.declared[name].secret

    def _say(self, rule: str, one: Given, message: str, hint: str, severity: Severity = Severity.ERROR) -> None:
        words = one.prefix + message if one.prefix else message[0].upper() + message[1:]
        if one.origin:
            self.faults.append(Fault(rule, one.origin, words, hint, severity=severity))
        else:
            path = (one.name,) if one.file else ()
            line, column = (one.spot.line, one.spot.column) if one.spot else (0, 0)
            self.found.append(Finding(rule, severity, words, hint, one.file, path, line, column))


def _is_reference(value: Value) -> bool:
    """Whether a value is a reference, or means to be one: then it is read, or refused, where it stands."""
    return isinstance(value, str) and (
        bool(references.find_references(value)) or references.explain_malformed(value) is not None
    )


def how_to_give(declared: Declaration) -> str:
    """The next step where a parameter has no value."""
    key = givers.variable(declared.name)
    if declared.secret:
        return f"Give it by {key}{givers.FILE}, or as a reference under params in halgit.yaml."
    return f"Give it under params in halgit.yaml, by {key} or with --set {declared.name}=VALUE."


def unused(parameters: Parameters, used: Iterable[str], layers: Sequence[Layer]) -> tuple[Finding, ...]:
    """A warning for each parameter nothing uses: where a layer declares it or gives it, or what gave it."""
    names = frozenset(used)
    faults: dict[str, Fault] = {}
    found: list[Finding] = []
    for entry, origin in givers.by_layers(layers):
        if entry.name not in names and entry.name in parameters.values:
            hint = suggest_nearest(entry.name, names, "Use it or remove it.")
            message = f"Nothing uses parameter {entry.name}."
            faults.setdefault(entry.name, Fault("parameter/unused", origin, message, hint, severity=Severity.WARNING))
    for name, one in parameters.values.items():
        if name not in names and name not in faults and one.set_by:
            message = f"{one.set_by}: nothing uses parameter {name}."
            found.append(Finding("parameter/unused", Severity.WARNING, message, "Leave it out."))
    return (*findings(faults.values(), layers), *found)
