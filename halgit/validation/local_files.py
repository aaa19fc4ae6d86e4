"""What the halconfig's local-file fields name: a file of the tree, a place outside of it, or nothing that can be.

Pure: it looks at the rendered tree only.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Literal

from halgit import yaml as hyaml
from halgit.pipeline import MISSING, File, Value
from halgit.redaction import Secret, SecretText
from halgit.validation.rules.given import word
from halgit.validation.view import View

Elsewhere = Literal["missing", "outside", "home", "unknown"]


@dataclass(frozen=True, slots=True)
class Named:
    """A file of the tree that a field names. `data` is what its YAML holds; MISSING where it cannot be looked at."""

    path: str
    file: File

    @property
    def data(self) -> Value:
        if self.file.data is not MISSING:
            return self.file.data
        if not isinstance(self.file.body, bytes):
            return MISSING
        read = hyaml.read(self.file.body, self.path)
        return MISSING if read.findings else read.data

    @property
    def empty(self) -> bool:
        """Whether there is not a byte in it."""
        return self.file.body == b"" and self.file.data in (MISSING, None)


def named(view: View, value: Value) -> Named | Elsewhere | None:
    """What a local-file field names; None where it is empty, a reference or served by a config server.

    `missing`: in the tree, where no such file is. `outside`: a path that only the pod knows. `home`: it begins with
    `~`, which Halyard does not expand (`FileService`).
    """
    if isinstance(value, (Secret, SecretText)):
        return "unknown"
    said = word(value)
    if not said or said.startswith("configserver:"):
        return None
    if said.startswith("~"):
        return "home"
    home = view.compiled.hal_home.rstrip("/") + "/"
    path = said[len(home) :] if said.startswith(home) else said
    if path.startswith("/"):
        return "outside"
    inside = posixpath.normpath(path)
    file = view.files.get(inside)
    return "missing" if file is None else Named(inside, file)
