"""Layers to one tree: merge, parameters, selection, the files the halconfig names.

The order is the product's contract: `remove`, merge and `patches` layer by layer, then parameters, then what the
tree holds. What the compiler itself has to say (no halconfig, no such deployment) counts even without validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from halgit import yaml as hyaml
from halgit.compiler.layers import Sourced, overlays, read_layers
from halgit.errors import UsageError
from halgit.merge import selection
from halgit.merge.layers import Reader, merge
from halgit.operator_settings import OperatorSettings
from halgit.opsmx import substitution as opsmx
from halgit.parameters import parameter_set, substitution
from halgit.parameters.parameter_set import Parameters
from halgit.pipeline import (
    MISSING,
    Compiled,
    Dialect,
    File,
    Finding,
    Layer,
    LayerId,
    LayerSettings,
    RuleSettings,
    Severity,
    Skipped,
    Snapshot,
    Value,
    Variant,
)


def compile_tree(snapshots: Sequence[Snapshot], operator: OperatorSettings, read: Reader = hyaml.read) -> Compiled:
    """The merged tree of these snapshots, later over earlier, with every fault found on the way.

    `read` is for who compiles several overlays: one that remembers parses what they share once.

    Raises UsageError for an overlay that is nowhere, SourceError for a source without a layer, RemoteError where a
    file cannot be read.
    """
    sourced = gather(snapshots, operator.overlay)
    root = root_settings(sourced)
    held = placeholders(stack(sourced), operator, root)
    merged = merge(held.layers, read)
    files = held.own_names(merged.files)
    halconfig = held.fill({path: file for path, file in files.items() if path == "config"})
    config = halconfig.files["config"].data if halconfig.files else MISSING
    chosen = selection.select(files, held.layers, config, operator.hal_home, operator.daemon_config)
    kept = _read({path: files[path] for path in chosen.kept if path != "config"}, sourced)
    rest = held.fill(kept)
    used = halconfig.used | rest.used
    deployment = _deployment(root, config)
    return Compiled(
        files=dict(sorted({**halconfig.files, **rest.files}.items())),
        deployment=deployment,
        layers=held.places,
        parameters=held.parameters.with_used(used),
        skipped=(*chosen.skipped, *held.skipped),
        findings=(
            *(one for part in sourced for one in part.findings),
            *merged.findings,
            *held.parameters.findings,
            *halconfig.findings,
            *rest.findings,
            *held.unused(used),
            *halconfig_faults(config, deployment, held.layers, bool(merged.findings)),
        ),
        overlay=operator.overlay,
        hal_home=operator.hal_home,
        dialect=held.name,
        rules=_rules(sourced),
        accounts={path: text for part in sourced for path, text in part.accounts.items()},
    )


def gather(snapshots: Sequence[Snapshot], overlay: str) -> tuple[Sourced, ...]:
    """The layers of every source. The overlay must be in at least one."""
    several = len(snapshots) > 1
    if several and overlay and not any(overlay in overlays(snapshot) for snapshot in snapshots):
        known = sorted({name for snapshot in snapshots for name in overlays(snapshot)})
        listed = f"Their overlays are: {', '.join(known)}." if known else "None of them has overlays."
        raise UsageError(f"No source has an overlay {overlay}.", listed)
    return tuple(
        read_layers(
            snapshot, overlay, prefix=f"{snapshot.source.url}//" if several else "", optional=several and bool(overlay)
        )
        for snapshot in snapshots
    )


def stack(sourced: Sequence[Sourced]) -> tuple[Layer, ...]:
    """All layers, lowest first. An overlay's root settings lie beneath the layers, as one without files."""
    layers: list[Layer] = []
    for part in sourced:
        if part.root.file and all(layer.settings.file != part.root.file for layer in part.layers):
            source = part.snapshot.source
            name = part.layers[0].id.name.removesuffix(part.layers[0].id.folder) + "." if part.layers else "."
            settings = replace(part.root, bases=(), remove=(), patches=(), include=())
            layers.append(Layer(LayerId(name, source), frozenset(), {}, settings))
        layers += part.layers
    return tuple(layers)


def root_settings(sourced: Sequence[Sourced]) -> LayerSettings:
    """The root-only settings that hold: of the last source that has them, each on its own."""
    found = LayerSettings()
    for part in sourced:
        found = replace(
            found,
            deployment=part.root.deployment or found.deployment,
            dialect=part.root.dialect or found.dialect,
            variant=part.root.variant or found.variant,
        )
    return found


