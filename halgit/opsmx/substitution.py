"""Replacement of tokens in OpsMx repositories: upper-case words, replaced by file name and token.

A token is replaced in any scalar of its files, as a whole word, all in one pass: values are not searched again. The
result is always a string; comments and every other byte of the file are kept. `${{` is not read in this dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate

from halgit import yaml as hyaml
from halgit.halyard import layout
from halgit.merge import selection
from halgit.merge.diagnostics import DiagnosticCollector
from halgit.merge.scalars import Change, find_strings, replace_in_documents, replace_scalars
from halgit.merge.selection import is_merged
from halgit.operator_settings import OperatorSettings
from halgit.opsmx import tokens
from halgit.opsmx.tokens import split_tokens, token_table, tokens_of_file
from halgit.opsmx.variants import STORMDRIVER
from halgit.parameters.embedded import fit_text
from halgit.parameters.parameter_set import ParameterSet, collect_parameters
from halgit.parameters.reference_checks import JOINED_HINT, forms_reference
from halgit.parameters.substitution import Report, Reporter, new_duplicate_items
from halgit.parameters.templates import Substitution
from halgit.parameters.values import FILE_SUFFIX, variable_name
from halgit.pipeline import MISSING, Declaration, File, Layer, Path, Severity, Value, Variant
from halgit.record import replace
from halgit.redaction import Secret, join_parts
from halgit.text.phrases import join_words

BRANCH = "BRANCH"
SOURCE_BRANCH = "the branch of the source"
SSH_KEY = "GIT_SSH_KEY"
GIT_CONFIG = "default/profiles/spinnakerconfig.yml"
PRIVATE_KEY: Path = ("spring", "cloud", "config", "server", "git", "privateKey")
"""Property paths of the SSH key of Spring Cloud Config Server's git backend (`MultipleJGitEnvironmentProperties`)."""


def is_opsmx(layers: Sequence[Layer]) -> bool:
    """Return whether these layers use this dialect: no `halgit.yaml`, and a token in one of its files.

    All variants of the files count; a token that is only in a comment does not.
    """
    if any(layer.settings.file for layer in layers):
        return False
    rows = (row for layer in layers for row in layer.files.items())
    return any(_uses_tokens(path, text, tokens_of_file(path)) for path, text in rows)


def _uses_tokens(path: str, text: bytes, names: frozenset[str]) -> bool:
    if not names or not tokens.contains_token(text.decode("utf-8", "replace"), names):
        return False
    read = hyaml.read(text, path, many=True)
    is_token = partial(tokens.contains_token, names=names)
    return any(True for document in read.documents for _ in find_strings(document, is_token))


def collect_tokens(
    layers: Sequence[Layer], operator: OperatorSettings, find_branch: Callable[[], str] = str
) -> ParameterSet:
    """Return the parameters of this dialect: every token is declared; any other value is only a warning.

    Where a file uses BRANCH and nobody set it, `find_branch` is asked for the branch that was read.
    """
    known = {
        name: Declaration(
            name, "", (), True, type="string", secret=token.secret, reference=True, description=token.description
        )
        for name, token in token_table().items()
    }
    known[STORMDRIVER] = Declaration(STORMDRIVER, "", (), True, type="boolean", description="Stormdriver is used")
    found = collect_parameters(layers, operator, known=known, undeclared=Severity.WARNING)
    rows = (row for layer in layers for row in layer.files.items())
    is_used = any(_uses_tokens(path, text, tokens_of_file(path) & {BRANCH}) for path, text in rows)
    if is_used and found.values[BRANCH].value is MISSING:
        branch = find_branch()
        if branch:
            value = replace(found.values[BRANCH], value=branch, set_by=SOURCE_BRANCH)
            return replace(found, values={**found.values, BRANCH: value})
    return found


def substitute_tokens(
    files: Mapping[str, File], parameters: ParameterSet, layers: Sequence[Layer], *, variant: Variant = "token"
) -> Substitution:
    """Replace the tokens of merged files. An open token is an error, a misplaced or misspelled one a warning.

    `layers` are those that messages name. Variant ssh sets the private key of the config server.
    """
    diagnostics = DiagnosticCollector(files.values(), layers)
    substituter = _Substituter(parameters, diagnostics, variant, _deployments(files))
    changed = {path: substituter.substitute(files[path]) for path in sorted(files)}
    findings = (*diagnostics.findings(), *new_duplicate_items(files, changed, layers))
    hides_files = parameters.values[STORMDRIVER].is_wrong
    unset = {name for name, one in parameters.values.items() if hides_files or one.set_by == SOURCE_BRANCH}
    return Substitution(changed, frozenset(substituter.used | unset | {STORMDRIVER}), findings)


