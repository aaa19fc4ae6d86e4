"""`halgit.yaml` into `LayerSettings`: every key known, every type checked, all faults told with file and line.

Repository settings only. What belongs to the operator (servers, logins, engines, modes) has no place here, and a key
that tries is told so. Reads no file and decides nothing: what the settings do is the business of `overlay/`.
`schemas/halgit.schema.json` says the same for editors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from halgit import yaml as hyaml
from halgit.pipeline import EMPTY, Finding, LayerSettings, Path, RuleSettings, Severity, Value
from halgit.settings.reader import Reader, belongs_to_operator, layer_of
from halgit.settings.sections import declarations, patches
from halgit.text.phrases import describe_kind, suggest_nearest

__all__ = ["parse"]

LAYER_KEYS = ("bases", "params", "remove", "patches", "mergeKeys", "include")
ROOT_KEYS = ("deployment", "dialect", "variant", "rules")

_SEVERITIES = {str(severity): severity for severity in Severity}


def parse(text: bytes, file: str, *, root: bool) -> tuple[LayerSettings, tuple[Finding, ...]]:
    """The settings a `halgit.yaml` holds, and all its faults. `file` is its path in the source.

    With `root` the keys of the whole repository are taken too. What has a fault is left out of the settings, so
    that the rest can be looked at further.
    """
    read = hyaml.read(text, file)
    if read.findings:
        return LayerSettings(file, text), tuple(replace(fault, layer=layer_of(file)) for fault in read.findings)
    reader = Reader(file, text)
    data = {} if read.data is None else read.data
    if not isinstance(data, dict):
        reader.fault(
            "settings/type",
            (),
            f"halgit.yaml holds {describe_kind(data)}, not settings.",
            "Write keys such as `bases:`.",
        )
        data = {}
    _refuse_unknown(reader, data, root)
    return _settings(reader, data, root), reader.findings()


def _refuse_unknown(reader: Reader, data: Mapping[str, Value], root: bool) -> None:
    known = (*LAYER_KEYS, *ROOT_KEYS)
    for key in data:
        if key in known and (root or key in LAYER_KEYS):
            continue
        if key in ROOT_KEYS:
            said, hint = f"{key} concerns the whole repository.", "Move it to the root halgit.yaml."
            reader.fault("settings/root-only", (key,), said, hint, key=True)
        elif belongs_to_operator(key):
            said = f"{key} belongs to whoever runs halgit; a repository cannot set it."
            hint = "Remove it here and give it as an option or a HALGIT_ variable of the run."
            reader.fault("settings/operator", (key,), said, hint, key=True)
        else:
            hint = suggest_nearest(key, known, f"The keys are: {', '.join(known)}.")
            reader.fault("settings/unknown-key", (key,), f"halgit.yaml has no key {key}.", hint, key=True)


def _settings(reader: Reader, data: Mapping[str, Value], root: bool) -> LayerSettings:
    whole = data if root else {}
    return LayerSettings(
        file=reader.file,
        text=reader.text,
        bases=reader.texts(data, (), "bases"),
        params=declarations(reader, data),
        remove=_inside(reader, data, "remove"),
        patches=patches(reader, data),
        merge_keys=_merge_keys(reader, data),
        include=_inside(reader, data, "include"),
        deployment=reader.text_of(whole, (), "deployment"),
        dialect=reader.choice(whole, (), "dialect", {"halgit": "halgit", "opsmx": "opsmx"}),
        variant=reader.choice(whole, (), "variant", {"token": "token", "ssh": "ssh", "s3": "s3"}),
        rules=_rules(reader, whole),
    )


def _inside(reader: Reader, data: Mapping[str, Value], key: str) -> tuple[str, ...]:
    """Paths or globs that must stay in the layer."""
    return tuple(
        text for number, text in enumerate(reader.texts(data, (), key)) if reader.stays_inside(text, (key, number))
    )


def _merge_keys(reader: Reader, data: Mapping[str, Value]) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    files = reader.mapping(data, (), "mergeKeys")
    for name in files:
        path: Path = ("mergeKeys", name)
        lists = reader.mapping(files, ("mergeKeys",), name)
        keys = {dotted: reader.text_of(lists, path, dotted) for dotted in lists}
        if reader.stays_inside(name, path):
            found[name] = {dotted: key for dotted, key in keys.items() if key}
    return found or EMPTY


def _rules(reader: Reader, data: Mapping[str, Value]) -> RuleSettings:
    rules = reader.mapping(data, (), "rules")
    reader.only(rules, ("rules",), ("ignore", "severity"), "rules")
    chosen = reader.mapping(rules, ("rules",), "severity")
    severity = {rule: reader.choice(chosen, ("rules", "severity"), rule, _SEVERITIES) for rule in chosen}
    kept = {rule: level for rule, level in severity.items() if level is not None}
    return RuleSettings(reader.texts(rules, ("rules",), "ignore"), kept or EMPTY)
