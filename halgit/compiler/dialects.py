"""The two ways placeholders are written, behind one face: `${{ params.NAME }}`, and the tokens of the opsmx dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from halgit.operator_settings import OperatorSettings
from halgit.opsmx import substitution as opsmx
from halgit.parameters import collecting, substitution
from halgit.parameters.collecting import Parameters
from halgit.pipeline import Dialect, File, Finding, Layer, LayerSettings, Skipped, Variant


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
        return collecting.unused(self.parameters, used, self.places)


def placeholders(layers: Sequence[Layer], operator: OperatorSettings, root: LayerSettings) -> Placeholders:
    """The placeholders of these layers, in the dialect that holds.

    The operator's word on the dialect comes first, then the repository's, then what stands in the files.
    """
    name = operator.dialect or root.dialect or ("opsmx" if opsmx.detect(layers) else "halgit")
    if name == "halgit":
        return Placeholders(name, tuple(layers), tuple(layers), collecting.collect(layers, operator))
    variant = operator.variant or root.variant or "token"
    chosen = opsmx.variants(layers, variant)
    known = opsmx.collect(chosen.sources, operator)
    return Placeholders(name, chosen.layers, chosen.sources, known, chosen.skipped, variant, chosen)
