"""`${{ params.NAME }}` replaced in the merged files: in YAML scalars and in text files.

An unquoted scalar that is nothing else takes the parameter's type, every other one stays a text. Comments of YAML
files and mapping keys are left alone. All faults are told together; what is wrong stays as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from halgit import yaml as hyaml
from halgit.merge.diagnostics import Telling
from halgit.merge.keyed_lists import check_items
from halgit.merge.scalars import Change, rewritten, texts
from halgit.merge.selection import is_merged
from halgit.parameters import escaping
from halgit.parameters.parameter_set import Parameters, how_to_give
from halgit.pipeline import MISSING, Declaration, File, Finding, Layer, Path, Severity, UnquotedScalar, Value
from halgit.redaction import Secret, SecretText, join_parts
from halgit.text.phrases import suggest_nearest

OPEN = "${{"
_OF_DECK = re.compile(r"(.*/)?profiles/settings(-local)?\.js")
_QUOTED = r""""(?:\\.|[^"\\])*"|'[^']*'"""
_FLOW = re.compile(
    rf"(?:[^\"'#\[{{$]|\$\{{\{{[^}}]*\}}\}}|\$\{{(?!\{{)[^}}]*\}}|\$(?!\{{)|{_QUOTED})*[\[{{]"
    rf"(?:[^\"'#$]|\$(?!\{{\{{)|{_QUOTED})*(\$\{{\{{)"
)
"""A line on which a `[` or `{` is opened and `${{` follows, both outside quotes."""


@dataclass(frozen=True, slots=True)
class Substituted:
    """Files with their parameters replaced, the names that were used, and all that is wrong."""

    files: Mapping[str, File]
    used: frozenset[str]
    findings: tuple[Finding, ...]


class Say(Protocol):
    """Tells a fault of one place."""

    def __call__(self, rule: str, message: str, hint: str, severity: Severity = Severity.ERROR) -> None: ...


def substitute(files: Mapping[str, File], parameters: Parameters, layers: Sequence[Layer]) -> Substituted:
    """The files, which are merged and read, with every parameter replaced; `layers` are those they came from.

    A file that is not read yet is passed on as it is: hand it in again once it has its body.
    """
    made = dict(files)
    filling = _Filling(parameters, Telling(files.values(), layers))
    for path in sorted(files):
        if _may_hold(files[path], layers):
            made[path] = filling.file(files[path])
    return Substituted(made, frozenset(filling.used), (*filling.telling.findings(), *new_twins(files, made, layers)))


def _may_hold(file: File, layers: Sequence[Layer]) -> bool:
    """Whether a placeholder can stand in a file, from a look at the bytes it was made of."""
    if isinstance(file.body, bytes):
        return OPEN.encode() in file.body
    own = [layer for layer in layers if layer.id in file.layers]
    made_of = [text for layer in own for text in (layer.files.get(file.path, b""), layer.settings.text)]
    return any(OPEN.encode() in text for text in made_of)


def new_twins(before: Mapping[str, File], after: Mapping[str, File], layers: Sequence[Layer]) -> tuple[Finding, ...]:
    """The items of keyed lists that replacing has made twins; those that were there before are told already."""
    changed = [path for path in after if after[path] is not before[path]]
    sound = [path for path in changed if not check_items({path: before[path]}, layers)]
    return check_items({path: after[path] for path in sound}, layers)


