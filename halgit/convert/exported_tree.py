"""The rendered tree that is exported: its deployment as data and as text with comments, and its other files by role."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from halgit import yaml as hyaml
from halgit.convert.resources import find_lost_comments
from halgit.halyard import model
from halgit.pipeline import Path, Value
from halgit.record import Record
from halgit.report.summaries import Decision
from halgit.validation.schema_documents import prepared

PROFILES, SETTINGS = "/profiles/", "/service-settings/"


class Export(Record):
    """The files of an export, what it does not contain, and what its target would refuse or ignore."""

    files: Mapping[str, bytes]
    decisions: tuple[Decision, ...]
    violations: tuple[Decision, ...] = ()


class ExportedTree(Record):
    """A rendered tree and the deployment to export."""

    files: Mapping[str, bytes]
    deployment: str
    hal_home: str

    def body(self) -> tuple[dict[str, Value], bytes]:
        """Return the deployment of the halconfig without its name: as data, and as a file with its comments."""
        config = hyaml.read(self.files["config"], "config").data
        text = hyaml.extract(self.files["config"], 0, ("deploymentConfigurations", self._number(config)))
        body = {key: value for key, value in hyaml.read(text, "").data.items() if key != "name"}
        return body, hyaml.rewrite(text, body)

    def other_deployments(self) -> list[str]:
        """Return the names of the deployments that are not exported."""
        names = _deployment_names(hyaml.read(self.files["config"], "config").data)
        return [name for name in names if name != self.deployment]

    def _number(self, config: Value) -> int:
        return _deployment_names(config).index(self.deployment)

    def named(self, folder: str) -> dict[str, bytes]:
        """Return the files below profiles or service-settings of the deployment, by their path there."""
        start = self.deployment + folder
        return {path[len(start) :]: text for path, text in self.files.items() if path.startswith(start)}

    def local_files(self) -> Iterator[tuple[Path, str]]:
        """Yield the local-file fields of the deployment that name a file of the tree, by their path in its body."""
        config = hyaml.read(self.files["config"], "config").data
        here = ("deploymentConfigurations", self._number(config))
        home = self.hal_home.rstrip("/") + "/"
        for path, value in model.list_local_files(config):
            name = posixpath.normpath(str(value).removeprefix(home))
            if path[:2] == here and name in self.files:
                yield path[2:], name

    def lost_comments(self, outputs: list[bytes]) -> Iterator[Decision]:
        """Report comments of the halconfig that no file of the export has."""
        return find_lost_comments({"config": self.files["config"]}, outputs)


def _deployment_names(config: Value) -> list[str]:
    """Return the names of the deployments; one without a name is `default`."""
    items = config["deploymentConfigurations"]
    return [str(one.get("name") or "default") if isinstance(one, dict) else "" for one in items]


def check_schema(data: Value, schema: str) -> tuple[Decision, ...]:
    """Return each violation of a JSON schema, given as text."""
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(schema)
    found = (
        (".".join(map(str, one.instance_path)) or ".", one.message)
        for one in validator.iter_errors(prepared(data, jackson=True))
    )
    return tuple(Decision(place, _shorten(message)) for place, message in found)


def _shorten(message: str) -> str:
    """Return a message without the value it quotes, which may be long or secret."""
    _, found, problem = message.rpartition(" is ")
    return f"It is {problem}." if found else message if message.startswith("Additional") else "It has another type."
