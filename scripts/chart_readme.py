"""Generate schemas, READMEs and the umbrella's globals from the comments in the charts' values.yaml.

Run: python scripts/chart_readme.py [--check]; --check writes nothing and names the files that differ.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import chart_values
import yaml
from package_charts import CHARTS, metadata, names

SHARED = CHARTS / "common" / "values.yaml"
UMBRELLA = CHARTS / "isd" / "values.yaml"
MARK = "# What follows is copied from common/values.yaml by scripts/chart_readme.py."
UMBRELLA_MARK = "# Set by this chart, so that its components do not check these values again.\n  umbrella: true"
SCRIPTS = Path(__file__).resolve().parent


def schema_text(chart: Path) -> str:
    """values.schema.json of a chart: its own keys, those all charts share, and any for global and subcharts."""
    shared = chart_values.read(SHARED)
    own = chart_values.read(chart / "values.yaml")
    properties: dict[str, Any] = {}
    if chart.name not in ("common", "isd"):
        properties["enabled"] = {"type": "boolean", "description": "Read by the umbrella chart."}
    properties |= _component(shared) if chart.name != "isd" else {}
    for value in own:
        schema = chart_values.schema(value)
        if "component" in value.marks:
            schema = {**schema, "properties": {**_component(shared), **schema["properties"]}}
        properties[value.name] = _over(properties.get(value.name), schema)
    properties["global"] = {"type": "object"}
    if chart.name != "common":
        properties["common"] = {
            "type": "object",
            "description": "Read from the library chart; set the keys above instead.",
        }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Values of the chart {chart.name}",
        "type": "object",
        "properties": dict(sorted(properties.items())),
        "additionalProperties": False,
    }
    for path, new in renamed(chart.name):
        _add(schema, path.split("."), {"description": f"Renamed or removed. Use {new}."})
    _add_globals(schema, chart.name, shared)
    return json.dumps(schema, indent=1) + "\n"


def _component(shared: tuple[chart_values.Value, ...]) -> dict[str, Any]:
    return {value.name: chart_values.schema(value) for value in shared if value.name != "global"}


def _over(shared: dict[str, Any] | None, own: dict[str, Any]) -> dict[str, Any]:
    """A chart's own description of a key over the shared one: their children together."""
    if shared is None or "properties" not in shared or "properties" not in own:
        return own
    return {**own, "properties": {**shared["properties"], **own["properties"]}}


def _add_globals(schema: dict[str, Any], chart: str, shared: tuple[chart_values.Value, ...]) -> None:
    """Check `global` once: in the umbrella, or in the library of a chart that is installed alone.

    Every chart of the umbrella has the library; without the condition each would repeat the message. Unknown keys are
    left to the templates, because a parent chart may have globals of its own.
    """
    value = next(value for value in shared if value.name == "global")
    strict = {**chart_values.schema(value), "additionalProperties": True}
    for path, new in renamed("global"):
        _add(strict, path.split("."), {"description": f"Renamed or removed. Use {new}."})
    if chart == "isd":
        schema["properties"]["global"] = {**strict, "properties": {**strict["properties"], "umbrella": {"const": True}}}
    elif chart == "common":
        under = {"required": ["global"], "properties": {"global": {"required": ["umbrella"]}}}
        schema["if"] = {"not": under}
        schema["then"] = {"properties": {"global": strict}}


def _add(schema: dict[str, Any], path: list[str], value: dict[str, Any]) -> None:
    """Add the property of a dotted path; what is above it exists, or is added open."""
    properties = schema.setdefault("properties", {})
    if len(path) == 1:
        properties.setdefault(path[0], value)
    else:
        _add(properties.setdefault(path[0], {"type": "object"}), path[1:], value)


def renamed(chart: str) -> list[tuple[str, str]]:
    """Former paths of a chart's values, each with what to use; also those of every chart."""
    text = (CHARTS / "common" / "templates" / "_renamed.tpl").read_text()
    block = text[text.index('"common.renamedTable" -}}') :].partition("-}}")[2].partition("{{- end")[0]
    table = yaml.safe_load(block)
    every = table["*"] if chart not in ("isd", "global") else {}
    return [*every.items(), *table.get(chart, {}).items()]


