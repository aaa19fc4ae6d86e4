"""The charts, vendored once and rendered once for each set of values; all tests of this folder share the result."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import package_charts  # noqa: E402
from charts_values import ALONE, CI, EXAMPLES  # noqa: E402

Object = dict[str, Any]
Render = Callable[..., list[Object]]


@pytest.fixture(scope="session")
def vendored(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a chart with all it depends on, as it is packaged."""
    base = tmp_path_factory.mktemp("charts")

    @functools.cache
    def folder(chart: str) -> Path:
        return package_charts.vendor(ROOT / "chart" / chart, base)

    return folder


@pytest.fixture(scope="session")
def texts(vendored: Callable[[str], Path]) -> Callable[..., dict[str, str]]:
    """What Helm's engine renders for a chart with these values: template to text."""
    from helm_python import Chart

    done: dict[tuple[str, str], dict[str, str]] = {}

    def render(chart: str, values: Mapping[str, Any] | None = None, *, fresh: bool = False) -> dict[str, str]:
        key = (chart, json.dumps(values, sort_keys=True))
        if fresh or key not in done:
            with Chart.load(vendored(chart)) as one:  # rendering drops the dependencies that are off: load it each time
                text = one.render(dict(values or {}), name="isd", namespace="isd-ns")
            if fresh:
                return text
            done[key] = text
        return done[key]

    return render


@pytest.fixture(scope="session")
def render(texts: Callable[..., dict[str, str]]) -> Render:
    """The objects of a chart with these values."""

    @functools.cache
    def objects(chart: str, values: str) -> list[Object]:
        rendered = texts(chart, json.loads(values))
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        made = [one for name, text in sorted(rendered.items()) if not name.endswith("NOTES.txt")
                for one in yaml.load_all(text, loader)]  # fmt: skip
        return [one for one in made if one]

    return lambda chart, values=None: objects(chart, json.dumps(values or {}, sort_keys=True))


@pytest.fixture(scope="session")
def every(render: Render) -> dict[str, list[Object]]:
    """The objects of the umbrella with each ci file and example, and of each chart alone."""
    found = {name: render("isd", values) for name, values in {**CI, **EXAMPLES}.items()}
    return {**found, **{f"{chart} alone": render(chart, values) for chart, values in ALONE.items()}}