class _Filling:
    """Replaces in one file after the other; keeps what was used and what is wrong."""

    def __init__(self, parameters: Parameters, telling: Telling) -> None:
        self.used: set[str] = set()
        self.telling = telling
        self._parameters = parameters

    def file(self, file: File) -> File:
        """The file with its parameters replaced."""
        if file.data is not MISSING:
            return self._document(file, file.data)
        if not isinstance(file.body, bytes):
            return file
        if not file.path.endswith((".yml", ".yaml")) and file.path != "config":
            return self._text(file, file.body)
        read = hyaml.read(file.body, file.path, many=True)
        if len(read.documents) == 1:
            return self._document(file, read.data)
        if not read.documents and not is_merged(file.path):
            return self._text(file, file.body)
        look = self._several if read.documents else self._unreadable
        look(file, file.body.decode("utf-8", "replace"))
        return file

    # --- YAML --------------------------------------------------------------------------------------------------

    def _document(self, file: File, data: Value) -> File:
        changes: dict[Path, Change] = {}
        for path, text, key in texts(data, lambda text: OPEN in text):
            template = take_apart(text)
            if key:
                self._key(file, path, text, template)
                continue
            for stray in template.strays:
                _tell_stray(stray, partial(self.telling.at, file, path, stray.text))
            value = self._scalar(file, path, text, template)
            if value is not MISSING and value != text:
                names = dict.fromkeys(use.name for use in template.uses)
                changes[path] = Change(value, ", ".join(f"parameter {name}" for name in names))
        return rewritten(file, data, changes)

    def _key(self, file: File, path: Path, text: str, template: Template) -> None:
        for use in template.uses:
            self.used.add(use.name)
            message = f"Parameter {use.name} stands in a mapping key, where parameters are not replaced."
            hint = "Write the key out."
            self.telling.at(file, path[:-1], text[use.start : use.end], "parameter/in-key", message, hint)

    def _scalar(self, file: File, path: Path, text: str, template: Template) -> Value:
        """The new value of a scalar; MISSING where a parameter in it has none that can stand there."""
        typed = template.alone is not None and isinstance(text, UnquotedScalar)
        parts: list[Value] = []
        for part in template.parts:
            if isinstance(part, Use):
                say = partial(self.telling.at, file, path, text[part.start : part.end])
                value = self._value(part, say)
                parts.append(value if typed else self._as_text(part, value, say))
            else:
                parts.append(part)
        if any(part is MISSING for part in parts):
            return MISSING
        return parts[0] if typed else join_parts(parts)

    def _several(self, file: File, text: str) -> None:
        """Say of each placeholder that the file holds several documents."""
        for use in take_apart(text).uses:
            self.used.add(use.name)
            if "#" not in text[text.rfind("\n", 0, use.start) + 1 : use.start]:
                message = f"Parameter {use.name} stands in a file of several YAML documents, which is left as it is."
                hint = "Make it files of one document each, or write the value out."
                self.telling.in_text(file, use.start, text, "parameter/several-documents", message, hint)

    def _unreadable(self, file: File, text: str) -> None:
        """Say what a parser cannot: that it is the placeholder's own braces that it stumbles over."""
        self.used.update(use.name for use in take_apart(text).uses)
        start = 0
        for line in text.splitlines(keepends=True):
            found = _FLOW.match(line)
            if found:
                message = "A parameter stands unquoted in [...] or {...}, where YAML takes its braces for a mapping."
                hint = "Put the scalar in quotes, or give it a line of its own."
                self.telling.in_text(file, start + found.start(1), text, "parameter/unquoted-in-flow", message, hint)
            start += len(line)

    # --- texts -------------------------------------------------------------------------------------------------

    def _text(self, file: File, body: bytes) -> File:
        """A file that is no YAML; one that is no UTF-8 either holds no text to look at."""
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return file
        template = take_apart(text)
        for stray in template.strays:
            _tell_stray(stray, partial(self.telling.in_text, file, stray.start, text))
        fit = self._fitter(file, text, template)
        parts = [fit(part) if isinstance(part, Use) else part for part in template.parts]
        made = join_parts(parts)
        if made == text:
            return file
        whole = SecretText((made,)) if isinstance(made, Secret) else made
        return replace(file, how="merged", body=whole.encode() if isinstance(whole, str) else whole)

    def _fitter(self, file: File, text: str, template: Template) -> Callable[[Use], str | Secret]:
        """What writes a use into this kind of file; where there is no value to write, the placeholder itself."""
        javascript = file.path.endswith(".js")
        escaped = javascript or file.path.endswith(".json")
        where = escaping.contexts(text, [use.start for use in template.uses], javascript=javascript) if escaped else {}

        def fit(use: Use) -> str | Secret:
            say = partial(self.telling.in_text, file, use.start, text)
            value = self._value(use, say)
            if value is not MISSING and _OF_DECK.fullmatch(file.path) and self._parameters.values[use.name].secret:
                _tell_browser(use, say)
                value = MISSING
            context = where.get(use.start)
            if value is MISSING:
                return text[use.start : use.end]
            if context == "code":
                return _mapped(value, escaping.as_value)
            if context == "pattern":
                _tell_pattern(use, say)
            plain = self._as_text(use, value, say)
            if plain is MISSING:
                return text[use.start : use.end]
            return plain if context is None else _mapped(plain, partial(escaping.within, context=context))

        return fit

    # --- values ------------------------------------------------------------------------------------------------

    def _value(self, use: Use, say: Say) -> Value:
        """The parameter's value; MISSING, with a word of why, where it has none."""
        self.used.add(use.name)
        parameter = self._parameters.values.get(use.name)
        if parameter is None:
            hint = suggest_nearest(use.name, self._parameters.values, "Declare it under params in halgit.yaml.")
            say("parameter/undeclared", f"No parameter {use.name} is declared.", hint)
            return MISSING
        declared = self._parameters.declared.get(use.name, Declaration(use.name, "", ()))
        if parameter.value is MISSING and not declared.required:
            about = f" ({declared.description})" if declared.description else ""
            say("parameter/no-value", f"Parameter {use.name}{about} has no value.", how_to_give(declared))
        return parameter.value

    def _as_text(self, use: Use, value: Value, say: Say) -> Value:
        """The value inside a text; MISSING for a list, which cannot stand there."""
        if isinstance(value, list):
            message = f"Parameter {use.name} is a list, which cannot stand inside a text."
            say("parameter/list-in-text", message, "Let it be all of an unquoted scalar, or use a text.")
            return MISSING
        return value if value is MISSING or isinstance(value, (str, Secret)) else hyaml.to_java_string(value)


