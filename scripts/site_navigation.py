"""A hook of mkdocs: adds the pages that mkdocs.yml does not name to the section that their first line asks for.

A page names its section with `<!-- section: Moving to halgit -->` as its first line; the default is Reference.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_SECTION = re.compile(r"<!-- section: (.+?) -->")
_DEFAULT = "Reference"


def on_config(config: Any) -> Any:
    """Complete the navigation."""
    sections: dict[str, list[str]] = {name: pages for entry in config["nav"] for name, pages in entry.items()}
    known = {page for pages in sections.values() for page in pages}
    folder = Path(config["docs_dir"])
    for file in sorted(folder.rglob("*.md")):
        page = file.relative_to(folder).as_posix()
        if page not in known:
            found = _SECTION.match(file.read_text(encoding="utf-8"))
            sections.setdefault(found[1] if found else _DEFAULT, []).append(page)
    config["nav"] = [{name: pages} for name, pages in sections.items()]
    return config