def global_names() -> list[str]:
    """The keys of global that people set."""
    return [value.name for value in next(v for v in chart_values.read(SHARED) if v.name == "global").children]


def default(path: str) -> Any:
    """The default of a shared value, by its dotted path."""
    return next(value.default for row, value in chart_values.rows(chart_values.read(SHARED)) if row == path)


def readme_text(chart: Path) -> str:
    """README.md of a chart."""
    described = metadata(chart)
    shared = chart_values.read(SHARED)
    own = chart_values.read(chart / "values.yaml")
    parts = [f"# {chart.name}", "", f"{described['description']}.", ""]
    if described["type"] == "application":
        guide = (SCRIPTS / f"chart_guide_{'isd' if chart.name == 'isd' else 'component'}.md").read_text()
        words = {"name": chart.name, "version": described["version"], "kube": described["kubeVersion"]}
        parts += [guide.format(**words).strip(), ""]
    if chart.name == "isd":
        parts += ["## Charts", "", *_dependencies(described), ""]
        own = tuple(value for value in own if value.name != "global")
    if chart.name != "common":
        parts += ["## Values", "", *_table(own), ""]
    if chart.name in ("common", "isd"):
        own_shared = tuple(value for value in shared if (value.name == "global") == (chart.name == "isd"))
        title = "## Values of all components" if chart.name == "isd" else "## Values every chart has"
        parts += [title, "", *_table(own_shared), ""]
    if chart.name not in ("common", "isd"):
        parts += [
            "[common](../common/README.md) has the values of every chart, [isd](../isd/README.md) those of `global`.",
            "",
        ]
    return "\n".join(parts)


def _dependencies(described: dict[str, Any]) -> list[str]:
    lines = ["| chart | installed when |", "|---|---|"]
    for row in described["dependencies"]:
        if "condition" in row:
            lines.append(
                f"| [{row['name']}](../{row['name']}/README.md) | `{row['condition'].replace(',', '`, else `')}` |"
            )
    return lines


def _table(values: tuple[chart_values.Value, ...]) -> list[str]:
    lines = ["| key | default | what |", "|---|---|---|"]
    for path, value in chart_values.rows(values):
        lines.append(f"| `{path}` | {_default(value)} | {_cell(value)} |")
    return lines


def _default(value: chart_values.Value) -> str:
    text = json.dumps(value.default)
    return "" if value.default in ("", None) else f"`{text.replace('|', chr(92) + '|')}`"


def _cell(value: chart_values.Value) -> str:
    text = value.text.replace("|", "\\|")
    if "component" in value.marks:
        text += " It also has the values of every chart."
    if "enum" in value.marks:
        text += f" One of {', '.join(f'`{word.strip()}`' for word in value.marks['enum'].split(',') if word.strip())}."
    if "credential" in value.marks:
        keys = ", ".join(f"`{word.strip().split('=')[0]}`" for word in value.marks["credential"].split(","))
        text += f" `existingSecret` with the keys {keys} (renamed by `keys`), or `values`."
    return text


def umbrella_text() -> str:
    """values.yaml of the umbrella with the globals of the library behind its own keys."""
    shared = SHARED.read_text()
    head = UMBRELLA.read_text().partition(MARK)[0]
    globals_ = shared[shared.index("# One place for") :]
    return f"{head.rstrip()}\n\n{MARK}\n\n{globals_}  {UMBRELLA_MARK}\n"


def generated() -> dict[Path, str]:
    """Every file that this program generates, with its text."""
    files = {UMBRELLA: umbrella_text()}
    for name in names():
        files[CHARTS / name / "values.schema.json"] = schema_text(CHARTS / name)
        files[CHARTS / name / "README.md"] = readme_text(CHARTS / name)
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="name the files that differ, and write nothing")
    stale = []
    check = parser.parse_args().check
    for file, text in generated().items():
        if not file.exists() or file.read_text() != text:
            stale.append(file)
            if not check:
                file.write_text(text)
    for file in stale:
        print(file)
    sys.exit(1 if stale and check else 0)


if __name__ == "__main__":
    main()
