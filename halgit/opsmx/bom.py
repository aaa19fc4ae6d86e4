"""The `bom` of an OpsMx repository: the Spinnaker version and the images of services, in one file at the root.

It overrides the version of the halconfig's deployments and the `artifactId` of service-settings that exist, as the
predecessor's init script does: an entry applies to all files whose name begins with its service (`clouddriver` to
`clouddriver-ro.yml` too), a later entry over an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from halgit import yaml as hyaml
from halgit.halyard import services
from halgit.merge.diagnostics import Diagnostic, file_trace, to_findings
from halgit.merge.scalars import Change, replace_scalars
from halgit.pipeline import EMPTY, MISSING, File, Finding, Layer, Origin, Path, Severity, Skipped, Trace, Value
from halgit.record import Record, replace
from halgit.text.phrases import describe_kind, suggest_nearest

BOM = "bom"
_SKIPPED = Skipped(BOM, "its version and images are set in config and service-settings")


class Bom(Record):
    """The content of a `bom`: the version and images, each with its place. Empty if there is no such file."""

    version: tuple[str, Origin] | None = None
    images: Mapping[str, tuple[str, Origin]] = EMPTY
    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def read_bom(layers: Sequence[Layer]) -> Bom:
    """Read the `bom` of the highest layer that has one."""
    layer = next((layer for layer in reversed(layers) if BOM in layer.files), None)
    if layer is None:
        return Bom()
    file = layer.id.file(BOM)
    read = hyaml.read(layer.files[BOM], file)
    if not read.documents:
        findings = tuple(replace(finding, layer=layer.id.name) for finding in read.findings)
        return Bom(findings=findings, skipped=(_SKIPPED,))
    root = Origin(layer.id, file, ())
    diagnostics: list[Diagnostic] = []
    data = _mapping(read.data, root, diagnostics)
    version = _string(data.get("version", MISSING), _at(root, ("version",)), diagnostics)
    images = dict(_images(_mapping(data.get("services"), _at(root, ("services",)), diagnostics), root, diagnostics))
    return Bom(version, images, to_findings(diagnostics, layers), (_SKIPPED,))


def _images(
    entries: Mapping[str, Value], root: Origin, diagnostics: list[Diagnostic]
) -> Iterator[tuple[str, tuple[str, Origin]]]:
    for name, entry in entries.items():
        origin = _at(root, ("services", name))
        if name not in services.SERVICES:
            hint = suggest_nearest(name, services.SERVICES, "Remove it.")
            message = f"The bom names an unknown service: {name}."
            diagnostics.append(Diagnostic("opsmx/bom", origin, message, hint, severity=Severity.WARNING))
            continue
        image = _mapping(entry, origin, diagnostics).get("image", MISSING)
        value = _string(image, _at(root, ("services", name, "image")), diagnostics)
        if value is not None:
            yield name, value


def _mapping(value: Value, origin: Origin, diagnostics: list[Diagnostic]) -> Mapping[str, Value]:
    if isinstance(value, dict):
        return value
    if value is not None:
        message = f"Expected a mapping, got {describe_kind(value)}."
        hint = "Write `version` and `services.<name>.image`."
        diagnostics.append(Diagnostic("opsmx/bom", origin, message, hint))
    return {}


def _string(value: Value, origin: Origin, diagnostics: list[Diagnostic]) -> tuple[str, Origin] | None:
    if value is MISSING or value is None:
        return None
    if isinstance(value, str) and value:
        return str(value), origin
    message = f"Expected a string, got {describe_kind(value)}."
    diagnostics.append(Diagnostic("opsmx/bom", origin, message, "Write the value in quotes."))
    return None


def _at(root: Origin, path: Path) -> Origin:
    return Origin(root.layer, root.file, path, "bom")


# --- application -----------------------------------------------------------------------------------------------


def apply_bom(files: Mapping[str, File], bom: Bom, deployment: str) -> dict[str, File]:
    """Return the merged files with the version and images of the `bom`, which become the origins of these values."""
    changed = dict(files)
    if bom.version and "config" in files:
        for number in _deployments(files["config"].data):
            parent = ("deploymentConfigurations", number)
            changed["config"] = _override(changed["config"], parent, "version", *bom.version)
    for path, file in files.items():
        service = _service(path, deployment)
        images = [image for name, image in bom.images.items() if service.startswith(name)]
        if images and isinstance(file.data, dict):
            changed[path] = _override(file, (), "artifactId", *images[-1])
    return changed


def _deployments(config: Value) -> list[int]:
    """Return the positions of the deployments of a halconfig."""
    items = config.get("deploymentConfigurations") if isinstance(config, dict) else None
    return [at for at, item in enumerate(items) if isinstance(item, dict)] if isinstance(items, list) else []


def _service(path: str, deployment: str) -> str:
    """Return the service of a service-settings file; empty for any other file."""
    folder, _, name = path.rpartition("/")
    service = name.removesuffix(".yml")
    is_settings = folder == f"{deployment}/service-settings" and service != name
    return service if is_settings and service in services.SERVICES else ""


def _override(file: File, parent: Path, key: str, value: str, origin: Origin) -> File:
    """Return the file with a string at a key, in place if the key exists."""
    path = (*parent, key)
    node = file.data
    for step in parent:
        node = node[step]
    before = file_trace(file)
    if key not in node:
        data = hyaml.apply_change(file.data, path, value)
        file = replace(file, how="merged", data=data, body=None, splices=EMPTY)
    elif node[key] != value:
        file = replace_scalars(file, file.data, {path: Change(value, "")})
    layers = file.layers if origin.layer in file.layers else (*file.layers, origin.layer)
    overridden = before.at(path) if key in node else None
    return replace(file, layers=layers, trace=_with_origin(before, path, origin, overridden))


def _with_origin(trace: Trace, path: Path, origin: Origin, overridden: Trace | None) -> Trace:
    if not path:
        return Trace(origin, (overridden.origin, *overridden.overridden) if overridden else ())
    child = _with_origin(trace.at(path[:1]), path[1:], origin, overridden)
    return Trace(trace.origin, trace.overridden, {**trace.children, path[0]: child})
