"""`halgit diff`: what a change to the repository changes in the rendered tree, and which services it affects."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from halgit import diff, publish, sources
from halgit.cli.declarations import FilePath, declare_command, option
from halgit.cli.options import (
    OUTPUT,
    access_options,
    format_option,
    log_options,
    output_option,
    source_options,
    trust_options,
)
from halgit.cli.output import Output
from halgit.cli.session import Compilation, Session
from halgit.compiler import overlays, require_below
from halgit.diff import Side
from halgit.errors import DifferenceError, SourceError, UsageError
from halgit.operator_settings import SourceSpec
from halgit.pipeline import Finding, Severity, Snapshot
from halgit.record import Record, replace
from halgit.report.difference_formats import FORMATS, text
from halgit.report.differences import Difference, as_json, summary
from halgit.report.tables import counted

BASE: Final = "Base of the comparison"
_BASES: Final = {
    "base": "--base REF",
    "base_repos": "--base-repo SRC",
    "base_tree": "--base-tree DIR",
    "base_overlay": "--base-overlay NAME",
}
_GENERATED: Final = "files/[0-9a-f]{12}-"
"""The files a render generates from references; their contents are secrets."""

_COMPARABLE: Final = ("parameter/", "opsmx/", "reference/")
"""Errors of a tree that can still be compared: only values are missing."""


@declare_command("diff")
@source_options
@option("--all-overlays", is_flag=True, help="Compare every overlay of either side.")
@option("--base", default="", metavar="REF", group=BASE, help="Branch, tag or commit of the same repository.")
@option("--base-repo", "base_repos", multiple=True, metavar="SRC", group=BASE,
        help="Another source, as in --repo; repeatable.")  # fmt: skip
@option("--base-tree", type=FilePath(), metavar="DIR", group=BASE, help="A rendered tree.")
@option("--base-overlay", default="", metavar="NAME", group=BASE,
        help="Another overlay, of the same sources or of the base.")  # fmt: skip
@format_option(*FORMATS)
@output_option("Write the report to this file, and text to the terminal.")
@option("--exit-code", is_flag=True, group=OUTPUT, help="Exit 1 if anything differs.")
@trust_options
@access_options
@log_options
def command(output: Output, /, **options: Any) -> None:
    """Show what changes in the rendered tree: accounts, settings, files, and the services that restart.

    Trees are compared by meaning. References are compared as written, and no secret is read. For plain-text secrets,
    only the fact that they changed is shown.

    \b
    Examples:
      halgit diff --overlay prod --base origin/main
      halgit diff --overlay prod --base-overlay staging
      halgit diff --repo . --all-overlays --base main --format markdown
      halgit diff --repo . --overlay prod --base-repo 'https://git.example.com/ops/spinnaker.git?ref=v1'
      halgit diff --repo . --overlay prod --base-tree /home/spinnaker/.hal --exit-code
    """
    _check(options)
    with Session({**options, "validate": False, "secrets": "keep"}, output) as run:
        snapshots = run.open()
        base = _base(run, snapshots, options)
        key = secrets.token_bytes(32)
        found: list[Difference] = []
        errors: dict[Finding, None] = {}
        for name in _overlays(run, [*snapshots, *base.snapshots], options["all_overlays"]):
            compilation = _compile(run, snapshots, base.snapshots, name)
            found.append(
                diff.compare(base.side(name, compilation), _side(compilation), key, name, output.redactor.clean)
            )
            errors |= dict.fromkeys(_errors(compilation.findings) if compilation else ())
        run.report(list(errors))
        if all(one.rule.startswith(_COMPARABLE) for one in errors):
            _report(output, found, options)
        require_below(list(errors), Severity.ERROR, written="")
        if options["exit_code"] and any(found):
            raise DifferenceError(f"The trees differ: {summary(found)}.")


def _check(options: dict[str, Any]) -> None:
    named = [name for name in ("base", "base_repos", "base_tree") if options[name]]
    if options["base_overlay"] and options["base_tree"]:
        raise UsageError("--base-overlay and --base-tree are mutually exclusive.", "Remove one of them.")
    if len(named) > 1 or not (named or options["base_overlay"]):
        message = "Several bases are set." if named else "The base of the comparison is missing."
        raise UsageError(message, f"Pass one of {', '.join(_BASES.values())}.")
    others = [name for name in ("overlay", "base_tree", "base_overlay") if options[name]]
    if options["all_overlays"] and others:
        option_name = f"--{others[0].replace('_', '-')}"
        raise UsageError(f"{option_name} and --all-overlays are mutually exclusive.", "Remove one of them.")


def _overlays(run: Session, snapshots: Sequence[Snapshot], is_every: bool) -> list[str]:
    if not is_every:
        return [run.operator.overlay]
    names = sorted({name for snapshot in snapshots for name in overlays(snapshot)})
    if not names:
        raise UsageError("There are no overlays.", "Omit --all-overlays, or add layers as overlays/NAME.")
    return names


def _has(snapshots: Sequence[Snapshot], overlay: str) -> bool:
    return not overlay or any(overlay in overlays(snapshot) for snapshot in snapshots)


def _compile(run: Session, snapshots: Sequence[Snapshot], base: Sequence[Snapshot], overlay: str) -> Compilation | None:
    """Compile an overlay; None if only the base has it."""
    if _has(base, overlay) and not _has(snapshots, overlay) and base:
        return None
    return run.compile(snapshots, replace(run.operator, overlay=overlay))


def _side(compilation: Compilation | None) -> Side:
    return Side(compilation.compiled.files, compilation.compiled.accounts) if compilation else Side()


def _errors(findings: Sequence[Finding]) -> list[Finding]:
    return [one for one in findings if one.severity >= Severity.ERROR]


# --- the base


class Base(Record):
    """Base of a comparison. `side` gets an overlay and its compilation (None if it was removed)."""

    side: Callable[[str, Compilation | None], Side]
    snapshots: tuple[Snapshot, ...] = ()


def _base(run: Session, snapshots: tuple[Snapshot, ...], options: dict[str, Any]) -> Base:
    if options["base_tree"]:
        folder = options["base_tree"]
        return Base(lambda overlay, compilation: _tree_side(run, folder, compilation))
    specs = [sources.parse_spec(repo) for repo in options["base_repos"]]
    if options["base"]:
        specs = [_at_ref(run, options["base"])]
    old = run.open(specs) if specs else snapshots
    place = ", ".join(spec.url for spec in specs) or f"overlay {options['base_overlay']}"

    def side(overlay: str, compilation: Compilation | None) -> Side:
        name = options["base_overlay"] or overlay
        if not options["base_overlay"] and not _has(old, name):
            run.output.message(f"The base has no overlay {name}: all of it is new.", level="info")
            return Side()
        compiled = run.compile(old, replace(run.operator, overlay=name))
        _warn(run.output, compiled.findings, place)
        return _side(compiled)

    return Base(side, old if specs else ())


def _warn(output: Output, findings: Sequence[Finding], place: str) -> None:
    errors = _errors(findings)
    if errors:
        output.warning(
            f"The base ({place}) has {counted(len(errors), 'error')}, so the comparison may show too much. "
            f"The first: {errors[0].file}: {errors[0].message}"
        )


def _at_ref(run: Session, ref: str) -> SourceSpec:
    """Return the same repository at another ref: a git URL, or the work tree that contains a directory."""
    from halgit.remotes.git.snapshot import find_commit

    if len(run.specs) != 1:
        raise UsageError("--base needs exactly one --repo.", "With several, name each by --base-repo 'URL?ref=REF'.")
    spec = run.specs[0]
    if sources.is_directory(spec.url):
        found = find_commit(spec.url, spec.path, ref, run.access)
        return SourceSpec(found.url, found.commit, found.path)
    return replace(spec, ref=ref)


def _tree_side(run: Session, folder: Path, compilation: Compilation | None) -> Side:
    """Read a rendered tree: only the files that its `.halgit.json` names."""
    (snapshot,) = run.open([SourceSpec(str(folder))])
    manifest = snapshot.read([publish.MANIFEST]) if publish.MANIFEST in snapshot.paths else {}
    record = publish.read_manifest(manifest.get(publish.MANIFEST, b""))
    if record is None:
        raise SourceError(
            f"{folder} is not a rendered tree: it has no {publish.MANIFEST} of halgit.",
            "Compare another tree as a source, with --base-repo DIR.",
        )
    assert compilation is not None
    texts = snapshot.read([path for path in record.files if path in snapshot.paths])
    changed = [path for path, mark in record.files.items()
               if path not in texts or not publish.fits_mark(mark, texts[path])]  # fmt: skip
    _warn_of_changes(run.output, folder, changed)
    kept = {path: content for path, content in texts.items() if not re.match(_GENERATED, path)}
    uses = [use.occurrence for use in compilation.plan.uses] if record.secrets != "keep" else []
    files, count = diff.rendered_side(kept, uses, compilation.compiled.files)
    if count:
        verb = "was" if count == 1 else "were"
        run.output.message(f"{counted(count, 'secret')} of {folder} {verb} not compared: "
                           "references are resolved there.", level="info")  # fmt: skip
    return Side(files, compilation.compiled.accounts, is_resolved=record.secrets in ("resolve", "native"))


def _warn_of_changes(output: Output, folder: Path, paths: Sequence[str]) -> None:
    if paths:
        output.warning(f"{folder}: files were modified since halgit wrote them: {', '.join(paths[:20])}.")


def _report(output: Output, found: Sequence[Difference], options: dict[str, Any]) -> None:
    name, file = options["format"], options["output"]
    if file:
        content = (output.clean_json if name == "json" else output.clean)(FORMATS[name](found))
        publish.write_file(file, f"{content}\n".encode(), mode=0o644)
        if name == "json":
            output.message(text(found, output.paint_message))
        else:
            output.result(text(found, output.paint))
        output.message(f"Wrote {file}.")
    elif name == "json":
        output.answer(as_json(found))
    else:
        output.result(text(found, output.paint) if name == "text" else FORMATS[name](found))