def _rules(sourced: Sequence[Sourced]) -> RuleSettings:
    roots = [part.root.rules for part in sourced if part.root.rules != RuleSettings()]
    return roots[-1] if roots else RuleSettings()


def _deployment(root: LayerSettings, config: Value) -> str:
    current = config.get("currentDeployment") if isinstance(config, dict) else None
    return root.deployment or (str(current) if current else "default")


def _read(files: Mapping[str, File], sourced: Sequence[Sourced]) -> dict[str, File]:
    """The files, with those read that only the halconfig names: nothing had read them yet."""
    unread = [file for file in files.values() if file.body is None and file.data is MISSING]
    read: dict[str, File] = {}
    for part in sourced:
        ids = {layer.id for layer in part.layers}
        own = {file.winner.file(file.path): file for file in unread if file.winner in ids}
        for path, text in part.snapshot.read(sorted(own)).items() if own else ():
            read[own[path].path] = replace(own[path], body=text)
    return {**files, **read}


def halconfig_faults(config: Value, deployment: str, layers: Sequence[Layer], broken: bool) -> tuple[Finding, ...]:
    """Why Halyard would start an empty Spinnaker: the halconfig is missing, empty, or lacks the deployment.

    Halyard takes a missing or empty file for a brand-new default halconfig and says nothing
    (`HalconfigParser.transformHalconfig`). `broken` is true where other faults already tell why there is none.
    """
    listed = selection.deployments(config)
    name = layers[-1].id.name if layers else "."
    if config is MISSING:
        if broken:
            return ()
        message = (
            f"There is no config in layer {name} or the layers it builds on: Halyard would start an empty Spinnaker."
        )
        hint = "Add the halconfig as a file named config, or check --path and --overlay."
        return (Finding("config/missing", Severity.ERROR, message, hint, "config"),)
    if not config:
        message = "The halconfig is empty: Halyard would start an empty Spinnaker."
        return (Finding("config/empty", Severity.ERROR, message, "Fill it, or check --path and --overlay.", "config"),)
    if deployment not in listed:
        known = f"deployments: {', '.join(listed)}" if listed else "it has none"
        message = f"The halconfig has no deployment {deployment} ({known})."
        hint = "Name one of them as deployment in the root halgit.yaml, or as currentDeployment in config."
        hint = hint if listed else f"Write it below deploymentConfigurations, with name: {deployment}."
        path = ("deploymentConfigurations",)
        return (Finding("config/no-deployment", Severity.ERROR, message, hint, "config", path),)
    return ()


@dataclass(frozen=True, slots=True)
class Filled:
    """Files with their placeholders replaced, the names of the parameters used, and what was wrong."""

    files: Mapping[str, File]
    used: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Placeholders:
    """The placeholders of one run: their dialect, the layers to merge, and the parameters.

    `places` are the layers as messages name them: there a chosen variant also stands under its own name.
    """

    name: Dialect
    layers: tuple[Layer, ...]
    places: tuple[Layer, ...]
    parameters: Parameters
    skipped: tuple[Skipped, ...] = ()
    variant: Variant = "token"
    chosen: opsmx.Chosen | None = None

    def own_names(self, files: Mapping[str, File]) -> Mapping[str, File]:
        """Merged files whose origins name the variant a value was written in."""
        return self.chosen.own_names(files) if self.chosen else files

    def fill(self, files: Mapping[str, File]) -> Filled:
        """The files with every parameter replaced; one that is not read yet is passed on as it is."""
        if self.name == "opsmx":
            done = opsmx.substitute(files, self.parameters, self.places, variant=self.variant)
        else:
            done = substitution.substitute(files, self.parameters, self.places)
        return Filled(done.files, done.used, done.findings)

    def unused(self, used: frozenset[str]) -> tuple[Finding, ...]:
        """A warning for each parameter that is given and nothing uses."""
        return parameter_set.unused(self.parameters, used, self.places)


def placeholders(layers: Sequence[Layer], operator: OperatorSettings, root: LayerSettings) -> Placeholders:
    """The placeholders of these layers, in the dialect that holds.

    The operator's word on the dialect comes first, then the repository's, then what stands in the files.
    """
    name = operator.dialect or root.dialect or ("opsmx" if opsmx.detect(layers) else "halgit")
    if name == "halgit":
        return Placeholders(name, tuple(layers), tuple(layers), parameter_set.collect(layers, operator))
    variant = operator.variant or root.variant or "token"
    chosen = opsmx.variants(layers, variant)
    known = opsmx.collect(chosen.sources, operator)
    return Placeholders(name, chosen.layers, chosen.sources, known, chosen.skipped, variant, chosen)
