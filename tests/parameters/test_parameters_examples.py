"""Parameters by whole example: layers, what the operator gives, the files and the findings that come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from merge.layering import layer, told
from opsmx.tokens import unquoted

from halgit import yaml as hyaml
from halgit.merge.layers import merge_layers
from halgit.operator_settings import OperatorSettings
from halgit.parameters.parameter_set import collect_parameters, find_unused
from halgit.parameters.substitution import substitute_parameters
from halgit.pipeline import MISSING, File
from halgit.redaction import SecretText

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.yaml"))


def written(file: File) -> str:
    """The bytes a file comes to, as the last stage writes them, as a text."""
    if isinstance(file.body, SecretText):
        return file.body.open()
    if file.body is None:
        assert file.data is not MISSING
        return hyaml.dump(file.data, opened=True).decode()
    return (hyaml.replace_scalars(file.body, file.splices, opened=True) if file.splices else file.body).decode()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example: Path) -> None:
    read = hyaml.read(example.read_bytes(), example.name)
    assert not read.findings
    case: dict[str, Any] = read.data
    layers = tuple(layer(folder, files) for folder, files in case["layers"].items())
    operator = OperatorSettings(
        set=case.get("set", {}),
        environment=case.get("environment", {}),
        parameter_files={key: text.encode() for key, text in case.get("files", {}).items()},
        params_file="values.yaml",
        params_text=case.get("params", "").encode(),
    )
    merged = merge_layers(layers)
    parameters = collect_parameters(layers, operator)
    made = substitute_parameters(merged.files, parameters, layers)
    findings = (*parameters.findings, *made.findings, *find_unused(parameters, made.used, layers))
    assert told(findings) == case.get("findings", [])
    for path, text in case.get("expect", {}).items():
        file = made.files[path]
        if file.data is MISSING:
            assert written(file) == text
        else:
            assert unquoted(written(file).encode()) == unquoted(text.encode())
            assert hyaml.read(written(file).encode(), path).data == hyaml.read(text.encode(), path).data == file.data
