"""The table of report formats: each a function from a `Report` to a text. Listed by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from halgit.report.formats import github, json, junit, markdown, sarif, text
from halgit.report.report import Report

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text.render,
    "json": json.render,
    "sarif": sarif.render,
    "junit": junit.render,
    "github": github.render,
    "markdown": markdown.render,
}
