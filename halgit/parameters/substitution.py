"""Replacement of `${{ params.NAME }}` in the merged files: in YAML scalars and in text files.

An unquoted scalar that is nothing but a parameter takes its type; every other one stays a string. Comments of YAML
files and mapping keys are kept. All problems are reported together; an expression with a problem is kept unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from halgit import references
from halgit import yaml as hyaml
from halgit.annotations import Final, Protocol
from halgit.lazy import lazy_pattern
from halgit.merge.diagnostics import DiagnosticCollector
from halgit.merge.keyed_lists import check_items
from halgit.merge.scalars import Change, find_strings, replace_in_documents, replace_scalars
from halgit.merge.selection import is_merged
from halgit.parameters import escaping
from halgit.parameters.embedded import fit_text
from halgit.parameters.parameter_set import ParameterSet, how_to_set
from halgit.parameters.reference_checks import JOINED_HINT, forms_reference
from halgit.parameters.templates import (
    OPEN,
    Substitution,
    Template,
    UnknownExpression,
    Use,
    may_contain_expression,
    parse_template,
)
from halgit.pipeline import MISSING, Declaration, File, Finding, Layer, Path, Severity, UnquotedScalar, Value
from halgit.record import replace
from halgit.redaction import Secret, SecretText, join_parts
from halgit.text.phrases import suggest_nearest

_DECK_SETTINGS = lazy_pattern(r"(.*/)?profiles/settings(-local)?\.js")
_QUOTED = r""""(?:\\.|[^"\\])*"|'[^']*'"""
_FLOW = lazy_pattern(
    rf"(?:[^\"'#\[{{$]|\$\{{\{{[^}}]*\}}\}}|\$\{{(?!\{{)[^}}]*\}}|\$(?!\{{)|{_QUOTED})*[\[{{]"
    rf"(?:[^\"'#$]|\$(?!\{{\{{)|{_QUOTED})*(\$\{{\{{)"
)
"""A line with `[` or `{` followed by `${{`, both outside quotes."""


class Report(Protocol):
    """Reports a problem at one place."""

    def __call__(self, rule: str, message: str, hint: str, severity: Severity = Severity.ERROR) -> None: ...


MAX_INSERTED: Final = 10 * 1024 * 1024
"""Characters of parameters, or bytes of secrets, that one file may get: as many as a file of a source may have."""

Reporter = Callable[[Path, str], Report]
"""Returns the report function for a string at a path."""


def substitute_parameters(files: Mapping[str, File], parameters: ParameterSet, layers: Sequence[Layer]) -> Substitution:
    """Replace every parameter in merged files; `layers` are those the files came from.

    A file without a body is returned as it is: call again once it is read.
    """
    changed = dict(files)
    substituter = _Substituter(parameters, DiagnosticCollector(files.values(), layers))
    for path in sorted(files):
        if may_contain_expression(files[path], layers):
            changed[path] = substituter.substitute(files[path])
    findings = (*substituter.diagnostics.findings(), *new_duplicate_items(files, changed, layers))
    return Substitution(changed, frozenset(substituter.used), findings)


def new_duplicate_items(
    before: Mapping[str, File], after: Mapping[str, File], layers: Sequence[Layer]
) -> tuple[Finding, ...]:
    """Return the list items whose keys became equal by a substitution. Earlier duplicates are reported already."""
    changed = [path for path in after if after[path] is not before[path]]
    without_duplicates = [path for path in changed if not check_items({path: before[path]}, layers)]
    return check_items({path: after[path] for path in without_duplicates}, layers)