def _mapped(value: Value, change: Callable[[Value], str]) -> str | Secret:
    """A value, or what a secret holds, made fit for its place; a secret stays one."""
    return Secret(change(value.open()), value.name) if isinstance(value, Secret) else change(value)


def _tell_stray(stray: Stray, say: Say) -> None:
    hint = "Write ${{ params.NAME }}, or $${{ where ${{ is meant."
    say("parameter/stray", f"{stray.text} is no parameter and is left as it stands.", hint, Severity.WARNING)


def _tell_browser(use: Use, say: Say) -> None:
    message = f"Parameter {use.name} is secret, and this file is served to every browser that opens Deck."
    say("parameter/secret-in-browser", message, "Take it out; a browser cannot keep a secret.")


def _tell_pattern(use: Use, say: Say) -> None:
    message = f"Parameter {use.name} stands in a regular expression, where its text would be read as a pattern."
    say("parameter/in-pattern", message, "Build it with new RegExp('...') from a string.", Severity.WARNING)


_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_PLACEHOLDER = re.compile(
    rf"""
      \${{1,2}}\{{\{{ (?= [ \t]* secret (?:File)? [ \t]* \( )     # a reference, or its escape
    | (?P<escape> \$\$\{{\{{ )
    | \$\{{\{{ \s* params \. (?P<name> {_NAME} ) \s* \}}\}}
    | (?P<stray> \$\{{\{{ )
    """,
    re.VERBOSE,
)
_REST = re.compile(r"\$\{\{[^\n]{0,60}?\}\}")


@dataclass(frozen=True, slots=True)
class Use:
    """A parameter's place in a text: `text[start:end]` is the whole placeholder."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stray:
    """A `${{` that is no parameter, at `start`; `text` is what a message shows of it."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """A text taken apart: literal parts, with escapes resolved, and uses between them."""

    parts: tuple[str | Use, ...]
    strays: tuple[Stray, ...] = ()

    @property
    def alone(self) -> Use | None:
        """The use that is all of the text."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, Use) else None

    @property
    def uses(self) -> tuple[Use, ...]:
        """The uses, in order."""
        return tuple(part for part in self.parts if isinstance(part, Use))


def take_apart(text: str) -> Template:
    """The template of a text."""
    parts: list[str | Use] = []
    strays: list[Stray] = []
    done = 0
    for match in _PLACEHOLDER.finditer(text):
        if match["stray"]:
            rest = _REST.match(text, match.start())
            strays.append(Stray(match.start(), rest.group() if rest else "${{"))
        elif match["escape"]:
            parts.append(text[done : match.start()] + "${{")
            done = match.end()
        elif match["name"]:
            parts += [text[done : match.start()], Use(match["name"], *match.span())]
            done = match.end()
    parts.append(text[done:])
    return Template(tuple(part for part in parts if part), tuple(strays))
