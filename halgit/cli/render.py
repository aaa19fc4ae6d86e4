"""`halgit render`: layers in, one `.hal` tree out, written completely or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from halgit import publish, secrets
from halgit.annotations import TYPE_CHECKING, Any, Final
from halgit.cli.declarations import Choice, FilePath, Seconds, declare_command, option
from halgit.cli.options import (
    OUTPUT,
    SOURCE,
    VALIDATION,
    access_options,
    fail_on_option,
    format_option,
    log_options,
    source_options,
    trust_options,
)
from halgit.cli.output import Output
from halgit.cli.session import Compilation, Session
from halgit.errors import DifferenceError
from halgit.pipeline import Compiled, Finding, Resolved, Snapshot
from halgit.record import replace

if TYPE_CHECKING:
    from halgit.lock import Entry


@declare_command("render")
@source_options
@option("--out", default=".hal", show_default=True, type=FilePath(), help="Tree to write.")
@option("--secrets", type=Choice("resolve", "native", "mask", "keep"), default="resolve", show_default=True,
        help="resolve: read all secrets. native: keep references that Spinnaker itself decrypts. mask: write "
        "placeholder values; needs no credential. keep: keep all references.")  # fmt: skip
@option("--locked", is_flag=True, group=SOURCE, help="Render the revisions of halgit.lock; exit 3 if one has changed.")
@trust_options
@access_options
@option("--no-validate", is_flag=True, group=VALIDATION,
        help="Skip the rules; merge, parameter and reference errors still count.")  # fmt: skip
@fail_on_option()
@option("--check", is_flag=True, group=OUTPUT, help="Write nothing; exit 1 if a render would change the tree.")
@option("--dry-run", is_flag=True, group=OUTPUT, help="Write nothing; list what a render would change.")
@option("--force", is_flag=True, group=OUTPUT,
        help="Replace a tree that halgit did not write or that was modified; the old one is kept.")  # fmt: skip
@option("--group-access", is_flag=True, group=OUTPUT, help="Let the group read and write the tree (0660, 2770).")
@option("--wait", type=Seconds(0), default=60.0, show_default=True, metavar="SECONDS", group=OUTPUT,
        help="Timeout for another run on the same tree.")  # fmt: skip
@option("--daemon-config", type=FilePath(), metavar="DIR", group=OUTPUT,
        help="Also write halyard.yml and halyard-local.yml to this folder.")  # fmt: skip
@option("--halyard-address", default="", metavar="HOST", group=OUTPUT,
        help="Address the Halyard daemon listens on.")  # fmt: skip
@format_option()
@log_options
def command(output: Output, /, **options: Any) -> None:
    """Render a repository into the .hal tree that Halyard loads.

    The tree is written only if all checks pass, completely or not at all. Rendering unchanged input again writes
    nothing.

    \b
    Examples:
      halgit render --overlay prod
      halgit render --repo 'https://git.example.com/ops/spinnaker.git?ref=main' --overlay prod \\
        --git-token-file /etc/git/token --out /home/spinnaker/.hal
      halgit render --repo sample-repo --overlay prod --secrets mask --out /tmp/prod/.hal
    """

    options["validate"] = not options.pop("no_validate")
    with Session(options, output) as run:
        snapshots, locked = run.open_locked() if options["locked"] else (run.open(compiles=_is_new(options)), None)
        last = None if locked or output.json else _find_unchanged(run, snapshots, options)
        if last and not last.secrets:
            _report_unchanged(output, last, options)
            return
        _render(run, snapshots, locked, last, options)


def _is_new(options: Mapping[str, Any]) -> bool:
    """Return whether there is no tree yet, of which this run might find that nothing has changed."""
    return not options["out"].is_dir()


def _find_unchanged(run: Session, snapshots: Sequence[Snapshot], options: Mapping[str, Any]) -> publish.Inputs | None:
    """Return what the tree was rendered from, if this run would render it from the same."""
    if options["dry_run"] or options["daemon_config"] or options["force"]:
        return None
    return publish.find_unchanged(options["out"], snapshots, run.operator, group_access=options["group_access"])


def _report_unchanged(output: Output, last: publish.Inputs, options: Mapping[str, Any]) -> None:
    target = options["out"]
    if last.findings:
        count = f"{last.findings} finding{'s' if last.findings > 1 else ''}"
        output.message(f"{count} as in the last render. Run `halgit validate` to list them.")
    if options["check"]:
        output.message(f"{target} is up to date.")
        return
    note = "; SECRETS ARE PLACEHOLDER VALUES" if options["secrets"] == "mask" else ""
    output.result(f"{target}: {_METHODS['unchanged']}: sources and settings are those of the last render{note}")


def _render(
    run: Session,
    snapshots: Sequence[Snapshot],
    locked: Entry | None,
    last: publish.Inputs | None,
    options: dict[str, Any],
) -> None:
    """Compile, validate, resolve secrets and write. What `last` was rendered from is not validated again."""
    from halgit.compiler import split_daemon_files

    recorded = [publish.RecordedSnapshot(snapshot) for snapshot in snapshots]
    compilation = run.compile(recorded, replace(run.operator, validate=False) if last else None)
    if locked:
        from halgit import lock

        lock.hold(locked, lock.entry(compilation.compiled, {}, secrets.hide_plain_secrets(compilation.compiled)))
    _report_findings(run, compilation.compiled, compilation.findings, compilation.findings)
    resolved = _resolve(run, compilation, locked.secrets if locked else {})
    if resolved.findings:
        late = run.filter(resolved.findings, compilation)
        _report_findings(run, compilation.compiled, late, (*compilation.findings, *late))
    tree, daemon = split_daemon_files(resolved, run.operator.halyard_address)
    inputs = last or publish.record_inputs(
        recorded,
        run.operator,
        compilation.compiled,
        len(compilation.findings),
        any(use.action != "leave" for use in compilation.plan.uses) and not tree.masked,
    )
    _write(run, tree, daemon, options, None if locked else inputs)


def _report_findings(run: Session, compiled: Compiled, new: Sequence[Finding], known: Sequence[Finding]) -> None:
    """Report new findings, among all `known` ones in JSON. Raises FindingsError if one of them fails the run."""
    from halgit.compiler import require_below

    if run.output.json:
        from halgit.report.summaries import render_json

        run.output.answer(render_json(compiled, known))
    run.report(new)
    require_below(new, run.operator.fail_on)


def _resolve(run: Session, compilation: Compilation, pinned: Mapping[str, str]) -> Resolved:
    return secrets.resolve_secrets(
        compilation.plan,
        run.engines(compilation.plan, "Reading secrets"),
        run.output.redactor,
        pinned=pinned,
        locate=compilation.locator.locate_findings,
    )


def _write(
    run: Session, tree: Resolved, daemon: Resolved, options: dict[str, Any], inputs: publish.Inputs | None
) -> None:
    output, target = run.output, options["out"]
    files = publish.serialize(tree)
    plain = secrets.files_with_plain_secrets(tree.files)
    manifest = publish.Manifest.of(tree, run.operator.secrets, inputs, plain)
    settings = publish.Options(
        force=options["force"],
        group_access=options["group_access"],
        wait=options["wait"],
        secrets=publish.has_secrets(tree),
        is_ignored=run.is_ignored,
    )
    if options["check"] or options["dry_run"]:
        _compare(output, publish.compare(files, manifest, target, settings), options)
        return
    output.progress(f"Writing {target}")
    outcome = publish.publish(files, manifest, target, settings)
    if options["daemon_config"]:
        publish.write_daemon_config(
            publish.serialize(daemon), options["daemon_config"], group_access=options["group_access"]
        )
    _report(output, outcome, tree)


_METHODS: Final = {
    "unchanged": "unchanged, nothing written",
    "rename": "written atomically",
    "exchange": "replaced atomically",
    "journal": "replaced file by file with a journal (an atomic exchange is not possible there)",
}


def _report(output: Output, outcome: publish.Outcome, tree: Resolved) -> None:
    from halgit.report.summaries import render_text

    text = f"{outcome.target}: {_METHODS[outcome.way]}"
    if outcome.carried:
        text += f"; kept from the old tree: {', '.join(outcome.carried)}"
    if outcome.kept:
        text += f"; old tree kept as {', '.join(map(str, outcome.kept))}"
    if outcome.recovered:
        text += "; completed an interrupted earlier run"
    if tree.masked:
        text += "; SECRETS ARE PLACEHOLDER VALUES"
    for warning in outcome.warnings:
        output.warning(warning)
    if output.json:
        output.message(text)
    else:
        output.result(render_text(tree.compiled, text, output.layout()))


def _compare(output: Output, found: publish.Comparison, options: Mapping[str, Any]) -> None:
    """Report what a render would change. Raises DifferenceError with --check."""
    from halgit.report.summaries import comparison_json, comparison_lines

    target = options["out"]
    lines = comparison_lines(found)
    if output.json:
        output.add(changes=comparison_json(found))
    elif lines:
        output.result("\n".join(lines))
    if found.same:
        output.message(f"{target} is up to date.")
        return
    if (found.foreign or found.modified) and not options["force"]:
        reason = "halgit did not write this tree" if found.foreign else "files were modified since halgit wrote them"
        output.warning(f"{target}: {reason}, so a render would be refused. Choose another --out or use --force.")
    if options["check"]:
        raise DifferenceError(f"A render would change {target} ({len(lines)} differences).", "Run `halgit render`.")
