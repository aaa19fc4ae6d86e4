"""`halgit init` and `halgit import`: start a repository of layers, empty or from existing configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from halgit import convert, publish
from halgit import yaml as hyaml
from halgit.cli.commands import Command
from halgit.cli.declarations import option
from halgit.cli.options import PARAMETERS, SOURCE, VALIDATION, access_options, format_option, log_options
from halgit.cli.output import Output
from halgit.cli.session import Compilation, Session
from halgit.cli.settings import read_file
from halgit.compiler import overlays, require_below
from halgit.convert import ChartValues, ConvertedTree, ImportSource
from halgit.errors import UsageError
from halgit.halyard import resources
from halgit.lazy import lazy_pattern
from halgit.pipeline import EMPTY, Compiled, Finding, Severity, Skipped, Snapshot, SourceId
from halgit.record import replace
from halgit.report.summaries import import_json, import_text
from halgit.report.tables import counted
from halgit.validation.rules import ALL

_TOLERATED = ("opsmx/open-token", "opsmx/empty-token", "opsmx/no-private-key", "reference/")
"""Errors that do not stop an import: values are not set yet, and secrets are not read."""

_TO_DECIDE = ("secrets/", "opsmx/bom", "opsmx/misplaced-token", "opsmx/misspelled-token", "reference/")
_CONVERTED = (".yml", ".yaml", ".js", "config")
"""The files that a conversion looks at."""

_SCHEMAS = ".schemas/"
"""The folder of schemas in a new repository."""

_NAME = lazy_pattern(r"[A-Za-z0-9][-._A-Za-z0-9]*")


@click.command("init", cls=Command)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@log_options
@click.pass_obj
def init(output: Output, /, directory: Path, **options: Any) -> None:
    """Create a repository in DIR: a base, the overlay prod, parameters, and schemas for editors in .schemas.

    The first line of each file names its schema for yaml-language-server. Existing files are never changed.

    \b
    Example:
      halgit init spinnaker-config
      halgit render --repo spinnaker-config --overlay prod --out /tmp/.hal
    """
    files = {**resources.read_start_files(), **_schema_files()}
    existing = [path for path in files if (directory / path).exists()]
    if existing:
        raise UsageError(f"{directory} already has {', '.join(sorted(existing))}.", "Choose an empty directory.")
    publish.write_files_below(directory, files, mode=0o644)
    for path in sorted(files):
        if not path.startswith(_SCHEMAS):
            output.result(str(directory / path))
    command = f"halgit render --repo {directory} --overlay prod --out /tmp/.hal"
    output.message(f"Wrote {counted(len(files), 'file')}, with schemas for editors in {_SCHEMAS}. Next: {command}")


def _schema_files() -> dict[str, bytes]:
    """Return the schemas that the modelines of a new repository name, for editors that run yaml-language-server."""
    from halgit.halyard.layer_schemas import list_layer_schema_names, make_layer_schema

    schemas = {name: make_layer_schema(name) for name in list_layer_schema_names()}
    schemas["halgit"] = resources.load_schema("halgit")
    return {f"{_SCHEMAS}{name}.schema.json": f"{json.dumps(one)}\n".encode() for name, one in schemas.items()}


@click.command("import", cls=Command)
@click.argument("source", metavar="SRC")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@option("--overlay", "name", default="prod", show_default=True, metavar="NAME", help="Name of the overlay to create.")
@option("--values", default="", metavar="FILE", help="Values of the predecessor's Helm release, for parameters.")
@option("--ref", default="", metavar="REF", group=SOURCE, help="Branch, tag or full commit of SRC.")
@option("--path", default="", metavar="DIR", group=SOURCE, help="Root folder in SRC.")
@option("--variant", type=click.Choice(["token", "ssh", "s3"]), group=PARAMETERS,
        help="File variants to use in the opsmx dialect.")  # fmt: skip
@option("--hal-home", default="/home/spinnaker/.hal", show_default=True, metavar="DIR", group=PARAMETERS,
        help="Path of the tree in Halyard's container.")  # fmt: skip
@option("--no-validate", is_flag=True, group=VALIDATION, help="Skip the rules.")
@access_options
@format_option()
@log_options
@click.pass_obj
def import_(output: Output, /, source: str, directory: Path, name: str, **options: Any) -> None:
    """Convert existing configuration SRC into a repository of layers in DIR.

    SRC is a .hal, a repository of OpsMx, SpinnakerService resources, a kleat repository, or an archive of `hal backup`.
    DIR must be new or empty. Tokens become declared parameters, and OpsMx references become canonical ones. The result
    renders to the same configuration. The report lists what a person must decide. Findings of rules are reported and do
    not stop the import. Secrets of --values are not written.

    \b
    Examples:
      halgit import ~/.hal spinnaker-config
      halgit import spinnakerservice.yml spinnaker-config
      halgit import https://git.example.com/ops/isd-gitops.git spinnaker-config --values old-values.yaml
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"--overlay: {name!r} is not a valid name.", "Use letters, digits, dots and dashes.")
    publish.check_empty(directory)
    values = (
        convert.read_chart_values(read_file(options["values"], "--values"), options["values"])
        if options["values"]
        else ChartValues()
    )
    sets = ("stormdriver=true",) if values.stormdriver else ()
    settings = {
        **options,
        "sets": sets,
        "repos": (source,),
        "dialect": "opsmx",
        "secrets": "keep",
        "daemon_config": True,
        "validate": not options["no_validate"],
    }
    with Session(settings, output) as run:
        snapshot, tree, skipped = _open_source(run, source, options["hal_home"])
        operator = replace(run.operator, environment=EMPTY, parameter_files=EMPTY, source_branch=False)
        compilation = run.compile([snapshot], operator)
        _refuse_encrypted(compilation.compiled)
        wrong = [one for one in compilation.findings if one.severity >= Severity.ERROR]
        is_whole = tree is None or not tree.patches
        wrong = [one for one in wrong if not one.rule.startswith(_TOLERATED) and (is_whole or not _is_of_rule(one))]
        run.report(wrong)
        require_below([one for one in wrong if not _is_of_rule(one)], Severity.ERROR)
        imported = convert.build_repository(
            _source(compilation, snapshot, options["variant"] or "token", skipped, is_whole=is_whole),
            name,
            values,
            tree,
        )
        publish.write_folder(imported.files, directory)
        if output.json:
            output.answer(import_json(imported.report))
        else:
            output.result(import_text(imported.report, output.layout()))
        output.message(f"Next: halgit render --repo {directory} --overlay {name} --secrets mask --out /tmp/.hal")


