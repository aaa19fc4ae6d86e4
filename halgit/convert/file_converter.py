"""Conversion of one file of a tree into a file of a layer: tokens become parameters, references canonical.

Scalars are replaced in place, so comments and layout are kept. The result means the same once the parameters have
their values; a token always gives a string, so its replacement is quoted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from halgit import references
from halgit import yaml as hyaml
from halgit.merge.scalars import Change, find_strings, replace_scalars
from halgit.opsmx.substitution import GIT_CONFIG, PRIVATE_KEY, SSH_KEY
from halgit.opsmx.tokens import split_tokens, tokens_of_file
from halgit.pipeline import MISSING, File, Path, Value
from halgit.record import Record, field
from halgit.references import FoundReference

_OPEN = "${{"
_CONVERTED_DIALECTS = ("opsmx", "operator", "armory")
"""Dialects whose references Spinnaker's own services do not decrypt."""


class FileConverter(Record, frozen=False):
    """Converts files and collects the tokens they use and the number of references that were rewritten.

    `ssh` says that the private key belongs in the settings of the config server.
    """

    ssh: bool = False
    tokens: dict[str, None] = field(default_factory=dict)
    references: int = 0

    def convert(self, file: File) -> bytes:
        """Return the bytes of the file in its layer."""
        if file.data is MISSING:
            return self._convert_text(file)
        changes = self._changes(file.path, file.data)
        if self.ssh and file.path == GIT_CONFIG:
            self._set_private_key(file.data, changes)
        converted = replace_scalars(file, file.data, changes)
        if isinstance(converted.body, bytes):
            splices: Mapping[Path, Value] = converted.splices
            return hyaml.replace_scalars(converted.body, splices) if splices else converted.body
        return hyaml.dump(converted.data)

    def _changes(self, name: str, data: Value) -> dict[Path, Change]:
        """Return the converted scalars of a document by path."""
        names = tokens_of_file(name)
        changes: dict[Path, Change] = {}
        for path, text, is_key in find_strings(data, lambda text: True):
            new = text if is_key else self._convert_scalar(text, names)
            if new != text:
                changes[path] = Change(new, "import")
        return changes

    def _convert_documents(self, path: str, body: bytes, documents: Sequence[Value]) -> bytes:
        """Convert a file of several YAML documents."""
        values = {
            (number, where): change.value
            for number, data in enumerate(documents)
            for where, change in self._changes(path, data).items()
        }
        return "".join(str(part) for part in hyaml.replace_in_documents(body, values)).encode("utf-8")

    def _convert_text(self, file: File) -> bytes:
        """Convert a file that is not a single YAML document: escape what would be read as a parameter."""
        body = file.body if isinstance(file.body, bytes) else b""
        is_yaml = file.path.endswith((".yml", ".yaml"))
        documents = hyaml.read(body, file.path, many=True).documents if is_yaml else ()
        if len(documents) > 1:
            return self._convert_documents(file.path, body, documents)
        if _OPEN.encode() not in body:
            return body
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return body
        converted, at = "", 0
        for found in references.find_references_in_text(text):
            converted += _escape(text[at : found.start]) + text[found.start : found.end]
            at = found.end
        return (converted + _escape(text[at:])).encode("utf-8")

    def _convert_scalar(self, text: str, names: frozenset[str]) -> str:
        converted, at = "", 0
        for found in references.find_references(text):
            converted += self._convert_tokens(text[at : found.start], names) + self._convert_reference(text, found)
            at = found.end
        return converted + self._convert_tokens(text[at:], names)

    def _convert_reference(self, text: str, found: FoundReference) -> str:
        reference = found.reference
        if reference.dialect not in _CONVERTED_DIALECTS or reference.get("encoding"):
            return text[found.start : found.end]
        self.references += 1
        call = "secretFile" if reference.file else "secret"
        return f"${{{{ {call}('{references.format_reference(reference)}') }}}}"

    def _convert_tokens(self, text: str, names: frozenset[str]) -> str:
        parts = split_tokens(text, names)
        self.tokens.update(dict.fromkeys(parts[1::2]))
        return "".join(parameter_use(part) if number % 2 else _escape(part) for number, part in enumerate(parts))

    def _set_private_key(self, data: Value, changes: dict[Path, Change]) -> None:
        current = data
        for step in PRIVATE_KEY:
            current = current.get(step, MISSING) if isinstance(current, dict) else MISSING
        if current is not MISSING and PRIVATE_KEY not in changes and not str(current or "").strip():
            self.tokens[SSH_KEY] = None
            changes[PRIVATE_KEY] = Change(parameter_use(SSH_KEY) + "\n", "import")


def parameter_name(token: str) -> str:
    """Return the parameter for a token: `gitToken` for GIT_TOKEN. Both have the same environment variable."""
    first, *rest = token.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def parameter_use(token: str) -> str:
    """Return the expression that replaces a token."""
    return f"${{{{ params.{parameter_name(token)} }}}}"


def _escape(text: str) -> str:
    return text.replace(_OPEN, "$" + _OPEN)
