"""What `render` tells: the summary for people, and the JSON object for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from halgit.pipeline import Compiled, File, Finding, SourceId
from halgit.report.findings import finding_json
from halgit.report.table import counted, table


def source_json(source: SourceId) -> dict[str, Any]:
    """A source as JSON."""
    named = {"url": source.url, "ref": source.ref, "path": source.path, "revision": source.revision}
    return {key: value for key, value in named.items() if value}


def rendering_json(compiled: Compiled, findings: Sequence[Finding]) -> dict[str, Any]:
    """The `render` object: sources, overlay, files, parameters (names only), left_out, findings."""
    return {
        "sources": [source_json(source) for source in compiled.sources],
        "overlay": compiled.overlay,
        "files": [_file_json(file) for _, file in sorted(compiled.files.items())],
        "parameters": sorted(compiled.parameters),
        "skipped": [{"path": left.path, "reason": left.reason} for left in compiled.skipped],
        "findings": [finding_json(finding) for finding in findings],
    }


def _file_json(file: File) -> dict[str, Any]:
    return {"path": file.path, "how": file.how, "layers": [layer.name for layer in file.layers]}


def rendering_text(compiled: Compiled, outcome: str) -> str:
    """The summary: sources and layers, files and how they came about, parameters, what was left out and why."""
    how = Counter(file.how for file in compiled.files.values())
    files = ", ".join(f"{how[kind]} {kind}" for kind in ("copied", "merged", "generated") if how[kind])
    rows = [
        ["source", ", ".join(_source(source) for source in compiled.sources)],
        ["layers", " < ".join(dict.fromkeys(layer.id.name for layer in compiled.layers if layer.paths)) or "."],
        ["files", f"{len(compiled.files)} ({files})"],
        ["parameters", _parameters(compiled)],
        ["left out", counted(len(compiled.skipped), "file")],
        ["tree", outcome],
    ]
    text = table(["", ""], rows)
    if compiled.skipped:
        text += "\n\n" + table(
            ["skipped", "reason"], [[left.path, left.reason] for left in compiled.skipped], indent="  "
        )
    return text


def files_text(files: Mapping[str, File]) -> str:
    """Each file of the tree with how it came about and the layers it came from."""
    rows = [[file.path, file.how, " < ".join(layer.name for layer in file.layers)] for _, file in sorted(files.items())]
    return table(["file", "how", "layers"], rows, indent="  ")


def _source(source: SourceId) -> str:
    revision = source.revision[:12] if len(source.revision) >= 40 else source.revision
    return source.url + (f" at {revision}" if revision else "")


def _parameters(compiled: Compiled) -> str:
    if not compiled.parameters:
        return "none"
    secret = sum(parameter.secret for parameter in compiled.parameters.values())
    return ", ".join(sorted(compiled.parameters)) + (f" ({secret} secret)" if secret else "")


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
