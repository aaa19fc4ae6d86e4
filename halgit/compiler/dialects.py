"""The two ways placeholders are written, behind one face: `${{ params.NAME }}`, and the tokens of the opsmx dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from halgit.operator import OperatorSettings
from halgit.overlay import parameters
from halgit.overlay.parameters import Parameters
from halgit.tree import Dialect, File, Finding, Layer, LayerSettings, LeftOut


@dataclass(frozen=True, slots=True)
class Filled:
    """Files with their placeholders replaced, the names of the parameters used, and what was wrong."""

    files: Mapping[str, File]
    used: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Placeholders:
    """The placeholders of one run: their dialect, the layers to merge, and the parameters."""

    name: Dialect
    layers: tuple[Layer, ...]
    parameters: Parameters
    left_out: tuple[LeftOut, ...] = ()

    def fill(self, files: Mapping[str, File]) -> Filled:
        """The files with every parameter replaced; one that is not read yet is passed on as it is."""
        done = parameters.substitute(files, self.parameters, self.layers)
        return Filled(done.files, done.used, done.findings)

    def unused(self, used: frozenset[str]) -> tuple[Finding, ...]:
        """A warning for each parameter that is given and nothing uses."""
        return parameters.unused(self.parameters, used, self.layers)


def placeholders(layers: Sequence[Layer], operator: OperatorSettings, root: LayerSettings) -> Placeholders:
    """The dialect of these layers (the operator's word, then the repository's, then what stands in the files)."""
    return Placeholders("halgit", tuple(layers), parameters.collect(layers, operator))
