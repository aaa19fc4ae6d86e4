"""A hook of mkdocs: adds the pages that mkdocs.yml does not name to the section of their kind, by their file name."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

SECTIONS = {"from-*": "Moving to halgit", "import*": "Moving to halgit", "*export*": "Moving to halgit",
            "security*": "Running it", "*": "Reference"}  # fmt: skip
"""The section of a page by a pattern of its file name; the first match counts."""


def on_config(config: Any) -> Any:
    """Complete the navigation."""
    sections: dict[str, list[str]] = {name: pages for entry in config["nav"] for name, pages in entry.items()}
    known = {page for pages in sections.values() for page in pages}
    folder = Path(config["docs_dir"])
    for file in sorted(folder.rglob("*.md")):
        page = file.relative_to(folder).as_posix()
        if page not in known:
            section = next(section for pattern, section in SECTIONS.items() if fnmatch(page, pattern))
            sections.setdefault(section, []).append(page)
    config["nav"] = [{name: pages} for name, pages in sections.items()]
    return config
