"""The `bom` of an OpsMx repository: the Spinnaker version and the images of services, in one file at the root.

It overrides the version of the halconfig's deployments and the `artifactId` of service-settings that exist, as the
predecessor's init script does: an entry applies to all files whose name begins with its service (`clouddriver` to
`clouddriver-ro.yml` too), a later entry over an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from halgit import yaml as hyaml
from halgit.halyard import services
from halgit.merge.diagnostics import Diagnostic, file_trace, to_findings
from halgit.merge.scalars import Change, replace_scalars
from halgit.pipeline import EMPTY, File, Finding, Layer, Origin, Path, Severity, Skipped, Trace, Value
from halgit.record import Record, replace
from halgit.text.phrases import describe_kind, suggest_nearest

BOM = "bom"
_KEYS = ("version", "services")
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
    findings = tuple(replace(finding, layer=layer.id.name) for finding in read.findings)
    if not read.documents:
        return Bom(findings=findings, skipped=(_SKIPPED,))
    reader = _BomReader(Origin(layer.id, file, (), BOM))
    version, images = reader.read(read.data)
    return Bom(version, images, (*findings, *to_findings(reader.diagnostics, layers)), (_SKIPPED,))


class _BomReader:
    """Reads the document of a `bom` and collects what is wrong with it. `root` is its origin."""

    def __init__(self, root: Origin) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._root = root

    def read(self, data: Value) -> tuple[tuple[str, Origin] | None, dict[str, tuple[str, Origin]]]:
        """Return the version and the images by service, each with its origin."""
        bom = self._mapping(data, (), _KEYS)
        version = self._string(bom.get("version"), ("version",))
        entries = self._mapping(bom.get("services"), ("services",))
        images = {name: self._image(name, entry) for name, entry in entries.items()}
        return version, {name: image for name, image in images.items() if image}

    def _image(self, name: str, entry: Value) -> tuple[str, Origin] | None:
        path: Path = ("services", name)
        if name not in services.SERVICES:
            hint = suggest_nearest(name, services.SERVICES, "Remove it.")
            self._warn(path, f"The bom names an unknown service: {name}.", hint)
            return None
        image = self._mapping(entry, path, ("image",)).get("image")
        if image is None and (entry is None or isinstance(entry, dict)):
            self._warn(path, f"The bom names no image for {name}.", "Write `image`, or remove the entry.")
        return self._string(image, (*path, "image"))

    def _mapping(self, value: Value, path: Path, keys: Sequence[str] = ()) -> Mapping[str, Value]:
        """Return a mapping, empty if there is none; other keys than `keys` are reported if it has any."""
        if not isinstance(value, dict):
            if value is not None:
                hint = "Write `version` and `services.<name>.image`."
                self._add(path, f"Expected a mapping, got {describe_kind(value)}.", hint)
            return {}
        for key in value if keys else ():
            if key not in keys:
                hint = suggest_nearest(key, keys, f"Use {' and '.join(keys)} only.")
                self._warn((*path, key), f"Unknown key {key}, which is not read.", hint)
        return value

    def _string(self, value: Value, path: Path) -> tuple[str, Origin] | None:
        if isinstance(value, str) and value:
            return str(value), self._at(path)
        if value == "":
            self._add(path, "The value is empty.", "Write it, or remove the key.")
        elif value is not None:
            self._add(path, f"Expected a string, got {describe_kind(value)}.", "Write the value in quotes.")
        return None

    def _warn(self, path: Path, message: str, hint: str) -> None:
        self._add(path, message, hint, Severity.WARNING)

    def _add(self, path: Path, message: str, hint: str, severity: Severity = Severity.ERROR) -> None:
        self.diagnostics.append(Diagnostic("opsmx/bom", self._at(path), message, hint, severity=severity))

    def _at(self, path: Path) -> Origin:
        return replace(self._root, path=path)


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
        if images and (file.data is None or isinstance(file.data, dict)):
            changed[path] = _override(file, (), "artifactId", *images[-1])
    return changed


def find_unused_images(files: Iterable[str], bom: Bom, deployment: str, layers: Sequence[Layer]) -> tuple[Finding, ...]:
    """Return a warning for each image of the `bom` that is for none of these files."""
    found = {_service(path, deployment) for path in files} - {""}
    diagnostics = []
    for name, (_, origin) in bom.images.items():
        if not any(service.startswith(name) for service in found):
            file = f"{deployment}/service-settings/{name}.yml"
            message = (
                f"The image of {name} is not used: no file of service-settings has a name that begins with {name}."
            )
            hint = f"Add {file}, or remove the entry."
            diagnostics.append(Diagnostic("opsmx/bom", origin, message, hint, severity=Severity.WARNING))
    return to_findings(diagnostics, layers)


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
    has_key = node is not None and key in node
    before = file_trace(file)
    if not has_key:
        file = _add_key(file, path, value)
    elif node[key] != value:
        file = replace_scalars(file, file.data, {path: Change(value, "")})
    layers = file.layers if origin.layer in file.layers else (*file.layers, origin.layer)
    overridden = before.at(path) if has_key else None
    return replace(file, layers=layers, trace=_with_origin(before, path, origin, overridden))


def _add_key(file: File, path: Path, value: str) -> File:
    """Return the file with a new key; its text is kept where it has one."""
    if isinstance(file.body, bytes) and not file.splices:
        try:
            body = hyaml.edit(file.body, path, value)
            return replace(file, how="merged", data=hyaml.apply_change(file.data, path, value), body=body)
        except hyaml.EditError:
            pass
    return replace(file, how="merged", data=hyaml.apply_change(file.data, path, value), body=None, splices=EMPTY)


def _with_origin(trace: Trace, path: Path, origin: Origin, overridden: Trace | None) -> Trace:
    if not path:
        return Trace(origin, (overridden.origin, *overridden.overridden) if overridden else ())
    child = _with_origin(trace.at(path[:1]), path[1:], origin, overridden)
    return Trace(trace.origin, trace.overridden, {**trace.children, path[0]: child})
