"""The dialect of the OpsMx repositories: upper-case tokens in files of their own, replaced by file name and token.

Any scalar of such a file, whole tokens, all in one pass: what a value holds is never looked at again. The result is
always a text, comments stay, and so does every other byte of the file. No `${{` is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from halgit import yaml as hyaml
from halgit.halyard import layout
from halgit.merge import selection
from halgit.merge.diagnostics import Telling
from halgit.merge.scalars import Change, rewritten, texts
from halgit.merge.selection import is_merged
from halgit.operator_settings import OperatorSettings
from halgit.opsmx import tokens
from halgit.opsmx.tokens import apart, base_name, of_file, token_table
from halgit.opsmx.variants import Chosen, variants
from halgit.parameters import parameter_set
from halgit.parameters.parameter_set import Parameters
from halgit.parameters.substitution import Say, Substituted, new_twins
from halgit.parameters.values import FILE, variable
from halgit.pipeline import MISSING, Declaration, File, Layer, Path, Severity, Value, Variant
from halgit.redaction import Secret, join_parts
from halgit.text.phrases import join_words

__all__ = ["Chosen", "base_name", "collect", "detect", "substitute", "variants"]

SSH_KEY = "GIT_SSH_KEY"
GIT_CONFIG = "default/profiles/spinnakerconfig.yml"
PRIVATE_KEY: Path = ("spring", "cloud", "config", "server", "git", "privateKey")
"""Where Spring Cloud Config Server's git backend reads its SSH key (`MultipleJGitEnvironmentProperties`)."""


def detect(layers: Sequence[Layer]) -> bool:
    """Whether these layers are in this dialect: no `halgit.yaml`, and a token in a file it belongs to.

    Looks at the files that are read, variants too; a token that only a comment names does not count.
    """
    if any(layer.settings.file for layer in layers):
        return False
    return any(_uses_tokens(path, text) for layer in layers for path, text in layer.files.items())


def _uses_tokens(path: str, text: bytes) -> bool:
    names = of_file(path)
    if not names or not tokens.found(text.decode("utf-8", "replace"), names):
        return False
    read = hyaml.read(text, path, many=True)
    return any(True for document in read.documents for _ in texts(document, partial(tokens.found, names=names)))


def collect(layers: Sequence[Layer], operator: OperatorSettings) -> Parameters:
    """The parameters of this dialect: every token is declared, and whatever else is given is only warned of."""
    known = {
        name: Declaration(name, "", (), True, type="string", secret=token.secret, description=token.description)
        for name, token in token_table().items()
    }
    return parameter_set.collect(layers, operator, known=known, undeclared=Severity.WARNING)


def substitute(
    files: Mapping[str, File], parameters: Parameters, layers: Sequence[Layer], *, variant: Variant = "token"
) -> Substituted:
    """The merged files with their tokens replaced. An open token is an error, a misplaced or misspelt one a warning.

    `layers` are those messages name places in. With variant ssh the private key goes where it belongs.
    """
    filling = _Filling(parameters, Telling(files.values(), layers), variant, _deployments(files))
    made = {path: filling.file(files[path]) for path in sorted(files)}
    twins = new_twins(files, made, layers)
    return Substituted(made, frozenset(filling.used), (*filling.telling.findings(), *twins))


def _deployments(files: Mapping[str, File]) -> tuple[str, ...]:
    config = files.get("config")
    return selection.deployments(config.data if config else None) or ("default",)


