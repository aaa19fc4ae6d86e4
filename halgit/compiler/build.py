"""Compilation of snapshots into one tree: layers, merge, parameters, selection, and the files the halconfig names.

For each layer `remove`, merge and `patches`; then parameters; then the selection of the tree's files. The compiler's
own findings (no halconfig, no such deployment) count even without validation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from halgit import yaml as hyaml
from halgit.annotations import TYPE_CHECKING
from halgit.compiler import submodules
from halgit.compiler.layers import SourceLayers, overlays, read_layers
from halgit.errors import UsageError
from halgit.merge import selection
from halgit.merge.layers import DocumentReader, merge_layers
from halgit.operator_settings import OperatorSettings
from halgit.parameters.parameter_set import ParameterSet, collect_parameters, find_unused
from halgit.parameters.templates import Substitution, may_contain_expression
from halgit.pipeline import (
    MISSING,
    Compiled,
    Dialect,
    File,
    Finding,
    Layer,
    LayerId,
    LayerSettings,
    Path,
    RuleSettings,
    Severity,
    Skipped,
    Snapshot,
    Value,
    Variant,
)
from halgit.record import Record, replace

if TYPE_CHECKING:
    from halgit.opsmx.bom import Bom
    from halgit.opsmx.variants import VariantSelection


def compile_tree(
    snapshots: Sequence[Snapshot], operator: OperatorSettings, read: DocumentReader = hyaml.read
) -> Compiled:
    """Compile these snapshots, later over earlier, and collect every finding.

    `read` may be a reader that caches, for several overlays with files in common. Raises UsageError for an unknown
    overlay, SourceError for a source without a layer, RemoteError if a file cannot be read.
    """
    sources = gather_layers(snapshots, operator.overlay)
    root = root_settings(sources)
    dialect = select_dialect(stack_layers(sources), operator, root, partial(_find_branch, snapshots, operator))
    merged = merge_layers(dialect.layers, read)
    files = dialect.apply_bom(dialect.restore_names(merged.files), root)
    halconfig = dialect.substitute({path: file for path, file in files.items() if path == "config"})
    config = halconfig.files["config"].data if halconfig.files else MISSING
    selected = selection.select_files(files, dialect.layers, config, operator.hal_home, operator.daemon_config)
    rest = dialect.substitute(_read_files({path: files[path] for path in selected.kept if path != "config"}, sources))
    used = halconfig.used | rest.used
    deployment = _deployment(root, config)
    unfetched = _in_submodules(sources, selection.local_paths(config, operator.hal_home) - set(files))
    return Compiled(
        files=dict(sorted({**halconfig.files, **rest.files}.items())),
        deployment=deployment,
        layers=dialect.sources,
        parameters=dialect.parameters.with_used(used),
        skipped=(*(one for one in selected.skipped if one.path not in dialect.replaced), *dialect.skipped),
        findings=(
            *dict.fromkeys((*(one for source in sources for one in source.findings), *unfetched.values())),
            *merged.findings,
            *dialect.bom_findings(selected.kept, root, config),
            *dialect.parameters.findings,
            *halconfig.findings,
            *rest.findings,
            *find_unused(dialect.parameters, used, dialect.sources),
            *check_halconfig(
                config, deployment, dialect.layers, is_explained=any(map(_explains_no_config, merged.findings))
            ),
        ),
        overlay=operator.overlay,
        hal_home=operator.hal_home,
        mounted=operator.mounted,
        dialect=dialect.name,
        rules=_rules(sources),
        accounts={path: text for source in sources for path, text in source.accounts.items()},
        linked=frozenset(path for source in sources for path in source.linked),
        encrypted={path: text for source in sources for path, text in source.encrypted.items()},
        unfetched=frozenset(unfetched),
        served={path: text for source in sources for path, text in source.served.items()},
    )


def _in_submodules(sources: Sequence[SourceLayers], paths: frozenset[str]) -> dict[str, Finding]:
    """Return those of these files that are in a submodule which is not fetched, each with its finding."""
    found = (submodules.find_named(source.snapshot, source.layers, paths) for source in sources if paths)
    return {path: finding for one in found for path, finding in one}


# --- layers ----------------------------------------------------------------------------------------------------


def gather_layers(snapshots: Sequence[Snapshot], overlay: str) -> tuple[SourceLayers, ...]:
    """Return the layers of every source. The overlay must exist in at least one."""
    several = len(snapshots) > 1
    if several and overlay and not any(overlay in overlays(snapshot) for snapshot in snapshots):
        known = sorted({name for snapshot in snapshots for name in overlays(snapshot)})
        hint = f"Their overlays are: {', '.join(known)}." if known else "None of them has overlays."
        raise UsageError(f"No source has the overlay {overlay}.", hint)
    return tuple(
        read_layers(
            snapshot, overlay, prefix=f"{snapshot.source.url}//" if several else "", optional=several and bool(overlay)
        )
        for snapshot in snapshots
    )


def stack_layers(sources: Sequence[SourceLayers]) -> tuple[Layer, ...]:
    """Return all layers, lowest first. Root settings that are no layer's become a layer without files below them."""
    layers: list[Layer] = []
    for source in sources:
        if source.root.file and all(layer.settings.file != source.root.file for layer in source.layers):
            first = source.layers[0].id if source.layers else None
            name = first.name.removesuffix(first.folder) + "." if first else "."
            settings = replace(source.root, bases=(), remove=(), patches=(), include=())
            layers.append(Layer(LayerId(name, source.snapshot.source), frozenset(), {}, settings))
        layers += source.layers
    return tuple(layers)


