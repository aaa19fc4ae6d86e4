"""Conversion of a deployment to kleat's halconfig, checked against a strict schema of its protocol buffers.

kleat drops unknown fields silently, so each field that its schema does not have is removed here and reported.
`scripts/make_kleat_schema.py` generates the schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from halgit import yaml as hyaml
from halgit.convert.tree_source import get
from halgit.halyard.resources import load_table
from halgit.pipeline import Path, Value
from halgit.record import Record
from halgit.report.summaries import Decision

_METHODS = ("oauth2", "saml", "ldap", "x509", "iap")
_PROFILE_HINT = "kleat does not have this field. Write it to base/local/{service}-local.yml if the service reads it."
_SERVICES = {
    "providers": "clouddriver", "artifacts": "clouddriver", "ci": "igor", "repository": "igor", "notifications": "echo",
    "pubsub": "echo", "security": "gate", "canary": "kayenta", "persistentStorage": "front50", "features": "settings",
}  # fmt: skip


def fit_to_kleat(body: Mapping[str, Value]) -> tuple[dict[str, Value], list[Decision]]:
    """Return the halconfig of kleat for a deployment, and what it lacks."""
    decisions: list[Decision] = []
    converted = _convert(dict(body), decisions)
    schema = load_table("kleat")
    fitter = _Fitter(schema["$defs"], decisions)
    return fitter.fit(converted, {"$ref": schema["$ref"]}, ()), decisions


def _convert(body: dict[str, Value], decisions: list[Decision]) -> dict[str, Value]:
    """Move fields of Halyard to where kleat has them."""
    body.pop("version", None)
    environment = body.pop("deploymentEnvironment", None)
    if isinstance(environment, dict) and set(environment) - {"type", "location", "accountName"}:
        hint = "kleat deploys nothing itself. Write sizes, sidecars and the like as patches in a kustomization."
        decisions.append(Decision("config: deploymentEnvironment", hint))
    storage = body.get("persistentStorage")
    if isinstance(storage, dict):
        body["persistentStorage"] = _storage(storage, decisions)
    notifications = body.get("notifications")
    if isinstance(notifications, dict) and "github-status" in notifications:
        github = notifications["github-status"]
        rest = {key: value for key, value in notifications.items() if key != "github-status"}
        body["notifications"] = {**rest, "githubStatus": github}
    canary = body.get("canary")
    if isinstance(canary, dict):
        body["canary"] = _canary(canary)
    security = body.get("security")
    if isinstance(security, dict):
        body["security"] = _security(security)
    return body


def _storage(storage: dict[str, Value], decisions: list[Decision]) -> dict[str, Value]:
    kind = str(storage.get("persistentStoreType") or "").lower()
    result = {key: value for key, value in storage.items() if key not in ("persistentStoreType", "redis")}
    if kind in ("gcs", "azs", "oracle", "s3"):
        current = result.get(kind)
        result[kind] = {"enabled": True, **(current if isinstance(current, dict) else {})}
    elif kind:
        hint = "kleat supports gcs, azs, oracle, s3 and sql. Configure another store before you switch."
        decisions.append(Decision(f"config: persistentStorage.persistentStoreType ({kind})", hint))
    return result


def _canary(canary: dict[str, Value]) -> dict[str, Value]:
    result = {key: value for key, value in canary.items() if key != "defaultStorageAccount"}
    integrations = canary.get("serviceIntegrations")
    if isinstance(integrations, list):
        result["serviceIntegrations"] = {
            str(one["name"]): {key: value for key, value in one.items() if key != "name"}
            for one in integrations
            if isinstance(one, dict) and "name" in one
        }
    if canary.get("defaultStorageAccount") is not None:
        result["storageAccountName"] = canary["defaultStorageAccount"]
    return result


def _security(security: dict[str, Value]) -> dict[str, Value]:
    result = dict(security)
    authn = security.get("authn")
    if isinstance(authn, dict):
        is_on = any(get(authn, (method, "enabled")) is True for method in _METHODS)
        result["authn"] = {**authn, **({"enabled": True} if is_on else {})}
        if isinstance(authn.get("saml"), dict):
            result["authn"]["saml"] = _saml(authn["saml"])
    membership = get(security, ("authz", "groupMembership"))
    if isinstance(membership, dict) and membership.get("service") == "EXTERNAL":
        rest = {key: value for key, value in membership.items() if key != "service"}
        result["authz"] = {**security["authz"], "groupMembership": rest}
    return result


def _saml(saml: dict[str, Value]) -> dict[str, Value]:
    result = {
        key: value for key, value in saml.items() if key not in ("metadataLocal", "metadataRemote", "serviceAddress")
    }
    if saml.get("metadataRemote") or saml.get("metadataLocal"):
        result["metadataUrl"] = saml.get("metadataRemote") or f"file://{saml['metadataLocal']}"
    if saml.get("serviceAddress"):
        scheme, _, rest = str(saml["serviceAddress"]).partition("://")
        host, slash, path = rest.partition("/")
        result |= {"redirectProtocol": scheme, "redirectHostname": host, "redirectBasePath": slash + path}
    return result


# --- the schema ------------------------------------------------------------------------------------------------


class _Fitter(Record):
    """Fits values to the schema: unknown fields and values of other types are removed and reported."""

    definitions: Mapping[str, Any]
    decisions: list[Decision]

    def fit(self, value: Value, schema: Mapping[str, Any], path: Path) -> Value:
        """Return the value as the schema allows it, or None."""
        if "$ref" in schema:
            schema = self.definitions[schema["$ref"].removeprefix("#/$defs/")]
        if schema.get("type") == "array":
            items = enumerate(value if isinstance(value, list) else [value])
            fitted = [self.fit(one, schema["items"], (*path, number)) for number, one in items]
            return [one for one in fitted if one is not None]
        if schema.get("type") == "object" and isinstance(value, dict):
            return self._fit_mapping(value, schema, path)
        found = _fit_scalar(value, schema)
        if found is None and value not in (None, ""):
            self._report(path, "kleat expects another type or value here. Correct it in the export.")
        return found

    def _fit_mapping(self, value: dict[str, Value], schema: Mapping[str, Any], path: Path) -> dict[str, Value]:
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        result: dict[str, Value] = {}
        for key, item in value.items():
            below = properties.get(key, others or None)
            fitted = self.fit(item, below, (*path, key)) if below is not None else None
            if fitted is not None:
                result[key] = fitted
            elif below is None and item not in (None, {}, [], ""):
                service = _SERVICES.get(str((*path, key)[0]), "SERVICE")
                self._report((*path, key), _PROFILE_HINT.format(service=service))
        if result.get("kinds") and result.get("omitKinds"):
            self._report(path, "kleat refuses kinds together with omitKinds. Remove one of them.")
        return result

    def _report(self, path: Path, hint: str) -> None:
        self.decisions.append(Decision("config: " + ".".join(map(str, path)), hint))


def _fit_scalar(value: Value, schema: Mapping[str, Any]) -> Value:
    if isinstance(value, (dict, list)) or value is None:
        return None
    text = hyaml.to_java_string(value) if not isinstance(value, str) else str(value)
    if "enum" in schema:
        return next((one for one in schema["enum"] if one.lower() == text.lower()), None)
    kind = schema.get("type")
    if kind == "string":
        return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    if kind in ("integer", "number"):
        try:
            return int(text) if kind == "integer" else float(text)
        except ValueError:
            return None
    return value if not schema else None
