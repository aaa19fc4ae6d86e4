"""Export of a rendered tree as a SpinnakerService resource or a kleat repository.

Every value that the target cannot express is reported with a hint. Secrets are exported as references only.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping

from halgit import yaml as hyaml
from halgit.convert.kleat_schema import fit_to_kleat
from halgit.convert.tree_source import get, leaf_paths
from halgit.pipeline import Path, Value
from halgit.record import Record
from halgit.report.summaries import Decision

_PROFILES, _SETTINGS = "/profiles/", "/service-settings/"
_DECK = "settings-local.js"


class Export(Record):
    """The files of an export, and what it does not contain."""

    files: Mapping[str, bytes]
    decisions: tuple[Decision, ...]


class _Tree(Record):
    """A rendered tree: its deployment, and its other files by their role."""

    files: Mapping[str, bytes]
    deployment: str
    hal_home: str

    def body(self) -> dict[str, Value]:
        """Return the exported deployment of the halconfig, without its name."""
        config = hyaml.read(self.files["config"], "config").data
        items = [one for one in config["deploymentConfigurations"] if one.get("name") == self.deployment]
        return {key: value for key, value in items[0].items() if key != "name"}

    def named(self, folder: str) -> dict[str, bytes]:
        """Return the files below profiles or service-settings of the deployment, by their path there."""
        start = self.deployment + folder
        return {path[len(start) :]: text for path, text in self.files.items() if path.startswith(start)}

    def local_files(self, body: Value) -> Iterator[tuple[Path, str]]:
        """Yield the paths in the halconfig whose value is a file of the tree."""
        home = self.hal_home.rstrip("/") + "/"
        for path, value in leaf_paths(body):
            if isinstance(value, str) and posixpath.normpath(value.removeprefix(home)) in self.files and value:
                yield path, posixpath.normpath(value.removeprefix(home))


def export_tree(files: Mapping[str, bytes], deployment: str, hal_home: str, target: str) -> Export:
    """Export the files of a rendered tree. `target` is `spinnakerservice` or `kleat`."""
    tree = _Tree(files, deployment, hal_home)
    writers: dict[str, Callable[[_Tree], Export]] = {"spinnakerservice": _to_resource, "kleat": _to_kleat}
    exported = writers[target](tree)
    others = [path for path in files if path.startswith(".boms/") or _is_of_other_deployment(path, deployment)]
    hint = "The target has no place for this file."
    return Export(exported.files, (*exported.decisions, *(Decision(path, hint) for path in sorted(others))))


def _is_of_other_deployment(path: str, deployment: str) -> bool:
    parts = path.split("/")
    return len(parts) > 2 and parts[1] in ("profiles", "service-settings") and parts[0] != deployment


# --- SpinnakerService ------------------------------------------------------------------------------------------


def _to_resource(tree: _Tree) -> Export:
    decisions: list[Decision] = []
    body = tree.body()
    environment = body.get("deploymentEnvironment")
    namespace = environment.get("location") if isinstance(environment, dict) else None
    body = _without_operator_fields(body, decisions)
    files: dict[str, bytes] = {}
    for path, name in tree.local_files(body):
        short = name.removeprefix("files/").replace("/", "-")
        body = hyaml.apply_change(body, path, short)
        files[short] = tree.files[name]
    profiles, more = _resource_profiles(tree.named(_PROFILES), decisions)
    settings = {name.removesuffix(".yml"): text for name, text in tree.named(_SETTINGS).items()}
    parts = [
        _head(namespace),
        "    config:\n" + _indented(hyaml.dump(body), 6),
        _section("profiles", profiles, 4),
        _section("service-settings", {name: _indented(text, 8) for name, text in settings.items()}, 4),
        _section("files", {name: _literal(text, 8, name, decisions) for name, text in (files | more).items()}, 4),
    ]
    return Export({"spinnakerservice.yml": "".join(parts).encode("utf-8")}, tuple(decisions))


def _head(namespace: Value) -> str:
    where = f"  namespace: {hyaml.dump(namespace).decode().strip()}\n" if namespace else ""
    return (
        "apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\nmetadata:\n  name: spinnaker\n"
        f"{where}spec:\n  spinnakerConfig:\n"
    )


def _without_operator_fields(body: dict[str, Value], decisions: list[Decision]) -> dict[str, Value]:
    """Remove what the operator sets itself."""
    environment = body.get("deploymentEnvironment")
    if not isinstance(environment, dict):
        return body
    kept = {key: value for key, value in environment.items() if key not in ("type", "location", "accountName")}
    if environment.get("accountName"):
        hint = "The operator deploys to its own cluster and ignores the account."
        decisions.append(Decision("config: deploymentEnvironment.accountName", hint))
    if kept:
        return {**body, "deploymentEnvironment": kept}
    return {key: value for key, value in body.items() if key != "deploymentEnvironment"}


def _resource_profiles(
    profiles: Mapping[str, bytes], decisions: list[Decision]
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return profiles by service, and the files that are not a profile of a service."""
    by_service: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for name, text in profiles.items():
        several = name.endswith(".yml") and len(hyaml.read(text, name, many=True).documents) != 1
        if name == _DECK:
            by_service["deck"] = f"        {_DECK}: {_literal(text, 10, name, decisions)}"
        elif name.endswith("-local.yml") and "/" not in name and not several:
            by_service[name.removesuffix("-local.yml")] = _indented(text, 8)
        elif name == "spinnakerconfig.yml" and not several:
            by_service["spinnakerconfig"] = _indented(text, 8)
        else:
            files["profiles__" + name.replace("/", "__")] = text
    return by_service, files


