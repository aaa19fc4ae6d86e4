"""The parameters of one run: declarations and values of all layers and of the operator, the highest value applies.

Precedence, lowest first: declared default, layers from the lowest up, `--params`, `HALGIT_PARAM_*`, `--set`. Every
value is checked, also one that is overridden. Secret values become `Secret`; no message shows a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from halgit import yaml as hyaml
from halgit.merge.diagnostics import Diagnostic, to_findings
from halgit.operator_settings import OperatorSettings
from halgit.parameters import values as sources
from halgit.parameters.reference_checks import (
    JOINED_HINT,
    contains_reference,
    forms_reference,
    is_reference,
)
from halgit.parameters.templates import OPEN, Use, parse_template
from halgit.parameters.types import InvalidValue, convert_value
from halgit.parameters.values import FILE_SUFFIX, SET_OPTION, ParameterValue, variable_name
from halgit.pipeline import (
    EMPTY,
    MISSING,
    Declaration,
    Finding,
    Layer,
    Origin,
    Parameter,
    Severity,
    UnquotedScalar,
    Value,
)
from halgit.record import Record, replace
from halgit.redaction import Secret, SecretText, join_parts
from halgit.text.phrases import suggest_nearest


class ParameterSet(Record):
    """The parameters by name; one without a value has MISSING. `findings` are all problems with them."""

    values: Mapping[str, Parameter]
    declared: Mapping[str, Declaration] = EMPTY
    findings: tuple[Finding, ...] = ()

    def with_used(self, used: Iterable[str]) -> dict[str, Parameter]:
        """Return the parameters with their `used` field set."""
        names = self.all_used(used)
        return {name: replace(one, used=name in names) for name, one in self.values.items()}

    def all_used(self, used: Iterable[str]) -> frozenset[str]:
        """Return these names and those of the parameters that their values use."""
        names: dict[str, None] = {}
        pending = list(used)
        while pending:
            name = pending.pop()
            if name not in names:
                names[name] = None
                pending += self.values[name].uses if name in self.values else ()
        return frozenset(names)


def collect_parameters(
    layers: Sequence[Layer],
    operator: OperatorSettings,
    *,
    known: Mapping[str, Declaration] = EMPTY,
    undeclared: Severity = Severity.ERROR,
) -> ParameterSet:
    """Return the parameters of these layers, lowest first, with the operator's values.

    `known` are declarations that no layer has to make. A value in a layer declares its parameter. `undeclared` is the
    severity of an operator's value for an unknown parameter.
    """
    entries = list(sources.layer_entries(layers))
    collector = _Collector(known, undeclared)
    collector.declare(entries)
    collector.add_values([_default_value(entry, origin) for entry, origin in entries if entry.declares])
    collector.add_values([_layer_value(entry, origin) for entry, origin in entries if not entry.declares])
    from_file, file_findings = sources.file_values(operator)
    declared, names = collector.declared, collector.names
    from_environment, environment_findings = sources.environment_values(operator, names, undeclared)
    collector.findings += (*file_findings, *environment_findings)
    collector.add_operator_values([*from_file, *from_environment, *sources.option_values(operator)])
    collector.check_required()
    collector.expand_values()
    collector.check_references()
    return ParameterSet(
        {name: collector.parameter(name) for name in names},
        declared,
        (*to_findings(collector.diagnostics, layers), *collector.findings),
    )


def _default_value(entry: Declaration, origin: Origin) -> ParameterValue:
    here = Origin(origin.layer, origin.file, (*origin.path, "default"), f"default of {entry.name}")
    return ParameterValue(entry.name, entry.value, f"default in {origin.file}", origin=here)


def _layer_value(entry: Declaration, origin: Origin) -> ParameterValue:
    return ParameterValue(entry.name, entry.value, origin.file, origin=origin)


class _Collector:
    """Collects declarations and values, lowest first."""

    def __init__(self, known: Mapping[str, Declaration], undeclared: Severity) -> None:
        self.declared: dict[str, Declaration] = dict(known)
        self.names: dict[str, None] = dict.fromkeys(known)
        self.diagnostics: list[Diagnostic] = []
        self.findings: list[Finding] = []
        self._undeclared = undeclared
        self._origins: dict[str, Origin] = {}
        self._values: dict[str, ParameterValue] = {}
        self._wrong: set[str] = set()
        self._uses: dict[str, tuple[str, ...]] = {}
        self._expanding: list[str] = []
        self._secret_by_use: set[str] = set()

    def declare(self, entries: Sequence[tuple[Declaration, Origin]]) -> None:
        """Add the names and declarations. A name is declared once and has its own environment variable."""
        for entry, origin in entries:
            self.names.setdefault(entry.name)
            if not entry.declares:
                continue
            if entry.name in self._origins:
                message = f"Parameter {entry.name} is already declared at {{other}}."
                hint = "Set its value here without a declaration, or remove one of the two declarations."
                other = self._origins[entry.name]
                self.diagnostics.append(Diagnostic("parameter/redeclared", origin, message, hint, other=other))
                continue
            self._origins[entry.name] = origin
            known = self.declared.get(entry.name)
            self.declared[entry.name] = replace(
                entry,
                secret=entry.secret or bool(known and known.secret),
                reference=entry.reference or bool(known and known.reference),
            )
        for key, one, other_name in sources.variable_conflicts(self.declared, self.names):
            message = f"Parameters {one} and {other_name} have the same environment variable {key}."
            where = next((origin for entry, origin in entries if entry.name == other_name), None)
            if where:
                self.diagnostics.append(Diagnostic("parameter/same-variable", where, message, "Rename one of them."))

    def add_values(self, values: Iterable[ParameterValue]) -> None:
        """Add values, each overriding the one before, and report those that do not match their declaration."""
        for one in values:
            if one.value is MISSING:
                continue
            uses = _uses(one)
            if uses:
                self._uses[one.name], self._values[one.name] = uses, one
                continue
            self._uses.pop(one.name, None)
            try:
                value = convert_value(self.declared.get(one.name), one.value, is_text=one.is_text)
            except InvalidValue as error:
                self._report("parameter/value", one, error.message, error.hint)
                value = one.value
                self._wrong.add(one.name)
            else:
                self._wrong.discard(one.name)
            self._check_layer_value(one, value)
            self._values[one.name] = replace(one, value=value)

    def add_operator_values(self, values: Iterable[ParameterValue]) -> None:
        """Add values of the operator, whose names must be known."""
        for one in values:
            if one.name not in self.names:
                hint = suggest_nearest(one.name, self.names, sources.undeclared_hint(self._undeclared))
                message = f"parameter {one.name} is not declared."
                self._report("parameter/undeclared", one, message, hint, self._undeclared)
                continue
            if one.source == SET_OPTION and self._is_secret(one.name) and not is_reference(one.value):
                message = f"parameter {one.name} is secret, and process lists show the value of --set."
                hint = f"Set it with {variable_name(one.name)}{FILE_SUFFIX}, or use a reference."
                self._report("parameter/secret-in-arguments", one, message, hint, Severity.WARNING)
            self.add_values([one])

    def _check_layer_value(self, one: ParameterValue, value: Value) -> None:
        """Report a secret in plain text in the repository."""
        if not one.origin or not isinstance(value, str):
            return
        if value and self._is_secret(one.name) and not is_reference(value):
            message = f"parameter {one.name} is secret, but its value is in plain text in the repository."
            hint = f"Use a reference, or set it with {variable_name(one.name)}{FILE_SUFFIX}."
            self._report("parameter/secret-in-plain-text", one, message, hint, Severity.WARNING)

    # --- values that use parameters ----------------------------------------------------------------------------

    def expand_values(self) -> None:
        """Replace the parameters in the values of layers, and report cycles."""
        for name in list(self._uses):
            self._expand(name)

    def _expand(self, name: str) -> Value:
        """Return the parameter's value, with the parameters in it replaced; MISSING if it has none."""
        one = self._values.get(name)
        if one is None or not _uses(one):
            return self.parameter(name).value
        if name in self._expanding:
            cycle = " -> ".join([*self._expanding[self._expanding.index(name) :], name])
            message = f"the values of parameters form a cycle: {cycle}."
            self._report("parameter/cycle", one, message, "Write one of the values without a parameter.")
            return MISSING
        self._expanding.append(name)
        template = parse_template(str(one.value))
        parts = [self._part(one, part) if isinstance(part, Use) else part for part in template.parts]
        self._expanding.pop()
        if any(part is MISSING for part in parts):
            self._set_wrong(one)
            return MISSING
        texts = [part if isinstance(part, Secret) else _string(part) for part in parts]
        if not self._may_join(one, template.parts, texts):
            return MISSING
        typed = template.only_use is not None and isinstance(one.value, UnquotedScalar)
        value = parts[0] if typed else join_parts(texts)
        if isinstance(value, (Secret, SecretText)):
            self._secret_by_use.add(name)
            value = value.open()
        self._uses.setdefault(name, ())
        self._set_expanded(one, value)
        return self.parameter(name).value

    def _set_expanded(self, one: ParameterValue, value: Value) -> None:
        try:
            value = convert_value(self.declared.get(one.name), value, is_text=False)
        except InvalidValue as error:
            self._report("parameter/value", one, error.message, error.hint)
            self._wrong.add(one.name)
        self._values[one.name] = replace(one, value=value, is_expanded=True)

    def _set_wrong(self, one: ParameterValue) -> None:
        self._wrong.add(one.name)
        self._values[one.name] = replace(one, value="", is_expanded=True)

    def _may_join(self, one: ParameterValue, parts: Sequence[str | Use], texts: Sequence[str | Secret]) -> bool:
        """Report a value whose parts form a reference, or whose own text contains one that is not allowed."""
        own = any(contains_reference(part) for part in parts if isinstance(part, str))
        mixed = any(isinstance(text, Secret) for text in texts) and any(contains_reference(text) for text in texts)
        if mixed or forms_reference(texts):
            message = f"the value of parameter {one.name} forms a reference from several values."
            self._report("parameter/joined-reference", one, message, JOINED_HINT)
        elif own and not self._may_be_reference(one.name):
            self._report_reference(one)
        else:
            return True
        self._set_wrong(one)
        return False

    # --- references in values ----------------------------------------------------------------------------------

    def check_references(self) -> None:
        """Report references in the values of parameters that are declared neither secret nor as references."""
        for name, one in list(self._values.items()):
            if not one.is_expanded and not self._may_be_reference(name) and contains_reference(one.value):
                self._report_reference(one)
                self._set_wrong(one)

    def _may_be_reference(self, name: str) -> bool:
        declared = self.declared.get(name)
        return declared is not None and (declared.secret or declared.reference)

    def _report_reference(self, one: ParameterValue) -> None:
        message = f"the value of parameter {one.name} is a secret reference, but its declaration does not allow one."
        hint = "Declare it with secret: true or reference: true, or write another value."
        self._report("parameter/reference", one, message, hint)

    def _part(self, one: ParameterValue, use: Use) -> Value:
        """Return the value of a parameter that another one uses."""
        if use.name not in self.names:
            hint = suggest_nearest(use.name, self.names, "Declare it under params in halgit.yaml.")
            self._report("parameter/undeclared", one, f"parameter {use.name} is not declared.", hint)
            return MISSING
        value = self._expand(use.name)
        if value is MISSING and use.name not in self._values and use.name in self.declared:
            declared = self.declared[use.name]
            if not declared.required and use.name not in self._uses:
                self._report("parameter/no-value", one, f"parameter {use.name} has no value.", how_to_set(declared))
        return value

    def check_required(self) -> None:
        """Report required parameters without a value."""
        for name, declared in self.declared.items():
            if declared.required and name not in self._values and name in self._origins:
                description = f" ({declared.description})" if declared.description else ""
                message = f"Parameter {name}{description} is required and has no value."
                where = self._origins[name]
                self.diagnostics.append(Diagnostic("parameter/required", where, message, how_to_set(declared)))

    def parameter(self, name: str) -> Parameter:
        """Return the parameter with its highest value. A secret value is a `Secret` unless it is a reference."""
        one = self._values.get(name)
        is_secret = self._is_secret(name)
        if one is None:
            return Parameter(name, MISSING, is_secret, "", used=False)
        is_hidden = is_secret and not is_reference(one.value)
        value = Secret(str(one.value), f"parameter {name}") if is_hidden else one.value
        uses, is_wrong = self._uses.get(name, ()), name in self._wrong
        return Parameter(
            name, value, is_secret, one.source, used=False, origin=one.origin, is_wrong=is_wrong, uses=uses
        )

    def _is_secret(self, name: str) -> bool:
        return name in self._secret_by_use or (name in self.declared and self.declared[name].secret)

    def _report(
        self, rule: str, one: ParameterValue, message: str, hint: str, severity: Severity = Severity.ERROR
    ) -> None:
        text = one.prefix + message if one.prefix else message[0].upper() + message[1:]
        if one.origin:
            self.diagnostics.append(Diagnostic(rule, one.origin, text, hint, severity=severity))
        else:
            path = (one.name,) if one.file else ()
            line, column = (one.position.line, one.position.column) if one.position else (0, 0)
            self.findings.append(Finding(rule, severity, text, hint, one.file, path, line, column))


