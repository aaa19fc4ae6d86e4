"""Reads each document once, however many overlays share it."""

from __future__ import annotations

from threading import Lock

from halgit import yaml as hyaml


class Remembering:
    """A `halgit.yaml.read` that remembers. What it gives is shared, which data of documents always may be."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str, bool], hyaml.Read] = {}
        self._lock = Lock()

    def __call__(self, text: bytes, file: str, *, many: bool = False) -> hyaml.Read:
        key = (text, file, many)
        with self._lock:
            if key not in self._known:
                self._known[key] = hyaml.read(text, file, many=many)
            return self._known[key]