def _open_source(
    run: Session, source: str, hal_home: str
) -> tuple[Snapshot, ConvertedTree | None, tuple[Skipped, ...]]:
    """Open the source; one in another format is converted to a tree first, and its other files are skipped."""
    path = Path(source)
    if path.is_file():
        snapshot: Snapshot = convert.MemorySnapshot(SourceId(source), {path.name: read_file(source, "SRC")})
    else:
        (snapshot,) = run.open()
    _refuse_layered(snapshot, source)
    if path.is_file() and path.suffix not in (".yml", ".yaml"):
        tree: ConvertedTree | None = convert.convert_backup(read_file(source, "SRC"), source, hal_home)
    elif "config" in snapshot.paths:
        tree = None
    else:
        files = snapshot.read(sorted(one for one in snapshot.paths if one.endswith(_CONVERTED) or "/secrets/" in one))
        tree = _convert_files(files, source, hal_home)
    if tree is None:
        return snapshot, None, ()
    others = sorted(snapshot.paths - tree.used) if tree.used else []
    skipped = tuple(Skipped(one, "the import does not read it") for one in others)
    return convert.MemorySnapshot(snapshot.source, dict(tree.files)), tree, skipped


def _convert_files(files: Mapping[str, bytes], source: str, hal_home: str) -> ConvertedTree | None:
    """Convert resources or a file of kleat. Raises UsageError for a text that cannot be edited."""
    try:
        return convert.convert_resources(files, hal_home) or convert.convert_flat(files, hal_home)
    except hyaml.EditError as reason:
        message = f"{source} cannot be converted: {reason}"
        raise UsageError(message, "Write the file in block style, with each key on a line of its own.") from None


def _refuse_layered(snapshot: Snapshot, source: str) -> None:
    if "halgit.yaml" in snapshot.paths or overlays(snapshot):
        raise UsageError(f"{source} is already a repository of layers.", "Render it with --repo.")


def _refuse_encrypted(compiled: Compiled) -> None:
    if compiled.encrypted:
        message = f"{', '.join(sorted(compiled.encrypted))}: encrypted by SOPS, which an import cannot convert."
        raise UsageError(message, "Decrypt a copy with `sops decrypt -i`, import it, and encrypt the new files.")


def _source(
    compilation: Compilation, snapshot: Snapshot, variant: Any, skipped: tuple[Skipped, ...], *, is_whole: bool
) -> ImportSource:
    """Return what to import. `is_whole` is false for a base that only its patches complete: rules judge it wrongly."""
    compiled = compilation.compiled
    manifest = snapshot.read([publish.MANIFEST]) if publish.MANIFEST in snapshot.paths else {}
    record = publish.read_manifest(manifest.get(publish.MANIFEST, b""))
    extra = sorted(set(record.files) & snapshot.paths - compiled.files.keys()) if record else []
    return ImportSource(
        files=compiled.files,
        extra=snapshot.read(extra),
        accounts=compiled.accounts,
        skipped=(*(left for left in _skipped(compilation) if left.path not in extra), *skipped),
        findings=_to_decide(compilation.findings, with_errors=is_whole),
        deployment=compiled.deployment,
        variant=variant,
        hal_home=compiled.hal_home,
    )


def _skipped(compilation: Compilation) -> tuple[Skipped, ...]:
    taken = {*compilation.compiled.accounts, publish.MANIFEST}
    return tuple(left for left in compilation.compiled.skipped if left.path not in taken)


def _to_decide(findings: tuple[Finding, ...], *, with_errors: bool) -> tuple[Finding, ...]:
    """Return what a person must look at: secrets in the open, and errors that rules report."""
    errors = {one for one in findings if with_errors and one.severity >= Severity.ERROR and _is_of_rule(one)}
    return tuple(one for one in findings if one in errors or one.rule.startswith(_TO_DECIDE))


def _is_of_rule(finding: Finding) -> bool:
    """Return whether a rule of validation reported the finding, so that the files can be converted all the same."""

    return finding.rule in {rule.id for rule in ALL}
