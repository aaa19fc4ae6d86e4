"""Parser of `halgit.yaml`: checks every key and type and reports all problems with file and line.

Returns `LayerSettings`, which are repository settings only; a key that tries to set an operator setting (servers,
logins, engines, modes) is an error. `schemas/halgit.schema.json` describes the same format for editors.
"""

from __future__ import annotations

from collections.abc import Mapping

from halgit import yaml as hyaml
from halgit.pipeline import EMPTY, Finding, LayerSettings, Path, RuleSettings, Severity, Value
from halgit.record import replace
from halgit.settings.reader import Reader, is_operator_setting, is_string, layer_of
from halgit.settings.sections import read_params, read_patches
from halgit.text.phrases import describe_kind, suggest_nearest

__all__ = ["parse_settings"]

LAYER_KEYS = ("bases", "params", "remove", "patches", "mergeKeys", "include")
ROOT_KEYS = ("deployment", "dialect", "variant", "rules")

_SEVERITIES = {str(severity): severity for severity in Severity}


def parse_settings(text: bytes, file: str, *, root: bool) -> tuple[LayerSettings, tuple[Finding, ...]]:
    """Parse a `halgit.yaml`. Returns its settings and all findings. `file` is its path in the source.

    With `root` the keys for the whole repository are allowed too. An entry with a problem is dropped from the
    settings, so that the rest can be checked further.
    """
    read = hyaml.read(text, file)
    if read.findings:
        findings = (replace(one, layer=layer_of(file), severity=Severity.ERROR) for one in read.findings)
        return LayerSettings(file, text), tuple(findings)
    reader = Reader(file, text)
    data = {} if read.data is None else read.data
    if not isinstance(data, dict):
        message = f"halgit.yaml must be a mapping, got {describe_kind(data)}."
        reader.report("settings/type", (), message, "Write keys such as `bases:`.")
        data = {}
    _check_keys(reader, data, root)
    return _read_settings(reader, data, root), reader.findings()


def _check_keys(reader: Reader, data: Mapping[str, Value], root: bool) -> None:
    known = (*LAYER_KEYS, *ROOT_KEYS)
    for key in data:
        if key in known and (root or key in LAYER_KEYS):
            continue
        if key in ROOT_KEYS:
            message, hint = f"{key} is a setting of the whole repository.", "Move it to the root halgit.yaml."
            reader.report("settings/root-only", (key,), message, hint, at_key=True)
        elif is_operator_setting(key):
            message = f"{key} is an operator setting; a repository cannot set it."
            hint = "Remove it here and set it as an option or HALGIT_ variable of the run."
            reader.report("settings/operator", (key,), message, hint, at_key=True)
        else:
            hint = suggest_nearest(key, known, f"Known keys: {', '.join(known)}.")
            reader.report("settings/unknown-key", (key,), f"Unknown key {key} in halgit.yaml.", hint, at_key=True)


def _read_settings(reader: Reader, data: Mapping[str, Value], root: bool) -> LayerSettings:
    of_root = data if root else {}
    remove, optional = _removals(reader, data)
    return LayerSettings(
        file=reader.file,
        text=reader.text,
        bases=reader.strings(data, (), "bases"),
        params=read_params(reader, data),
        remove=remove,
        optional=optional,
        patches=read_patches(reader, data),
        merge_keys=_merge_keys(reader, data),
        include=_paths_inside(reader, data, "include"),
        deployment=reader.string(of_root, (), "deployment"),
        dialect=reader.choice(of_root, (), "dialect", {"halgit": "halgit", "opsmx": "opsmx"}),
        variant=reader.choice(of_root, (), "variant", {"token": "token", "ssh": "ssh", "s3": "s3"}),
        rules=_rules(reader, of_root),
    )


def _paths_inside(reader: Reader, data: Mapping[str, Value], key: str) -> tuple[str, ...]:
    """Return the paths or globs of a list, all inside the layer."""
    strings = enumerate(reader.strings(data, (), key))
    return tuple(text for number, text in strings if reader.check_inside(text, (key, number)))


def _removals(reader: Reader, data: Mapping[str, Value]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the paths of `remove`, and those that are optional: `{path: a, optional: true}`."""
    paths: list[str] = []
    optional: set[str] = set()
    for number, entry in enumerate(reader.items(data, (), "remove")):
        at: Path = ("remove", number)
        if not isinstance(entry, Mapping):
            if not is_string(entry) or not entry:
                reader.report_type(at, entry, "string")
            elif reader.check_inside(entry, at):
                paths.append(entry)
            continue
        reader.check_keys(entry, at, ("path", "optional"), "An entry of remove")
        path = reader.string(entry, at, "path")
        if path is None and "path" not in entry:
            reader.report("settings/value", at, "An entry of remove requires path.", "Add path.")
        if path and reader.check_inside(path, (*at, "path")):
            paths.append(path)
            optional |= {path} if reader.boolean(entry, at, "optional") else set()
    return tuple(paths), frozenset(optional)


def _merge_keys(reader: Reader, data: Mapping[str, Value]) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    files = reader.mapping(data, (), "mergeKeys")
    for name in files:
        path: Path = ("mergeKeys", name)
        lists = reader.mapping(files, ("mergeKeys",), name)
        keys = {dotted: reader.string(lists, path, dotted) for dotted in lists}
        if reader.check_inside(name, path):
            found[name] = {dotted: key for dotted, key in keys.items() if key}
    return found or EMPTY


def _rules(reader: Reader, data: Mapping[str, Value]) -> RuleSettings:
    rules = reader.mapping(data, (), "rules")
    reader.check_keys(rules, ("rules",), ("ignore", "severity"), "rules")
    severities = reader.mapping(rules, ("rules",), "severity")
    severity = {rule: reader.choice(severities, ("rules", "severity"), rule, _SEVERITIES) for rule in severities}
    valid = {rule: level for rule, level in severity.items() if level is not None}
    return RuleSettings(reader.strings(rules, ("rules",), "ignore"), valid or EMPTY)
