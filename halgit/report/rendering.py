"""What `render` tells: the summary for people, and the JSON object for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from halgit.report.findings import finding_json
from halgit.report.table import counted, table
from halgit.tree import File, Finding, Merged, SourceId


def source_json(source: SourceId) -> dict[str, Any]:
    """A source as JSON."""
    named = {"url": source.url, "ref": source.ref, "path": source.path, "revision": source.revision}
    return {key: value for key, value in named.items() if value}


def rendering_json(merged: Merged, findings: Sequence[Finding]) -> dict[str, Any]:
    """The `render` object: sources, overlay, files, parameters (names only), left_out, findings."""
    return {
        "sources": [source_json(source) for source in merged.sources],
        "overlay": merged.overlay,
        "files": [_file_json(file) for _, file in sorted(merged.files.items())],
        "parameters": sorted(merged.parameters),
        "left_out": [{"path": left.path, "why": left.why} for left in merged.left_out],
        "findings": [finding_json(finding) for finding in findings],
    }


def _file_json(file: File) -> dict[str, Any]:
    return {"path": file.path, "how": file.how, "layers": [layer.name for layer in file.layers]}


def rendering_text(merged: Merged, outcome: str) -> str:
    """The summary: sources and layers, files and how they came about, parameters, what was left out and why."""
    how = Counter(file.how for file in merged.files.values())
    files = ", ".join(f"{how[kind]} {kind}" for kind in ("copied", "merged", "made") if how[kind])
    rows = [
        ["source", ", ".join(_source(source) for source in merged.sources)],
        ["layers", " < ".join(dict.fromkeys(layer.id.name for layer in merged.layers if layer.paths)) or "."],
        ["files", f"{len(merged.files)} ({files})"],
        ["parameters", _parameters(merged)],
        ["left out", counted(len(merged.left_out), "file")],
        ["tree", outcome],
    ]
    text = table(["", ""], rows)
    if merged.left_out:
        text += "\n\n" + table(["left out", "why"], [[left.path, left.why] for left in merged.left_out], indent="  ")
    return text


def files_text(files: Mapping[str, File]) -> str:
    """Each file of the tree with how it came about and the layers it came from."""
    rows = [[file.path, file.how, " < ".join(layer.name for layer in file.layers)] for _, file in sorted(files.items())]
    return table(["file", "how", "layers"], rows, indent="  ")


def _source(source: SourceId) -> str:
    revision = source.revision[:12] if len(source.revision) >= 40 else source.revision
    return source.url + (f" at {revision}" if revision else "")


def _parameters(merged: Merged) -> str:
    if not merged.parameters:
        return "none"
    secret = sum(parameter.secret for parameter in merged.parameters.values())
    return ", ".join(sorted(merged.parameters)) + (f" ({secret} secret)" if secret else "")


def comparison_lines(
    added: Sequence[str], changed: Sequence[str], removed: Sequence[str], modified: Sequence[str]
) -> list[str]:
    """What a render would do to a tree, a line for each file."""
    signs = (("+", added), ("~", changed), ("-", removed), ("!", modified))
    told = {"!": " (changed since halgit wrote it)"}
    return [f"{sign} {path}{told.get(sign, '')}" for sign, paths in signs for path in paths]


def comparison_json(
    added: Sequence[str], changed: Sequence[str], removed: Sequence[str], modified: Sequence[str]
) -> list[dict[str, str]]:
    """The same for programs."""
    kinds = (("added", added), ("changed", changed), ("removed", removed), ("modified", modified))
    return [{"path": path, "change": kind} for kind, paths in kinds for path in paths]
