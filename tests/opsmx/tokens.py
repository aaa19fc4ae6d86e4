"""Renders files of the opsmx dialect for tests: variants, merge, tokens, as the compiler does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from halgit import yaml as hyaml
from halgit.merge.layers import merge_layers
from halgit.operator_settings import OperatorSettings
from halgit.opsmx import substitution
from halgit.opsmx.variants import select_variants
from halgit.parameters.parameter_set import ParameterSet, find_unused
from halgit.parameters.values import variable_name
from halgit.pipeline import MISSING, File, Finding, Layer, Skipped, Value, Variant


@dataclass(frozen=True)
class Rendered:
    files: Mapping[str, File]
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    parameters: ParameterSet
    used: frozenset[str]

    def text(self, path: str) -> bytes:
        """The bytes of a file as they would be written, secrets opened."""
        file = self.files[path]
        assert isinstance(file.body, bytes)
        return hyaml.replace_scalars(file.body, file.splices, opened=True) if file.splices else file.body

    def data(self, path: str) -> Value:
        """What the written bytes say; they say what the file's own data says."""
        return hyaml.read(self.text(path), path).data


def render(layers: Iterable[Layer], operator: OperatorSettings, variant: Variant = "token") -> Rendered:
    chosen = select_variants(tuple(layers), variant)
    files = chosen.restore_names(merge_layers(chosen.layers).files)
    parameters = substitution.collect_tokens(chosen.sources, operator)
    made = substitution.substitute_tokens(files, parameters, chosen.sources, variant=variant)
    findings = (*parameters.findings, *made.findings, *find_unused(parameters, made.used, chosen.sources))
    assert all(file.data is not MISSING or file.body is not None for file in made.files.values())
    return Rendered(made.files, findings, chosen.skipped, parameters, made.used)


def by_variables(values: Mapping[str, str]) -> OperatorSettings:
    """Values as a pod gives them."""
    return OperatorSettings(environment={variable_name(name): value for name, value in values.items()})


def unquoted(text: bytes) -> bytes:
    """A text without quotes: which of them a new scalar gets is not the business of these tests."""
    return text.replace(b'"', b"").replace(b"'", b"")