class _Substituter:
    """Replaces the parameters of files and collects used names and problems."""

    def __init__(self, parameters: ParameterSet, diagnostics: DiagnosticCollector) -> None:
        self.used: set[str] = set()
        self.diagnostics = diagnostics
        self._parameters = parameters
        self._left: int = MAX_INSERTED

    def substitute(self, file: File) -> File:
        """Return the file with its parameters replaced."""
        self._left = MAX_INSERTED
        if file.data is not MISSING:
            return self._substitute_document(file, file.data)
        if not isinstance(file.body, bytes):
            return file
        if not file.path.endswith((".yml", ".yaml")) and file.path != "config":
            return self._substitute_text(file, file.body)
        read = hyaml.read(file.body, file.path, many=True)
        if len(read.documents) == 1 and is_merged(file.path):
            self.used.update(use.name for use in parse_template(file.body.decode("utf-8", "replace")).uses)
            return file  # a layer below it cannot be read
        if len(read.documents) == 1:
            return self._substitute_document(file, read.data)
        if not read.documents and not is_merged(file.path):
            return self._substitute_text(file, file.body)
        if read.documents:
            return self._substitute_documents(file, file.body, read.documents)
        self._report_unreadable(file, file.body.decode("utf-8", "replace"))
        return file

    # --- YAML --------------------------------------------------------------------------------------------------

    def _substitute_document(self, file: File, data: Value) -> File:
        return replace_scalars(file, data, self._changes(data, partial(partial, self.diagnostics.add, file)))

    def _substitute_documents(self, file: File, body: bytes, documents: Sequence[Value]) -> File:
        changes: dict[tuple[int, Path], Change] = {}
        for number, data in enumerate(documents):
            reporter = partial(partial, self.diagnostics.add_in_document, file, number)
            for path, change in self._changes(data, reporter).items():
                changes[number, path] = change
        return replace_in_documents(file, body, changes)

    def _changes(self, data: Value, reporter: Reporter) -> dict[Path, Change]:
        """Return the new values of a document's scalars by path."""
        changes: dict[Path, Change] = {}
        for path, text, is_key in find_strings(data, lambda text: OPEN in text):
            template = parse_template(text)
            if is_key:
                self._report_uses_in_key(path, text, template, reporter)
                continue
            for unknown in template.unknown:
                _report_unknown(unknown, reporter(path, unknown.text))
            value = self._scalar(path, text, template, reporter)
            if not self._is_within_size(template, partial(reporter, path, OPEN)):
                break
            if value is not MISSING and value != text:
                names = dict.fromkeys(use.name for use in template.uses)
                changes[path] = Change(value, ", ".join(f"parameter {name}" for name in names))
        return changes

    def _is_within_size(self, template: Template, reporter: Callable[[], Report]) -> bool:
        """Return whether the values of these parameters still fit into the file; reports the first that do not."""
        known = self._parameters.values
        values = [known[use.name].value for use in template.uses if use.name in known]
        self._left -= sum(len(value) for value in values if isinstance(value, str))
        if self._left < 0:
            message = f"Parameters insert more than {MAX_INSERTED} characters into the file."
            reporter()("yaml/size", message, "Use smaller values, or use them less often.")
        return self._left >= 0

    def _report_uses_in_key(self, path: Path, text: str, template: Template, reporter: Reporter) -> None:
        for use in template.uses:
            self.used.add(use.name)
            message = f"Parameter {use.name} is used in a mapping key, where parameters are not replaced."
            report = reporter(path[:-1], text[use.start : use.end])
            report("parameter/in-key", message, "Write the key itself.")

    def _scalar(self, path: Path, text: str, template: Template, reporter: Reporter) -> Value:
        """Return the new value of a scalar; MISSING if a parameter in it has no value that can be used there."""
        takes_type = template.only_use is not None and isinstance(text, UnquotedScalar)
        parts: list[Value] = []
        for part in template.parts:
            if isinstance(part, Use):
                report = reporter(path, text[part.start : part.end])
                value = self._value(part, report)
                parts.append(value if takes_type else self._in_string(part, value, text, template, report))
            else:
                parts.append(part)
        if any(part is MISSING for part in parts):
            return MISSING
        if takes_type:
            return parts[0]
        if forms_reference(parts):
            _report_joined_reference(template, lambda use: reporter(path, text[use.start : use.end]))
            return MISSING
        return join_parts(parts)

    def _report_unreadable(self, file: File, text: str) -> None:
        """Report what the parser cannot: that it fails on the braces of an expression."""
        self.used.update(use.name for use in parse_template(text).uses)
        start = 0
        for line in text.splitlines(keepends=True):
            found = _FLOW.match(line)
            if found:
                message = "A parameter inside [...] or {...} must be quoted: YAML reads its braces as a mapping."
                hint = "Put the scalar in quotes, or on a line of its own."
                offset = start + found.start(1)
                self.diagnostics.add_at_offset(file, offset, text, "parameter/unquoted-in-flow", message, hint)
            start += len(line)

    # --- text files --------------------------------------------------------------------------------------------

    def _substitute_text(self, file: File, body: bytes) -> File:
        """Replace the parameters of a file that is not YAML. A file that is not UTF-8 is kept."""
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return file
        template = parse_template(text)
        for unknown in template.unknown:
            _report_unknown(unknown, partial(self.diagnostics.add_at_offset, file, unknown.start, text))
        if not self._is_within_size(template, lambda: partial(self.diagnostics.add_at_offset, file, 0, text)):
            return file
        write = self._use_writer(file, text, template)
        parts = [write(part) if isinstance(part, Use) else part for part in template.parts]
        if forms_reference(parts, references.find_references_in_text):
            _report_joined_reference(
                template, lambda use: partial(self.diagnostics.add_at_offset, file, use.start, text)
            )
            return file
        result = join_parts(parts)
        if result == text:
            return file
        whole = SecretText((result,)) if isinstance(result, Secret) else result
        return replace(file, how="merged", body=whole.encode() if isinstance(whole, str) else whole)

    def _use_writer(self, file: File, text: str, template: Template) -> Callable[[Use], str | Secret]:
        """Return a function from a use to what replaces it; a use without a value is kept."""
        javascript = file.path.endswith(".js")
        is_escaped = javascript or file.path.endswith(".json")
        starts = [use.start for use in template.uses]
        contexts = escaping.find_contexts(text, starts, javascript=javascript) if is_escaped else {}

        def write(use: Use) -> str | Secret:
            report = partial(self.diagnostics.add_at_offset, file, use.start, text)
            value = self._value(use, report)
            if value is not MISSING and _DECK_SETTINGS.fullmatch(file.path) and self._is_secret(use):
                _report_secret_in_browser(use, report)
                value = MISSING
            context = contexts.get(use.start)
            if value is MISSING:
                return text[use.start : use.end]
            if context == "code":
                return _apply(value, escaping.format_literal)
            if context == "pattern":
                _report_in_pattern(use, report)
            string = self._as_string(use, value, report)
            if string is MISSING:
                return text[use.start : use.end]
            return string if context is None else _apply(string, partial(escaping.escape_in, context=context))

        return write

    # --- values ------------------------------------------------------------------------------------------------

    def _is_secret(self, use: Use) -> bool:
        return self._parameters.values[use.name].secret

    def _value(self, use: Use, report: Report) -> Value:
        """Return the parameter's value; reports and returns MISSING if it has none."""
        self.used.add(use.name)
        parameter = self._parameters.values.get(use.name)
        if parameter is None:
            hint = suggest_nearest(use.name, self._parameters.values, "Declare it under params in halgit.yaml.")
            report("parameter/undeclared", f"Parameter {use.name} is not declared.", hint)
            return MISSING
        declared = self._parameters.declared.get(use.name, Declaration(use.name, "", ()))
        if parameter.value is MISSING and not declared.required:
            description = f" ({declared.description})" if declared.description else ""
            report("parameter/no-value", f"Parameter {use.name}{description} has no value.", how_to_set(declared))
        return parameter.value

    def _in_string(self, use: Use, value: Value, text: str, template: Template, report: Report) -> Value:
        """Return the value as part of a string that may be a YAML or JSON document; MISSING if it does not fit."""
        string = self._as_string(use, value, report)
        if string is MISSING or template.only_use is not None or not ("\n" in text or text.lstrip()[:1] in ("{", "[")):
            return string
        plain = string.open() if isinstance(string, Secret) else string
        places = [(one.start, one.end) for one in template.uses]
        fitted = fit_text(text, places, use.start, plain, is_string=False)
        if fitted is None:
            message = f"Parameter {use.name} has several lines, which do not fit at its place in a YAML document."
            report("parameter/embedded", message, "Put it alone on a line below `key: |`, or in double quotes.")
            return MISSING
        return Secret(fitted, string.name) if isinstance(string, Secret) else fitted

    def _as_string(self, use: Use, value: Value, report: Report) -> Value:
        """Return the value as part of a string; reports and returns MISSING for a list."""
        if isinstance(value, list):
            message = f"Parameter {use.name} is a list, which cannot be part of a string."
            report("parameter/list-in-text", message, "Use it as a whole unquoted scalar, or use a string.")
            return MISSING
        return value if value is MISSING or isinstance(value, (str, Secret)) else hyaml.to_java_string(value)