def _section(name: str, entries: Mapping[str, str], indentation: int) -> str:
    if not entries:
        return ""
    pad = " " * indentation
    lines = [f"{pad}{name}:\n"]
    for key, text in sorted(entries.items()):
        separator = " " if text.startswith(("|", '"')) else "\n"
        lines.append(f"{pad}  {hyaml.dump(key).decode().strip()}:{separator}{text}")
    return "".join(lines)


def _indented(text: bytes, indentation: int) -> str:
    lines = text.decode("utf-8").splitlines()
    return "".join(f"{' ' * indentation}{line}\n" if line.strip() else "\n" for line in lines)


def _literal(text: bytes, indentation: int, name: str, decisions: list[Decision]) -> str:
    """Return a text as a literal block, or quoted if a block cannot express it."""
    try:
        string = text.decode("utf-8")
    except UnicodeDecodeError:
        decisions.append(Decision(name, "The file is not text, and a resource contains text only. Mount it instead."))
        return '""\n'
    if string.endswith("\n") and not string.startswith((" ", "\n", "\t")) and "\r" not in string:
        chomping = "|+" if string.endswith("\n\n") else "|"
        return f"{chomping}\n" + "".join(
            f"{' ' * indentation}{line}" if line.strip() else line for line in string.splitlines(keepends=True)
        )
    return hyaml.dump([string]).decode().removeprefix("- ") if "\n" not in string else _quoted(string)


def _quoted(string: str) -> str:
    import json

    return json.dumps(string) + "\n"


# --- kleat -----------------------------------------------------------------------------------------------------


def _to_kleat(tree: _Tree) -> Export:
    body = tree.body()
    files: dict[str, bytes] = {}
    for path, name in tree.local_files(body):
        short = name.removeprefix("files/").replace("/", "-")
        body = hyaml.apply_change(body, path, f"/var/secrets/{short}")
        files[f"base/secrets/{short}"] = tree.files[name]
    decisions: list[Decision] = []
    profiles = {f"base/local/{name}": text for name, text in tree.named(_PROFILES).items()}
    body, echo = _without_slack_token(body)
    if echo is not None:
        before = profiles.get("base/local/echo-local.yml", b"slack: {}\n")
        profiles["base/local/echo-local.yml"] = hyaml.edit(before, ("slack", "token"), echo)
        hint = "kleat writes this token to settings.js, which browsers load. It was moved to echo-local.yml."
        decisions.append(Decision("config: notifications.slack.token", hint))
    version = body.get("version")
    halconfig, dropped = fit_to_kleat(body)
    for name in tree.named(_SETTINGS):
        hint = "kleat has no service-settings. Write them as patches of the Deployments in a kustomization."
        dropped.append(Decision(f"service-settings/{name}", hint))
    if version:
        hint = f"Set newTag: spinnaker-{version} for each image in base/kustomization.yml."
        dropped.append(Decision("config: version", hint))
    if files:
        names = sorted(path.removeprefix("base/") for path in files)
        generator = [{"name": "spinnaker-secrets", "files": names}]
        files["base/kustomization.yml"] = hyaml.dump({"secretGenerator": generator})
    files |= {**profiles, "halconfig.yml": hyaml.dump(halconfig)}
    return Export(files, (*decisions, *dropped))


def _without_slack_token(body: dict[str, Value]) -> tuple[dict[str, Value], Value]:
    token = get(body, ("notifications", "slack", "token"))
    if token is None:
        return body, None
    notifications = body["notifications"]
    slack = {key: value for key, value in notifications["slack"].items() if key != "token"}
    return {**body, "notifications": {**notifications, "slack": slack}}, token