def root_settings(sources: Sequence[SourceLayers]) -> LayerSettings:
    """Return the root-only settings, each of the last source that has it."""
    found = LayerSettings()
    for source in sources:
        found = replace(
            found,
            deployment=source.root.deployment or found.deployment,
            dialect=source.root.dialect or found.dialect,
            variant=source.root.variant or found.variant,
        )
    return found


def _rules(sources: Sequence[SourceLayers]) -> RuleSettings:
    rules = [source.root.rules for source in sources if source.root.rules != RuleSettings()]
    return rules[-1] if rules else RuleSettings()


def _deployment(root: LayerSettings, config: Value) -> str:
    current = config.get("currentDeployment") if isinstance(config, dict) else None
    return root.deployment or (str(current) if current else "default")


def _read_files(files: Mapping[str, File], sources: Sequence[SourceLayers]) -> dict[str, File]:
    """Return the files, and read those that only the halconfig names."""
    unread = [file for file in files.values() if file.body is None and file.data is MISSING]
    read: dict[str, File] = {}
    for source in sources:
        ids = {layer.id for layer in source.layers}
        own = {file.winner.file(file.path): file for file in unread if file.winner in ids}
        for path, text in source.snapshot.read(sorted(own)).items() if own else ():
            read[own[path].path] = replace(own[path], body=text)
    return {**files, **read}


# --- dialects --------------------------------------------------------------------------------------------------


class ParameterDialect(Record):
    """Parameter handling of one run: the dialect, the layers to merge, and the parameters.

    `sources` are the layers as messages name them: they also have a selected variant under its own name.
    """

    name: Dialect
    layers: tuple[Layer, ...]
    sources: tuple[Layer, ...]
    parameters: ParameterSet
    skipped: tuple[Skipped, ...] = ()
    variant: Variant = "token"
    variants: VariantSelection | None = None
    bom: Bom | None = None

    @property
    def replaced(self) -> frozenset[str]:
        """Paths whose skip reason is that of the dialect."""
        return frozenset(one.path for one in self.skipped)

    def apply_bom(self, files: Mapping[str, File], root: LayerSettings) -> Mapping[str, File]:
        """Return merged files with the version and images of the `bom`."""
        if self.bom is None or not self.bom.skipped:
            return files
        from halgit.opsmx.bom import apply_bom

        config = files["config"].data if "config" in files else MISSING
        return apply_bom(files, self.bom, _deployment(root, config))

    def bom_findings(self, paths: Sequence[str], root: LayerSettings, config: Value) -> tuple[Finding, ...]:
        """Return the findings about the `bom`. `paths` are the files of the tree."""
        if self.bom is None:
            return ()
        from halgit.opsmx.bom import find_unused_images

        return (*self.bom.findings, *find_unused_images(paths, self.bom, _deployment(root, config), self.layers))

    def restore_names(self, files: Mapping[str, File]) -> Mapping[str, File]:
        """Return merged files whose origins name the variant file that a value was written in."""
        return self.variants.restore_names(files) if self.variants else files

    def substitute(self, files: Mapping[str, File]) -> Substitution:
        """Replace the parameters of these files; a file that is not read yet is returned as it is."""
        if self.name == "opsmx":
            from halgit.opsmx.substitution import substitute_tokens

            return substitute_tokens(files, self.parameters, self.sources, variant=self.variant)
        if not any(may_contain_expression(file, self.sources) for file in files.values()):
            return Substitution(files, frozenset(), ())
        from halgit.parameters.substitution import substitute_parameters

        return substitute_parameters(files, self.parameters, self.sources)