class _Filling:
    """Replaces in one file after the other; keeps what was used and what is wrong."""

    def __init__(self, parameters: Parameters, telling: Telling, variant: Variant, deployments: Sequence[str]) -> None:
        self.used: set[str] = set()
        self.telling = telling
        self._parameters = parameters
        self._variant = variant
        self._deployments = deployments

    def file(self, file: File) -> File:
        """The file with its tokens replaced, and warnings of words that look as if they should be."""
        if file.data is not MISSING:
            return self._document(file, file.data)
        if isinstance(file.body, bytes):
            look = self._undivided if is_merged(file.path) else self._text
            look(file, file.body.decode("utf-8", "replace"))
        return file

    # --- YAML --------------------------------------------------------------------------------------------------

    def _document(self, file: File, data: Value) -> File:
        changes: dict[Path, Change] = {}
        reaches = self._reaches_a_service(file.path)
        for path, text, key in texts(data, tokens.may_hold_any):
            parts = apart(text, of_file(file.path))
            if len(parts) > 1 and key:
                self._key(file, path[:-1], parts[1])
            elif len(parts) > 1:
                self._scalar(file, path, parts, changes)
            if reaches:
                _warn(text, file.path, partial(self._at, file, path))
        if self._variant == "ssh" and file.path == GIT_CONFIG:
            self._private_key(file, data, changes)
        return rewritten(file, data, changes)

    def _key(self, file: File, path: Path, name: str) -> None:
        self.used.add(name)
        message = f"Token {name} stands in a mapping key, where tokens are not replaced."
        self.telling.at(file, path, name, "opsmx/in-key", message, "Write the key out.")

    def _scalar(self, file: File, path: Path, parts: list[str], changes: dict[Path, Change]) -> None:
        """Replace the tokens of one scalar; none of them if one has no value."""
        names = list(dict.fromkeys(parts[1::2]))
        values = {name: self._value(name, self._at(file, path, name)) for name in names}
        if not any(value is MISSING for value in values.values()):
            woven = join_parts(values[part] if number % 2 else part for number, part in enumerate(parts))
            changes[path] = Change(woven, ", ".join(f"parameter {name}" for name in names))

    def _value(self, name: str, say: Say) -> Value:
        """The token's value, a text or a secret; MISSING, with a word of why, where it is open."""
        self.used.add(name)
        value = self._parameters.values[name].value
        declared = self._parameters.declared[name]
        if value is MISSING:
            say("opsmx/open-token", f"Token {name} ({declared.description}) has no value.", _how_to_give(declared))
        elif value in ("", Secret("", "")) and not token_table()[name].may_be_empty:
            say("opsmx/empty-token", f"The value given for token {name} is empty.", _how_to_give(declared))
            return MISSING
        return value if value is MISSING or isinstance(value, Secret) else str(value)

    def _private_key(self, file: File, data: Value, changes: dict[Path, Change]) -> None:
        """Put the SSH key where it belongs, if nothing stands there."""
        here = data
        for step in PRIVATE_KEY:
            here = here.get(step, MISSING) if isinstance(here, dict) else MISSING
        if here is MISSING:
            message = f"Variant ssh is chosen, and there is no {'.'.join(map(str, PRIVATE_KEY))} here."
            hint = "Add an empty privateKey there, or choose another variant."
            self.telling.at(file, (), "", "opsmx/no-private-key", message, hint)
        elif PRIVATE_KEY not in changes and (here is None or not str(here).strip()):
            value = self._value(SSH_KEY, self._at(file, PRIVATE_KEY, ""))
            if value is not MISSING:
                changes[PRIVATE_KEY] = Change(_with_last_line_break(value), f"parameter {SSH_KEY}")

    # --- what is no single document ----------------------------------------------------------------------------

    def _undivided(self, file: File, text: str) -> None:
        """A YAML file that is not one document: its tokens cannot be replaced. That it is broken is told already."""
        if len(hyaml.read(text.encode(), file.path, many=True).documents) < 2:
            return
        for name, offset in tokens.in_lines(text, of_file(file.path)):
            self.used.add(name)
            message = f"Token {name} stands in a file of several YAML documents, which is left as it is."
            hint = "Make it files of one document each, or write the value out."
            self.telling.in_text(file, offset, text, "opsmx/several-documents", message, hint)

    def _text(self, file: File, text: str) -> None:
        """A file that is no YAML; no token belongs to one."""
        if self._reaches_a_service(file.path):
            for line, start in tokens.lines(text):
                _warn(line, file.path, partial(self._in_line, file, text, start))

    def _at(self, file: File, path: Path, word: str) -> Say:
        return partial(self.telling.at, file, path, word)

    def _in_line(self, file: File, text: str, start: int, word: str) -> Say:
        return partial(self.telling.in_text, file, text.index(word, start), text)

    def _reaches_a_service(self, path: str) -> bool:
        place = layout.classify_file(path, self._deployments)
        return not place.reason and (place.kind in {"config", "service-settings"} or bool(place.services))


def _warn(text: str, path: str, place: Callable[[str], Say]) -> None:
    """Warn of tokens that are not replaced in this file, and of words that look like a token."""
    for name in tokens.misplaced(text, path):
        hint = f"Write the value out; it is replaced in {join_words(token_table()[name].files)} only."
        place(name)("opsmx/misplaced-token", f"Token {name} is not replaced in this file.", hint, Severity.WARNING)
    for word, near in tokens.lookalikes(text, path):
        message = f"{word} looks like a token, is none, and stays as it stands."
        place(word)("opsmx/misspelled-token", message, f"Did you mean {near}?", Severity.WARNING)


def _with_last_line_break(key: str | Secret) -> str | Secret:
    """An SSH key with the line break at its end that readers of keys ask for; a reference as it is."""
    return Secret(key.open().rstrip("\r\n") + "\n", key.name) if isinstance(key, Secret) else key


def _how_to_give(declared: Declaration) -> str:
    key = variable(declared.name)
    return f"Give it by {key}{FILE} or in --params." if declared.secret else f"Give it by {key}, --set or in --params."