def _uses(one: ParameterValue) -> tuple[str, ...]:
    """Return the parameters that a value of a layer uses."""
    if one.origin is None or one.is_expanded or not isinstance(one.value, str) or OPEN not in one.value:
        return ()
    return tuple(dict.fromkeys(use.name for use in parse_template(one.value).uses))


def _string(value: Value) -> str:
    return value if isinstance(value, str) else hyaml.to_java_string(value)


def how_to_set(declared: Declaration) -> str:
    """Return the hint for a parameter without a value."""
    key = variable_name(declared.name)
    if declared.secret:
        return f"Set it with {key}{FILE_SUFFIX}, or as a reference under params in halgit.yaml."
    return f"Set it under params in halgit.yaml, with {key} or with --set {declared.name}=VALUE."


def find_unused(parameters: ParameterSet, used: Iterable[str], layers: Sequence[Layer]) -> tuple[Finding, ...]:
    """Return a warning for each unused parameter, at its place in a layer or with the source of its value."""
    names = parameters.all_used(used)
    diagnostics: dict[str, Diagnostic] = {}
    findings: list[Finding] = []
    for entry, origin in sources.layer_entries(layers):
        if entry.name not in names and entry.name in parameters.values and entry.name not in diagnostics:
            hint = suggest_nearest(entry.name, names, "Use it or remove it.")
            message = f"Parameter {entry.name} is not used."
            one = Diagnostic("parameter/unused", origin, message, hint, severity=Severity.WARNING)
            diagnostics[entry.name] = one
    for name, parameter in parameters.values.items():
        if name not in names and name not in diagnostics and parameter.set_by:
            message = f"{parameter.set_by}: parameter {name} is not used."
            findings.append(Finding("parameter/unused", Severity.WARNING, message, "Remove it."))
    return (*to_findings(diagnostics.values(), layers), *findings)