def select_dialect(
    layers: Sequence[Layer], operator: OperatorSettings, root: LayerSettings, find_branch: Callable[[], str]
) -> ParameterDialect:
    """Return the dialect that the operator sets, else the repository, else the one its files use."""
    name = operator.dialect or root.dialect or _detect_dialect(layers)
    if name == "halgit":
        return ParameterDialect(name, tuple(layers), tuple(layers), collect_parameters(layers, operator))
    from halgit.opsmx.bom import read_bom
    from halgit.opsmx.substitution import collect_tokens
    from halgit.opsmx.variants import STORMDRIVER, select_variants

    variant = operator.variant or root.variant or "token"
    parameters = collect_tokens(layers, operator, find_branch)
    is_stormdriver = parameters.values[STORMDRIVER].value is True
    selected = select_variants(layers, variant, stormdriver=is_stormdriver)
    bom = read_bom(selected.layers)
    skipped = (*selected.skipped, *bom.skipped)
    return ParameterDialect(name, selected.layers, selected.sources, parameters, skipped, variant, selected, bom)


def _find_branch(snapshots: Sequence[Snapshot], operator: OperatorSettings) -> str:
    """Return the branch of the first source that has one; the predecessor's chart takes it from its only source."""
    branches = (getattr(snapshot, "branch", str)() for snapshot in snapshots if operator.source_branch)
    return next(filter(None, branches), "")


def _detect_dialect(layers: Sequence[Layer]) -> Dialect:
    if any(layer.settings.file for layer in layers):
        return "halgit"
    from halgit.opsmx.substitution import is_opsmx

    return "opsmx" if is_opsmx(layers) else "halgit"


# --- the halconfig ---------------------------------------------------------------------------------------------


def _explains_no_config(finding: Finding) -> bool:
    """Return whether this is an error of the halconfig itself, or of layers that may contain it."""
    is_close = finding.rule.startswith("merge/base-") or finding.file.rsplit("/", 1)[-1] in {"config", "halgit.yaml"}
    return is_close and finding.severity >= Severity.ERROR


def check_halconfig(
    config: Value, deployment: str, layers: Sequence[Layer], *, is_explained: bool
) -> tuple[Finding, ...]:
    """Report why Halyard would start an empty Spinnaker: no halconfig, an empty one, or one without the deployment.

    Halyard silently replaces a missing or empty file by a default halconfig (`HalconfigParser.transformHalconfig`).
    `is_explained` says that another error explains why there is no halconfig.
    """
    if config is MISSING:
        if is_explained:
            return ()
        name = layers[-1].id.name if layers else "."
        message = f"Layer {name} and its bases have no config: Halyard would start an empty Spinnaker."
        hint = "Add the halconfig as a file named config, or check --path and --overlay."
        return (Finding("config/missing", Severity.ERROR, message, hint, "config"),)
    if not config:
        message = "The halconfig is empty: Halyard would start an empty Spinnaker."
        return (Finding("config/empty", Severity.ERROR, message, "Fill it, or check --path and --overlay.", "config"),)
    if isinstance(config, dict) and "apiVersion" in config and "kind" in config:
        message = f"config is a Kubernetes manifest ({config['kind']}), not a halconfig."
        hint = "Convert a SpinnakerService with `halgit import`, and keep other manifests outside the layers."
        return (Finding("config/manifest", Severity.ERROR, message, hint, "config"),)
    names = selection.deployment_names(config)
    if deployment in names:
        return ()
    if any(name.startswith("${{ secret('sops://") for name in names):
        message = "SOPS encrypted the names of the deployments, which halgit must read without a key."
        hint = "Encrypt secrets only, such as with `sops encrypt --encrypted-regex '(?i)(password|token|secret)'`."
        path: Path = ("deploymentConfigurations",)
        return (Finding("config/no-deployment", Severity.ERROR, message, hint, "config", path),)
    known = f"deployments: {', '.join(names)}" if names else "it has none"
    message = f"The halconfig has no deployment {deployment} ({known})."
    hint = "Name one of them as deployment in the root halgit.yaml, or as currentDeployment in config."
    hint = hint if names else f"Write it below deploymentConfigurations, with name: {deployment}."
    return (Finding("config/no-deployment", Severity.ERROR, message, hint, "config", ("deploymentConfigurations",)),)
