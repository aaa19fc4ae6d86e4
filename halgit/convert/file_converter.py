"""One file of a tree as a file of a layer: tokens become parameters, foreign references canonical, the rest stays.

Scalars are replaced in place, so that comments and layout are those of the source. The result means the same once
the parameters have their values: a token gave a text, so what takes its place is quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from halgit import references
from halgit import yaml as hyaml
from halgit.merge.scalars import Change, rewritten, texts
from halgit.opsmx import substitution
from halgit.opsmx.tokens import apart, of_file
from halgit.pipeline import MISSING, File, Path, Value
from halgit.references import FoundReference

_OPEN = "${{"
_FOREIGN = ("opsmx", "operator", "armory")
"""Dialects whose references Spinnaker's own services do not decrypt."""


@dataclass(slots=True)
class Converting:
    """Converts file after file, and keeps which tokens were met and how many references were rewritten.

    `ssh` says that the private key belongs into the settings of the config server.
    """

    ssh: bool = False
    tokens: dict[str, None] = field(default_factory=dict)
    references: int = 0

    def file(self, file: File) -> bytes:
        """The bytes of the file in its layer."""
        if file.data is MISSING:
            return self._text(file)
        names = of_file(file.path)
        changes: dict[Path, Change] = {}
        for path, text, key in texts(file.data, lambda text: True):
            new = text if key else self._scalar(text, names)
            if new != text:
                changes[path] = Change(new, "import")
        if self.ssh and file.path == substitution.GIT_CONFIG:
            self._private_key(file.data, changes)
        made = rewritten(file, file.data, changes)
        if isinstance(made.body, bytes):
            values: Mapping[Path, Value] = made.splices
            return hyaml.replace_scalars(made.body, values) if values else made.body
        return hyaml.dump(made.data)

    def _text(self, file: File) -> bytes:
        """A file that is no single YAML document: only what would be taken for a placeholder is escaped."""
        body = file.body if isinstance(file.body, bytes) else b""
        if _OPEN.encode() not in body:
            return body
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return body
        several = file.path.endswith((".yml", ".yaml")) and len(hyaml.read(body, file.path, many=True).documents) > 1
        if several:
            return body
        made, at = "", 0
        for found in references.find_references_in_text(text):
            made += _escaped(text[at : found.start]) + text[found.start : found.end]
            at = found.end
        return (made + _escaped(text[at:])).encode("utf-8")

    def _scalar(self, text: str, names: frozenset[str]) -> str:
        made, at = "", 0
        for found in references.find_references(text):
            made += self._filled(text[at : found.start], names) + self._reference(text, found)
            at = found.end
        return made + self._filled(text[at:], names)

    def _reference(self, text: str, found: FoundReference) -> str:
        reference = found.reference
        if reference.dialect not in _FOREIGN or reference.get("encoding"):
            return text[found.start : found.end]
        self.references += 1
        call = "secretFile" if reference.file else "secret"
        return f"${{{{ {call}('{references.format_reference(reference)}') }}}}"

    def _filled(self, text: str, names: frozenset[str]) -> str:
        parts = apart(text, names)
        self.tokens.update(dict.fromkeys(parts[1::2]))
        return "".join(placeholder(part) if number % 2 else _escaped(part) for number, part in enumerate(parts))

    def _private_key(self, data: Value, changes: dict[Path, Change]) -> None:
        here = data
        for step in substitution.PRIVATE_KEY:
            here = here.get(step, MISSING) if isinstance(here, dict) else MISSING
        if here is not MISSING and substitution.PRIVATE_KEY not in changes and not str(here or "").strip():
            self.tokens[substitution.SSH_KEY] = None
            changes[substitution.PRIVATE_KEY] = Change(placeholder(substitution.SSH_KEY) + "\n", "import")


def parameter(token: str) -> str:
    """The name of a token as a parameter; its environment variable is the same: GIT_TOKEN, gitToken."""
    first, *rest = token.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def placeholder(token: str) -> str:
    """What takes the place of a token."""
    return f"${{{{ params.{parameter(token)} }}}}"


def _escaped(text: str) -> str:
    return text.replace(_OPEN, "$" + _OPEN)
