"""Summaries of `render` and `import`, as text and as JSON data. They name files, keys and places, never a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from halgit.annotations import Any, Protocol
from halgit.pipeline import Compiled, File, Finding, Skipped, SourceId
from halgit.record import Record, to_dict
from halgit.report.tables import PLAIN_LAYOUT, Layout, counted, table

# --- render


def source_json(source: SourceId) -> dict[str, Any]:
    """Return a source as JSON data."""
    fields = {"url": source.url, "ref": source.ref, "path": source.path, "revision": source.revision}
    return {key: value for key, value in fields.items() if value}


def render_json(compiled: Compiled, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the `render` object: sources, overlay, files, parameters (names only), skipped, findings."""
    from halgit.report.findings import finding_json

    return {
        "sources": [source_json(source) for source in compiled.sources],
        "overlay": compiled.overlay,
        "files": [_file_json(file) for _, file in sorted(compiled.files.items())],
        "parameters": sorted(compiled.parameters),
        "skipped": [{"path": skipped.path, "reason": skipped.reason} for skipped in compiled.skipped],
        "findings": [finding_json(finding) for finding in findings],
    }


def _file_json(file: File) -> dict[str, Any]:
    return {"path": file.path, "how": file.how, "layers": [layer.name for layer in file.layers]}


def render_text(compiled: Compiled, outcome: str, layout: Layout = PLAIN_LAYOUT) -> str:
    """Format the summary: sources, layers, counts of files, parameters, the outcome, and the skipped files."""
    how = Counter(file.how for file in compiled.files.values())
    files = ", ".join(f"{how[kind]} {kind}" for kind in ("copied", "merged", "generated") if how[kind])
    rows = [
        ["source", ", ".join(source_text(source) for source in compiled.sources)],
        ["layers", " < ".join(dict.fromkeys(layer.id.name for layer in compiled.layers if layer.paths)) or "."],
        ["files", f"{len(compiled.files)} ({files})"],
        ["parameters", _parameters(compiled)],
        ["skipped", counted(len(compiled.skipped), "file")],
        ["tree", outcome],
    ]
    text = table(["", ""], rows, layout=layout)
    if compiled.skipped:
        rows = [[skipped.path, skipped.reason] for skipped in compiled.skipped]
        text += "\n\n" + table(["skipped", "reason"], rows, indent="  ", layout=layout)
    return text


def source_text(source: SourceId) -> str:
    """Format a source with its revision, a commit shortened."""
    revision = source.revision[:12] if len(source.revision) >= 40 else source.revision
    return source.url + (f" at {revision}" if revision else "")


def _parameters(compiled: Compiled) -> str:
    if not compiled.parameters:
        return "none"
    secret = sum(parameter.secret for parameter in compiled.parameters.values())
    return ", ".join(sorted(compiled.parameters)) + (f" ({secret} secret)" if secret else "")


# --- render --check and --dry-run


class TreeComparison(Protocol):
    """The paths that a render would add, change and remove, and those that somebody modified since the last one."""

    @property
    def added(self) -> Sequence[str]: ...
    @property
    def changed(self) -> Sequence[str]: ...
    @property
    def removed(self) -> Sequence[str]: ...
    @property
    def modified(self) -> Sequence[str]: ...


def comparison_lines(found: TreeComparison) -> list[str]:
    """Format what a render would change, one line for each file."""
    signs = (("+", found.added), ("~", found.changed), ("-", found.removed))
    lines = [f"{sign} {path}" for sign, paths in signs for path in paths]
    return lines + [f"! {path} (modified since halgit wrote it)" for path in found.modified]


def comparison_json(found: TreeComparison) -> list[dict[str, str]]:
    """Return what a render would change as JSON data."""
    kinds = {"added": found.added, "changed": found.changed, "removed": found.removed, "modified": found.modified}
    return [{"path": path, "change": kind} for kind, paths in kinds.items() for path in paths]


# --- import


class ImportedParameter(Record):
    """A parameter that an import declared; `value` says where its value is set, or that it is required."""

    name: str
    token: str
    secret: bool
    value: str


class Decision(Record):
    """Something a person must decide: its location, and the next step."""

    place: str
    what: str


class ImportReport(Record):
    """Everything to report about one import."""

    files: tuple[str, ...] = ()
    parameters: tuple[ImportedParameter, ...] = ()
    references: int = 0
    skipped: tuple[Skipped, ...] = ()
    decisions: tuple[Decision, ...] = ()
    values_moved: tuple[tuple[str, str], ...] = ()


def import_json(report: ImportReport) -> dict[str, Any]:
    """Return the `import` object."""
    moved = [{"key": key, "to": target} for key, target in report.values_moved]
    return {**to_dict(report), "values_moved": moved}


def import_text(report: ImportReport, layout: Layout = PLAIN_LAYOUT) -> str:
    """Format the report: counts, then tables of parameters, skipped files, moved values and decisions."""
    parts = [
        f"{counted(len(report.files), 'file')}, {counted(len(report.parameters), 'parameter')}, "
        f"{counted(report.references, 'reference')} rewritten in canonical form."
    ]
    tables: Mapping[tuple[str, str] | tuple[str, str, str], Sequence[Sequence[str]]] = {
        ("parameter", "token", "value"): [[row.name, row.token, row.value] for row in report.parameters],
        ("skipped", "reason"): [[row.path, row.reason] for row in report.skipped],
        ("value of the old chart", "moved to"): report.values_moved,
        ("to decide", ""): [[row.place, row.what] for row in report.decisions],
    }
    parts += [table(head, rows, indent="  ", layout=layout) for head, rows in tables.items() if rows]
    return "\n\n".join(parts)
