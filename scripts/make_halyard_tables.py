"""Make the tables of `halgit/halyard/tables/` and the generated schemas of `schemas/` from facts about Halyard.

    python scripts/make_halyard_tables.py [REFERENCE_DIR]

The schemas are generated from the tables and `halyard_words.yaml`; without REFERENCE_DIR only they are generated.
REFERENCE_DIR holds `halconfig-model.json` and `service-settings-model.json`: the classes that Halyard binds its
files to, as read from its source and compared with what Jackson says of the compiled classes. Run it again when
Halyard changes; it overwrites what it makes and nothing else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from halyard_schemas import of_model

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "halgit" / "halyard" / "tables"
SCHEMAS = ROOT / "schemas"

Json = dict[str, Any]

_SCALARS = {"int": "int32", "Integer": "int32", "Long": "int64", "long": "int64"}


def slim_type(type_: Json) -> Json:
    """Facts about a field's type that the program needs."""
    kind = type_["kind"]
    if kind == "scalar":
        name = type_["type"]
        return {"kind": _SCALARS[type_["java_type"]] if name == "integer" else name}
    if kind in {"enum", "object"}:
        return {"kind": kind, "of": type_["enum" if kind == "enum" else "class"]}
    if kind in {"list", "set"}:
        is_sorted = type_.get("java_type", "").startswith("SortedSet")
        return {"kind": kind, "of": slim_type(type_["items"])} | ({"sorted": True} if is_sorted else {})
    if kind == "map":
        keys = type_["keys"]
        return {"kind": "map", "of": slim_type(type_["values"])} | ({"keys": keys["enum"]} if "enum" in keys else {})
    return {"kind": "any"}


def slim_field(field: Json) -> Json:
    """A field's type and what Halyard marks it with."""
    slim = slim_type(field)
    for mark in ("secret", "secret_file", "local_file", "secret_always_decrypt"):
        if field.get(mark):
            slim[mark] = True
    if not field["write"]:
        slim["write"] = False
    if field.get("default_kind") == "new-object":
        slim["default"] = {}
    elif field.get("default") is not None:
        slim["default"] = field["default"]
    bounds = field.get("valid_for_spinnaker_version")
    if bounds:
        slim["valid"] = [bounds["lower"], bounds["upper"]]
    return slim


METRICS: Json = {"supportedTypes": ["METRICS_STORE"]}
COMPUTED: dict[str, Json] = {
    "node.Halconfig": {"currentDeployment": "default", "deploymentConfigurations": [{}]},
    "canary.Canary": {
        "serviceIntegrations": [
            {"name": name} for name in ("google", "prometheus", "datadog", "signalfx", "aws", "newrelic")
        ]
    },
    "canary.datadog.DatadogCanaryAccount": METRICS,
    "canary.newrelic.NewRelicCanaryAccount": METRICS,
    "canary.prometheus.PrometheusCanaryAccount": METRICS,
    "canary.signalfx.SignalfxCanaryAccount": METRICS,
    "providers.aws.AwsProvider": {"defaultRegions": [{"name": "us-west-2"}], "bakeryDefaults": {}},
    "providers.azure.AzureProvider": {"bakeryDefaults": {"templateFile": "azure-linux.pkr.hcl"}},
    "providers.google.GoogleProvider": {
        "bakeryDefaults": {"templateFile": "gce.json", "zone": "us-central1-f", "network": "default"}
    },
    "providers.huaweicloud.HuaweiCloudProvider": {"bakeryDefaults": {}},
    "providers.oracle.OracleProvider": {"bakeryDefaults": {"templateFile": "oci.json"}},
    "providers.oracle.OracleBMCSProvider": {"bakeryDefaults": {"templateFile": "oci.json"}},
    "providers.tencentcloud.TencentCloudProvider": {"bakeryDefaults": {}},
    "security.ApiSecurity": {"ssl": {}},
    "security.UiSecurity": {"ssl": {}},
}
"""Defaults that Halyard's constructors and field initialisers work out, by class and key."""