def _apply(value: Value, change: Callable[[Value], str]) -> str | Secret:
    """Apply a function to a value, or to the content of a secret, which stays one."""
    return Secret(change(value.open()), value.name) if isinstance(value, Secret) else change(value)


def _report_joined_reference(template: Template, reporter: Callable[[Use], Report]) -> None:
    """Report a string that becomes a reference through its parameters, at the first of them."""
    names = ", ".join(dict.fromkeys(use.name for use in template.uses))
    message = f"The text and its parameters ({names}) would form a reference."
    reporter(template.uses[0])("parameter/joined-reference", message, JOINED_HINT)


def _report_unknown(unknown: UnknownExpression, report: Report) -> None:
    hint = "Write ${{ params.NAME }}, or $${{ for a literal ${{."
    report("parameter/stray", f"{unknown.text} is not a parameter and is kept unchanged.", hint, Severity.WARNING)


def _report_secret_in_browser(use: Use, report: Report) -> None:
    message = f"Parameter {use.name} is secret, but this file is served to every browser that opens Deck."
    report("parameter/secret-in-browser", message, "Remove it; a browser cannot keep a secret.")


def _report_in_pattern(use: Use, report: Report) -> None:
    message = f"Parameter {use.name} is part of a regular expression, where its value is read as a pattern."
    report("parameter/in-pattern", message, "Build it with new RegExp('...') from a string.", Severity.WARNING)
