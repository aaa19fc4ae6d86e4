"""SpinnakerService documents of files: reading them, their parts with comments, and comments that no new file has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from halgit import yaml as hyaml
from halgit.convert.tree_source import get
from halgit.errors import UsageError
from halgit.pipeline import Path, Severity, Value
from halgit.record import Record
from halgit.report.summaries import Decision

_API_GROUPS = ("spinnaker.io/", "spinnaker.armory.io/")
_SPEC: Path = ("spec", "spinnakerConfig")


class SpinnakerResource(Record):
    """One SpinnakerService document of a file."""

    file: str
    text: bytes
    document: int
    data: Mapping[str, Value]

    @property
    def config(self) -> Mapping[str, Value]:
        """Its `spinnakerConfig`; empty if the resource has none."""
        found = get(self.data, _SPEC)
        return found if isinstance(found, dict) else {}

    @property
    def is_base(self) -> bool:
        version = get(self.config, ("config", "version"))
        return version is not None

    @property
    def is_of_old_form(self) -> bool:
        """Whether its configuration is in a ConfigMap of the cluster."""
        spec = get(self.data, ("spec",)) or {}
        return "configMap" in self.config or any(key in spec for key in ("halConfig", "halConfigMap"))

    def extract(self, *steps: str) -> bytes:
        """Return a part of `spinnakerConfig` with its comments."""
        return hyaml.extract(self.text, self.document, (*_SPEC, *steps))


def read_resources(files: Mapping[str, bytes], decisions: list[Decision]) -> list[SpinnakerResource]:
    """Return the SpinnakerService resources; documents of other kinds beside them are reported."""
    resources: list[SpinnakerResource] = []
    for path, text in files.items():
        others: list[str] = []
        found = _read_file(path, text, others)
        resources += found
        for one in others if found else ():
            hint = "It is not a SpinnakerService and was not imported. Apply it to the cluster as before."
            decisions.append(Decision(f"{path}: {one}", hint))
    return resources


def _read_file(path: str, text: bytes, others: list[str]) -> list[SpinnakerResource]:
    if not path.endswith((".yml", ".yaml")) or b"SpinnakerService" not in text:
        return []
    content = hyaml.read(text, path, many=True)
    resources = []
    for number, data in enumerate(content.documents):
        if not isinstance(data, dict) or not data.get("kind"):
            continue
        group = str(data.get("apiVersion", ""))
        if data["kind"] == "SpinnakerService" and group.startswith(_API_GROUPS):
            resources.append(SpinnakerResource(path, text, number, data))
        else:
            others.append(f"{data['kind']} {get(data, ('metadata', 'name')) or ''}".strip())
    broken = next((one for one in content.findings if one.severity >= Severity.ERROR), None)
    if broken is not None and not resources:
        raise UsageError(f"{path}:{broken.line}: {broken.message}", broken.hint)
    return resources


def find_lost_comments(files: Mapping[str, bytes], outputs: Sequence[bytes]) -> Iterator[Decision]:
    """Report comments of files that are in no output, one item for lines that follow each other."""
    kept = Counter(text for one in outputs for _, text in _comments(one))
    for path, text in files.items():
        lines: list[int] = []
        for number, comment in _comments(text):
            if kept[comment]:
                kept[comment] -= 1
            else:
                lines.append(number)
        for first, last in _ranges(lines):
            place = f"{path}:{first}" if first == last else f"{path}:{first}-{last}"
            yield Decision(place, "This comment belongs to no value of a new file. Copy it if you need it.")


def _comments(text: bytes) -> list[tuple[int, str]]:
    try:
        return hyaml.list_comments(text)
    except UnicodeDecodeError:
        return []


def _ranges(lines: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last line of each block of lines that follow each other."""
    for _, block in groupby(enumerate(lines), lambda one: one[1] - one[0]):
        numbers = [line for _, line in block]
        yield numbers[0], numbers[-1]