def slim_class(name: str, class_: Json) -> Json:
    """A class: its fields by key in the model's order, the keys it swallows, the classes it extends."""
    slim: Json = {"fields": {field["json_key"]: slim_field(field) for field in class_["fields"] if field["read"]}}
    for key, default in COMPUTED.get(name, {}).items():
        slim["fields"][key]["default"] = default
    if class_.get("silently_ignored_keys"):
        slim["ignored"] = class_["silently_ignored_keys"]
    if class_.get("superclasses"):
        slim["extends"] = class_["superclasses"]
    if "discriminator" in class_:
        slim |= {"by": class_["discriminator"], "subtypes": class_["subtypes"]}
    return slim


def slim_model(model: Json) -> Json:
    """The whole model, without the words for people."""
    return {
        "root": model["source"]["root"],
        "enums": {
            name: {"constants": enum["json_values"], "ordinals": bool(enum["accepts_ordinal"])}
            | ({} if enum["case_sensitive"] else {"any_case": True})
            for name, enum in model["enums"].items()
        },
        "classes": {name: slim_class(name, class_) for name, class_ in model["classes"].items()},
    }


NOT_SPRING = {"deck", "redis", "consul", "vault", "monitoring-daemon"}
"""Base names of the services that are no Spring program: they take profiles by rules of their own, or none."""

MODES = {
    "KubectlServiceProvider": "Distributed on Kubernetes",
    "GoogleDistributedServiceProvider": "Distributed on Google",
    "LocalDebianServiceProvider": "LocalDebian",
    "LocalGitServiceProvider": "LocalGit",
    "BakeDebianServiceProvider": "BakeDebian",
}


def slim_service(type_: Json, defaults: Json) -> Json:
    """One service type: the service it is a part of, whether it is a Spring program, where it can run, its port."""
    name = type_["canonical_name"]
    base = type_.get("base", name)
    family = base.removesuffix("-client").removesuffix("-server")
    known = defaults.get(name) or defaults.get(base) or {"defaults": {}}
    return {
        "base": base,
        "spring": family not in NOT_SPRING,
        "modes": sorted(MODES[provider] for provider in type_["hosted_by"]),
        "port": known["defaults"].get("port"),
    }


def services(model: Json) -> Json:
    """All service types by their canonical names, and the names a bill of materials knows."""
    defaults = model["service_defaults"]
    return {
        "services": {type_["canonical_name"]: slim_service(type_, defaults) for type_ in model["service_types"]},
        "artifacts": [artifact["name"] for artifact in model["spinnaker_artifacts"]],
    }


def write(path: Path, data: Any) -> None:
    """JSON with one entry of the second level per line: fit for a diff, small enough to load at once."""
    lines = []
    for key, value in data.items():
        if isinstance(value, dict) and value:
            inner = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f"{json.dumps(key)}: {{\n{inner}\n}}")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def make_tables(reference: Path) -> None:
    """The tables, from the facts."""
    halconfig = json.loads((reference / "halconfig-model.json").read_text())
    settings = json.loads((reference / "service-settings-model.json").read_text())
    write(TABLES / "halconfig.json", slim_model(halconfig))
    write(TABLES / "service-settings.json", slim_model(settings))
    write(TABLES / "services.json", services(settings))


def schemas() -> dict[str, str]:
    """The texts of the generated schemas by name, from the tables."""
    made = {}
    for name in ("halconfig", "service-settings"):
        model = json.loads((TABLES / f"{name}.json").read_text())
        made[name] = json.dumps(of_model(model, name), indent=1, ensure_ascii=False) + "\n"
    return made


def main() -> None:
    if len(sys.argv) > 1:
        make_tables(Path(sys.argv[1]))
    for name, text in schemas().items():
        (SCHEMAS / f"{name}.schema.json").write_text(text)


if __name__ == "__main__":
    main()
