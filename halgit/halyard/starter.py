"""The files a new repository begins with; they lie in `start_files/` as a person would write them."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "start_files"


def files() -> dict[str, bytes]:
    """Every file of a new repository by its path."""
    found = (path for path in sorted(_FOLDER.rglob("*")) if path.is_file())
    return {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in found}