def _deployments(files: Mapping[str, File]) -> tuple[str, ...]:
    config = files.get("config")
    return selection.deployment_names(config.data if config else None) or ("default",)


class _Substituter:
    """Replaces the tokens of files and collects used names and problems."""

    def __init__(
        self,
        parameters: ParameterSet,
        diagnostics: DiagnosticCollector,
        variant: Variant,
        deployments: Sequence[str],
    ) -> None:
        self.used: set[str] = set()
        self._diagnostics = diagnostics
        self._parameters = parameters
        self._variant = variant
        self._deployments = deployments

    def substitute(self, file: File) -> File:
        """Return the file with its tokens replaced; reports words that look like tokens but are not replaced."""
        if file.data is not MISSING:
            return self._substitute_document(file, file.data)
        if isinstance(file.body, bytes):
            if is_merged(file.path):
                return self._substitute_documents(file, file.body)
            self._check_text(file, file.body.decode("utf-8", "replace"))
        return file

    # --- YAML --------------------------------------------------------------------------------------------------

    def _substitute_document(self, file: File, data: Value) -> File:
        changes = self._changes(file, data, partial(partial, self._diagnostics.add, file))
        if self._variant == "ssh" and file.path == GIT_CONFIG:
            self._set_private_key(file, data, changes)
        return replace_scalars(file, data, changes)

    def _substitute_documents(self, file: File, body: bytes) -> File:
        """Replace the tokens in every document of a file. A file that does not parse is reported already."""
        changes: dict[tuple[int, Path], Change] = {}
        for number, data in enumerate(hyaml.read(body, file.path, many=True).documents):
            reporter = partial(partial, self._diagnostics.add_in_document, file, number)
            for path, change in self._changes(file, data, reporter).items():
                changes[number, path] = change
        return replace_in_documents(file, body, changes)

    def _changes(self, file: File, data: Value, reporter: Reporter) -> dict[Path, Change]:
        """Return the new values of a document's scalars by path."""
        changes: dict[Path, Change] = {}
        reaches_service = self._reaches_service(file.path)
        for path, text, is_key in find_strings(data, tokens.may_contain_token):
            parts = split_tokens(text, tokens_of_file(file.path))
            if len(parts) > 1 and is_key:
                self._report_in_key(parts[1], reporter(path[:-1], parts[1]))
            elif len(parts) > 1:
                self._substitute_scalar(path, parts, changes, reporter)
            if reaches_service:
                _check_string(text, file.path, partial(reporter, path))
        return changes

    def _report_in_key(self, name: str, report: Report) -> None:
        self.used.add(name)
        message = f"Token {name} is used in a mapping key, where tokens are not replaced."
        report("opsmx/in-key", message, "Write the key itself.")

    def _substitute_scalar(self, path: Path, parts: list[str], changes: dict[Path, Change], reporter: Reporter) -> None:
        """Replace the tokens of one scalar; none of them if one has no value."""
        names = list(dict.fromkeys(parts[1::2]))
        values = {name: self._value(name, reporter(path, name)) for name in names}
        if not any(value is MISSING for value in values.values()):
            texts = self._fitted(parts, values, reporter, path)
            if texts is None:
                return
            if forms_reference(texts):
                message = f"The text and its tokens ({', '.join(names)}) would form a reference."
                reporter(path, names[0])("parameter/joined-reference", message, JOINED_HINT)
                return
            text = join_parts(texts)
            changes[path] = Change(text, ", ".join(f"parameter {name}" for name in names))

    def _fitted(
        self, parts: list[str], values: Mapping[str, Value], reporter: Reporter, path: Path
    ) -> list[Value] | None:
        """Return the parts of a string with the tokens' values, fitted into a string that is a YAML or JSON document.

        Reports and returns None for a value of several lines that does not fit.
        """
        text, ends = "".join(parts), list(accumulate(map(len, parts)))
        places = [(ends[number] - len(parts[number]), ends[number]) for number in range(1, len(parts), 2)]
        texts: list[Value] = list(parts)
        for number, (start, _) in zip(range(1, len(parts), 2), places, strict=True):
            value = values[parts[number]]
            plain = value.open() if isinstance(value, Secret) else value
            fitted = fit_text(text, places, start, plain, is_string=False) if text != parts[number] else plain
            if fitted is None:
                message = f"Token {parts[number]} has several lines, which do not fit at its place in a YAML document."
                hint = "Put it alone on a line below `key: |`, or in double quotes."
                reporter(path, parts[number])("parameter/embedded", message, hint)
                return None
            texts[number] = Secret(fitted, value.name) if isinstance(value, Secret) else fitted
        return texts

    def _value(self, name: str, report: Report) -> Value:
        """Return the token's value, a string or a secret; reports and returns MISSING if it has none."""
        self.used.add(name)
        value = self._parameters.values[name].value
        declared = self._parameters.declared[name]
        if value is MISSING:
            report("opsmx/open-token", f"Token {name} ({declared.description}) has no value.", _how_to_set(declared))
        elif value in ("", Secret("", "")) and not token_table()[name].may_be_empty:
            report("opsmx/empty-token", f"The value of token {name} is empty.", _how_to_set(declared))
            return MISSING
        return value if value is MISSING or isinstance(value, Secret) else str(value)

    def _set_private_key(self, file: File, data: Value, changes: dict[Path, Change]) -> None:
        """Set the SSH key of the config server, unless the file has one."""
        current = data
        for step in PRIVATE_KEY:
            current = current.get(step, MISSING) if isinstance(current, dict) else MISSING
        if current is MISSING:
            message = f"Variant ssh requires {'.'.join(map(str, PRIVATE_KEY))}, which is missing."
            hint = "Add an empty privateKey, or select another variant."
            self._diagnostics.add(file, (), "", "opsmx/no-private-key", message, hint)
        elif PRIVATE_KEY not in changes and (current is None or not str(current).strip()):
            value = self._value(SSH_KEY, partial(self._diagnostics.add, file, PRIVATE_KEY, ""))
            if value is not MISSING:
                changes[PRIVATE_KEY] = Change(_with_final_newline(value), f"parameter {SSH_KEY}")

    # --- other files -------------------------------------------------------------------------------------------

    def _check_text(self, file: File, text: str) -> None:
        """Check a file that is not YAML; no token belongs to one."""
        if self._reaches_service(file.path):
            for line, start in tokens.lines_without_comments(text):
                _check_string(line, file.path, partial(self._at_word, file, text, start))

    def _at_word(self, file: File, text: str, start: int, word: str) -> Report:
        return partial(self._diagnostics.add_at_offset, file, text.index(word, start), text)

    def _reaches_service(self, path: str) -> bool:
        role = layout.classify_file(path, self._deployments)
        return not role.reason and (role.kind in {"config", "service-settings"} or bool(role.services))


def _check_string(text: str, path: str, reporter: Callable[[str], Report]) -> None:
    """Report tokens that are not replaced in this file, and words that resemble a token."""
    for name in tokens.misplaced_tokens(text, path):
        hint = f"Write the value itself; the token is replaced in {join_words(token_table()[name].files)} only."
        reporter(name)("opsmx/misplaced-token", f"Token {name} is not replaced in this file.", hint, Severity.WARNING)
    for word, nearest in tokens.misspelled_tokens(text, path):
        message = f"{word} resembles a token but is none, and is kept unchanged."
        reporter(word)("opsmx/misspelled-token", message, f"Did you mean {nearest}?", Severity.WARNING)


def _with_final_newline(key: str | Secret) -> str | Secret:
    """Return an SSH key with the newline at its end that readers of keys require; a reference as it is."""
    return Secret(key.open().rstrip("\r\n") + "\n", key.name) if isinstance(key, Secret) else key


def _how_to_set(declared: Declaration) -> str:
    key = variable_name(declared.name)
    return (
        f"Set it with {key}{FILE_SUFFIX} or in --params."
        if declared.secret
        else f"Set it with {key}, --set or in --params."
    )
