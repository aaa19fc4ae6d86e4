"""`halgit diff`: what a change to the repository changes in the rendered tree, and which services it reaches."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from halgit import diff as differences
from halgit import publish, sources
from halgit.cli import options as given
from halgit.cli.output import Output
from halgit.cli.session import Compilation, Session
from halgit.compiler import overlays, refuse
from halgit.diff import Side
from halgit.errors import DifferenceError, SourceError, UsageError
from halgit.operator_settings import OperatorSettings, SourceSpec
from halgit.pipeline import Finding, Severity, Snapshot
from halgit.report.changes import FORMATS, text
from halgit.report.differences import Difference, as_json, summary
from halgit.report.tables import counted

_MADE = re.compile(r"files/[0-9a-f]{12}-")
"""The files a render makes of references; their contents are secrets."""

_COMPARABLE = ("parameter/", "opsmx/", "reference/")
"""Faults that leave a tree that can be compared: a value is missing, nothing else."""

Base = Callable[[OperatorSettings, Compilation | None], Side]
"""Gives the side to compare with, for the settings of an overlay and what it is now (None where it is no more)."""


@click.command("diff")
@given.source_options
@given.option("--base", default="", metavar="REF", help="Compare with this ref of the same repository.")
@given.option("--base-repo", "base_repos", multiple=True, metavar="SRC",
              help="Compare with another source, named like --repo; may be repeated.")  # fmt: skip
@given.option("--base-tree", type=click.Path(path_type=Path), metavar="DIR", help="Compare with a rendered tree.")
@given.option("--all-overlays", is_flag=True, help="Compare every overlay of either side.")
@given.option("--exit-code", is_flag=True, help="Exit 1 if anything differs.")
@given.option(
    "--format",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="How the differences are told.",
)
@given.option("--output", type=click.Path(path_type=Path), help="Write the report to a file instead of stdout.")
@given.trust_options
@given.access_options
@given.log_options
@click.pass_obj
def command(output: Output, /, **options: Any) -> None:
    """Say what changes in the rendered tree: accounts, settings, files, and the services that restart.

    Trees are compared by meaning. References are compared as they stand, so no secret is read; of plain secrets only
    that they changed is told.

    \b
    Examples:
      halgit diff --repo . --overlay prod --base origin/main
      halgit diff --repo . --all-overlays --base main --format markdown
      halgit diff --repo . --overlay prod --base-repo 'https://git.example.com/ops/spinnaker.git?ref=v1'
      halgit diff --repo . --overlay prod --base-tree /home/spinnaker/.hal --exit-code
    """
    _check(options)
    with Session({**options, "validate": False, "secrets": "keep"}, output) as run:
        snapshots = run.open()
        base, old = _base(run, options)
        key = secrets.token_bytes(32)
        found: list[Difference] = []
        faults: list[Finding] = []
        for name in _overlays(run, [*snapshots, *old], options["all_overlays"]):
            settings = replace(run.operator, overlay=name)
            compilation = run.compile(snapshots, settings) if _has(snapshots, name) or not _has(old, name) else None
            before = base(settings, compilation)
            after = Side(compilation.compiled.files, compilation.compiled.accounts) if compilation else Side()
            found.append(differences.compare(before, after, key, name, output.redactor.clean))
            faults += compilation.findings if compilation else ()
        errors = [one for one in dict.fromkeys(faults) if one.severity >= Severity.ERROR]
        run.tell(errors)
        if all(one.rule.startswith(_COMPARABLE) for one in errors):
            _tell(output, found, options)
        refuse(errors, Severity.ERROR, written="")
        if options["exit_code"] and any(found):
            raise DifferenceError(f"The trees differ: {summary(found)}.")


def _check(options: dict[str, Any]) -> None:
    named = [name for name in ("base", "base_repos", "base_tree") if options[name]]
    if len(named) != 1:
        raise UsageError(
            "There is nothing to compare with." if not named else "There are several things to compare with.",
            "Give one of --base REF, --base-repo SRC and --base-tree DIR.",
        )
    if options["all_overlays"] and (options["overlay"] or options["base_tree"]):
        other = "--overlay" if options["overlay"] else "--base-tree"
        raise UsageError(f"{other} and --all-overlays exclude each other.", "Leave one of them out.")


def _overlays(run: Session, snapshots: Sequence[Snapshot], every: bool) -> list[str]:
    if not every:
        return [run.operator.overlay]
    names = sorted({name for snapshot in snapshots for name in overlays(snapshot)})
    if not names:
        raise UsageError("There are no overlays.", "Leave --all-overlays out, or put layers in overlays/NAME.")
    return names


def _has(snapshots: Sequence[Snapshot], overlay: str) -> bool:
    return not overlay or any(overlay in overlays(snapshot) for snapshot in snapshots)


def _base(run: Session, options: dict[str, Any]) -> tuple[Base, tuple[Snapshot, ...]]:
    """What gives the base side, and its snapshots where it has some."""
    if options["base_tree"]:
        return _of_tree(run, options["base_tree"]), ()
    specs = [sources.parse_spec(text) for text in options["base_repos"]] or [_at_ref(run, options["base"])]
    snapshots = run.open(specs)
    place = ", ".join(spec.url for spec in specs)

    def side(settings: OperatorSettings, now: Compilation | None) -> Side:
        if not _has(snapshots, settings.overlay):
            run.output.say(f"The base has no overlay {settings.overlay}: all of it is new.", level="info")
            return Side()
        compilation = run.compile(snapshots, settings)
        _warn(run.output, compilation.findings, place)
        return Side(compilation.compiled.files, compilation.compiled.accounts)

    return side, snapshots


def _warn(output: Output, findings: Sequence[Finding], place: str) -> None:
    errors = [one for one in findings if one.severity >= Severity.ERROR]
    if errors:
        first = f"{errors[0].file}: {errors[0].message}"
        output.say(
            f"{output.colour('warning', 'warning', err=True)}: The base ({place}) has {counted(len(errors), 'error')}, "
            f"so the comparison may say too much. The first: {first}",
            level="warning",
        )


def _at_ref(run: Session, ref: str) -> SourceSpec:
    """The same repository at another ref: a git URL as it is, a directory by the work tree it lies in."""
    from halgit.remotes.git.snapshot import commit_of

    if len(run.specs) != 1:
        raise UsageError("--base goes with one --repo only.", "With several, name each by --base-repo 'URL?ref=REF'.")
    spec = run.specs[0]
    if sources.is_directory(spec.url):
        found = commit_of(spec.url, spec.path, ref, run.access)
        return SourceSpec(found.url, found.commit, found.path)
    return replace(spec, ref=ref)


def _of_tree(run: Session, folder: Path) -> Base:
    """The rendered tree at a folder. Only what its `.halgit.json` names is read."""

    def side(settings: OperatorSettings, now: Compilation | None) -> Side:
        (snapshot,) = run.open([SourceSpec(str(folder))])
        manifest = snapshot.read([publish.MANIFEST]) if publish.MANIFEST in snapshot.paths else {}
        told = publish.told(manifest.get(publish.MANIFEST, b""))
        if told is None:
            raise SourceError(
                f"{folder}: it has no {publish.MANIFEST} that halgit wrote, so it is no rendered tree.",
                "Compare with a tree of another origin as a source: --base-repo DIR.",
            )
        assert now is not None
        texts = snapshot.read([path for path in told.files if path in snapshot.paths])
        _changed(run.output, folder, [path for path, digest in told.files.items()
                                      if path not in texts or publish.digest(texts[path]) != digest])  # fmt: skip
        kept = {path: content for path, content in texts.items() if not _MADE.match(path)}
        uses = [use.occurrence for use in now.plan.uses] if told.secrets != "keep" else []
        files, count = differences.from_tree(kept, uses, now.compiled.files)
        if count:
            run.output.say(f"{counted(count, 'secret')} of {folder} {'was' if count == 1 else 'were'} not compared: "
                           "references are resolved there.", level="info")  # fmt: skip
        return Side(files, now.compiled.accounts, opened=told.secrets in ("resolve", "native"))

    return side


def _changed(output: Output, folder: Path, paths: Sequence[str]) -> None:
    if paths:
        output.say(
            f"{output.colour('warning', 'warning', err=True)}: {folder}: changed since halgit wrote it: "
            f"{', '.join(paths[:20])}.",
            level="warning",
        )


def _tell(output: Output, found: Sequence[Difference], options: dict[str, Any]) -> None:
    chosen = options["format"]
    if options["output"]:
        told = FORMATS[chosen](found)
        publish.write_file(options["output"], (output.redactor.clean(told) + "\n").encode("utf-8"), mode=0o644)
        output.say(f"Wrote {options['output']}.")
    elif chosen == "json":
        output.answer(as_json(found))
    else:
        output.result(text.render(found, output.colour) if chosen == "text" else FORMATS[chosen](found))
