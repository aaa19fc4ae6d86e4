"""Policy of references: what one may access, and which program decrypts it at its place. Pure.

Access is decided by operator settings alone; a repository cannot extend it.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from halgit import references
from halgit import yaml as hyaml
from halgit.annotations import Final
from halgit.halyard import change_impact, layout, model, services, versions
from halgit.halyard.versions import can_all_decrypt
from halgit.operator_settings import Trust
from halgit.pipeline import MISSING, Compiled, Path, Reference, Value

RESTRICTED_ENGINES: Final = frozenset({"env", "file"})
"""Engines that reach what is the operator's own; off unless `--allow-engine` names them."""


def check_policy(reference: Reference, trust: Trust) -> tuple[str, str, str] | None:
    """Return why this reference may not be read: rule, message and next step; None if it may."""
    if reference.engine in RESTRICTED_ENGINES - trust.engines:
        return (
            "reference/engine",
            f"The engine {reference.engine} is disabled",
            f"Use a secret store, or ask the operator to allow the engine with --allow-engine {reference.engine}.",
        )
    namespace = reference.get("namespace")
    if namespace and namespace not in trust.namespaces:
        return (
            "reference/namespace",
            f"References to secrets of the namespace {namespace} are not allowed",
            f"Omit the namespace to use halgit's own, or ask the operator for --allow-namespace {namespace}.",
        )
    if trust.references and not any(
        fnmatchcase(references.format_reference(reference), each) for each in trust.references
    ):
        return (
            "reference/not-allowed",
            "No --allow-reference pattern matches this reference",
            "Use a secret that a pattern matches, or ask the operator to extend the patterns.",
        )
    return None


_NOT_HANDED_ON: Final = frozenset({"deploymentEnvironment", "metricStores", "name", "timezone", "version"})
"""Sections of a deployment that Halyard reads itself or hands to what is no Spring service."""


class PlaceReaders:
    """Facts about the places of one tree."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        config = compiled.files.get("config")
        self.config: Value = config.data if config else MISSING
        given = self.config if self.config is not MISSING else {}
        self.local_files = frozenset(path for path, _ in model.list_local_files(given))
        listed = given.get("deploymentConfigurations") if isinstance(given, dict) else None
        self._nodes: list[Value] = listed if isinstance(listed, list) else []
        names = tuple(str(node.get("name")) for node in self._nodes if isinstance(node, dict))
        self._kinds: dict[str, layout.FileRole] = {}
        self._boms: dict[str, Value] = {}
        self._counts: dict[str, int] = {}
        self._deployments = names or (compiled.deployment,)

    def of(self, file: str) -> layout.FileRole:
        if file not in self._kinds:
            self._kinds[file] = layout.classify_file(file, self._deployments)
        return self._kinds[file]

    def is_deck(self, file: str) -> bool:
        place = self.of(file)
        return place.kind == "profile" and file.partition("/profiles/")[2] in {"settings.js", "settings-local.js"}

    def has_several_documents(self, file: str) -> bool:
        return self._is_unmerged_yaml(file) and self._documents(file) > 1

    def is_unreadable(self, file: str) -> bool:
        """Return whether a YAML file does not parse. That is a finding; references in it are not looked at."""
        return self._is_unmerged_yaml(file) and not self._documents(file)

    def _is_unmerged_yaml(self, file: str) -> bool:
        named_yaml = file == "config" or file.endswith((".yml", ".yaml"))
        return named_yaml and self.compiled.files[file].data is MISSING

    def _documents(self, file: str) -> int:
        if file not in self._counts:
            body = self.compiled.files[file].body
            read = hyaml.read(body, file, many=True) if isinstance(body, bytes) else None
            self._counts[file] = 2 if read is None else len(read.documents)
        return self._counts[file]

    def decrypts(self, file: str, path: Path) -> bool | None:
        """Return whether what reads this place decrypts kork's references in it: a Spring service, or Halyard for it.

        None where nobody can say: the version is not a release, or its BOM is not in the tree.
        Halyard decrypts `env` and `password` of service-settings and the secret fields of a halconfig where the
        service does not, and hands on the rest of the halconfig as it is (`DecryptingObjectMapper`, `ServiceSettings`).
        """
        place = self.of(file)
        if place.kind == "service-settings":
            return bool(path) and path[0] in {"env", "password"}
        if place.kind == "profile":
            name = file.partition("/profiles/")[2]
            in_spring = "/" not in name and file.endswith((".yml", ".yaml"))
            return self._all(place.services, self._deployment(place.deployment)) if in_spring else False
        return self._in_halconfig(path) if place.kind == "config" else False

    def _in_halconfig(self, path: Path) -> bool | None:
        if model.is_secret_field(path, self.config):
            return True
        if len(path) < 3 or path[0] != "deploymentConfigurations" or not isinstance(path[1], int):
            return False
        if path[2] in _NOT_HANDED_ON:
            return False
        reached = [one.service for one in change_impact.find_by_section(path[2:], services.SPRING_SERVICES)]
        return self._all(tuple(reached), self._nodes[path[1]])

    def _deployment(self, name: str) -> Value:
        return next((node for node in self._nodes if services.get_value(node, "name") == name), None)

    def _all(self, names: tuple[str, ...], deployment: Value) -> bool | None:
        """Return whether all these services decrypt, in the version of this deployment."""
        given = services.get_value(deployment, "version")
        version = given if isinstance(given, str) else ""
        return can_all_decrypt(names, version, self._bom(version))

    def _bom(self, version: str) -> Value:
        """Return the local BOM of a version from the tree."""
        file = self.compiled.files.get(versions.get_bom_path(version))
        if file is None:
            return None
        if file.path not in self._boms:
            body = file.body
            self._boms[file.path] = hyaml.read(body, file.path).data if isinstance(body, bytes) else file.data
        return self._boms[file.path]
