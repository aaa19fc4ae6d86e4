"""The table of formats of differences: each a function from differences to a text. Listed by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from halgit.report.changes import json, markdown, text
from halgit.report.differences import Difference

FORMATS: Mapping[str, Callable[[Sequence[Difference]], str]] = {
    "text": text.render,
    "json": json.render,
    "markdown": markdown.render,
}
