"""Find plain-text secrets of a tree, so that output masks them like resolved ones. Pure.

Sensitive are: fields the halconfig model marks secret, values of keys with sensitive names, secret parameters,
passwords in URLs, and the values of noop references.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from halgit import references
from halgit import yaml as hyaml
from halgit.halyard import model, sensitivity
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, Compiled, File, Value
from halgit.redaction import Redactor, Secret, SecretText
from halgit.vocabulary import gather_vocabulary

_PAIR = lazy_pattern(
    r"""(?<![\w.-])["']?([A-Za-z][\w.-]*)["']?[ \t]*[:=][ \t]*"""
    r"""(?:"([^"\n]*)"|'([^'\n]*)'|(?![\w.-]+:[ \t])([^\s"',;#]+))"""
)
_IN_ADDRESS = lazy_pattern(r"://[^/\s:@]*:([^/\s@]+)@")
_IN_TEXT = lazy_pattern(
    r"(?i)https?://([^/\s:@${]{8,})@"
    r"|[?&][\w.-]*(?:password|passwd|secret|token|api_?key|access_?key|signature)=([^&\s\"'#]+)"
    r"|-D[\w.-]*(?:password|passwd|secret|token)=(\"[^\"]*\"|'[^']*'|\S+)"
    r"|authorization[\"']?\s*[:=]\s*[\"']?(?:(?:basic|bearer|token)\s+)?([^\s\"',]+)"
    r"|\"(?:auth|identitytoken|registrytoken|password)\"\s*:\s*\"([^\"]+)\""
)
_PEM = lazy_pattern(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----")
_PLAIN_KEY = lazy_pattern(r"(?i)(?:name|path|url|type|host|engine|mount|id|user|kind|namespace|file)$")
"""Keys below a sensitive key whose values describe the secret and are not the secret."""
_SHORTEST = 4
_LONGEST_KEY = 100
_SPLIT = frozenset({"value", "encrypt"})
"""Keys of secrets whose name is in two places: `name` and `value` of an entry, and `encrypt: {key: ...}`."""


def learn_plain_secrets(compiled: Compiled, redactor: Redactor) -> None:
    """Let the redactor know every secret that stands in the tree in plain text."""
    for value in find_sensitive_values(compiled):
        redactor.learn(value)


def find_sensitive_values(compiled: Compiled) -> frozenset[str]:
    """The plain texts that are to be masked wherever they show.

    A value that is also the name of a key, file, parameter or account of the tree (`password: password`, an open
    token, `credentials: prod`) hides nothing and would blank out every message that has the name, so it is not among
    them; `explain` and `diff` mask it by its key.
    """
    values: set[str] = set()
    names: set[str] = {part for path in compiled.files for part in re.split(r"[/.]", path)}
    names.update(compiled.parameters, _accounts(compiled), ("encrypted:", "encryptedFile:"))
    for name, file in compiled.files.items():
        if file.data is not MISSING:
            values.update(_of_data(file.data, names))
            if name == "config":
                values.update(_of_model(file.data))
        elif isinstance(file.body, bytes):
            values.update(_of_text(file.body))
    values.update(_of_parameters(compiled))
    values.update(_of_unread_files(compiled, names))
    plain = (value for value in values if not references.find_references(value) and not value.startswith("${"))
    noop = (found.reference.get("value") for value in values for found in references.find_references(value))
    return frozenset(v for v in (*plain, *noop) if len(v) >= _SHORTEST and v not in names)


def hide_plain_secrets(compiled: Compiled) -> Callable[[bytes], bytes]:
    """Return a function that masks every secret that stands in the tree in plain text, the same in every run."""
    hidden = Redactor()
    for value in find_sensitive_values(compiled):
        hidden.learn(value)
    return lambda text: hidden.clean(text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def files_with_plain_secrets(files: Mapping[str, File]) -> frozenset[str]:
    """Return the files that may hold a secret in plain text.

    A file of Vault always may, and so may one that is not one YAML document.
    """
    return frozenset(name for name, file in files.items() if file.data is MISSING or _has_plain_secret(file))


def _has_plain_secret(file: File) -> bool:
    if any(layer.source.url.lower().startswith("vault:") for layer in file.layers):
        return True
    values = _of_data(file.data, set())
    of_model = _of_model(file.data) if file.path == "config" else ()
    return any(value and not value.startswith(("encrypted", "${")) for value in chain(values, of_model))


def _accounts(compiled: Compiled) -> Iterator[str]:
    """The names of the halconfig's accounts: orca's jobs call them `credentials`."""
    config = compiled.files["config"].data if "config" in compiled.files else None
    for path, _, node in model.walk_objects(config) if isinstance(config, dict) else ():
        if len(path) > 1 and path[-2] in ("accounts", "masters") and isinstance(node.get("name"), str):
            yield node["name"]


def _of_parameters(compiled: Compiled) -> Iterator[str]:
    for parameter in compiled.parameters.values():
        if parameter.secret:
            listed = parameter.value if isinstance(parameter.value, list) else [parameter.value]
            yield from (each.open() if isinstance(each, Secret) else str(each) for each in listed if each is not None)
    for layer in compiled.layers:
        for declared in layer.settings.params.values():
            if declared.secret:
                default = () if declared.value is MISSING or declared.value is None else (declared.value,)
                yield from (text for each in (*declared.enum, *default) for text in _texts(each))


def _of_data(data: Value, names: set[str]) -> Iterator[str]:
    """The sensitive texts of a document, and every key as a name."""
    if not isinstance(data, (dict, list)):
        yield from _of_string(data) if isinstance(data, str) else ()
        return
    words = gather_vocabulary(data)
    names.update(words.keys)
    for text in words.strings:
        yield from _of_string(text)
    sensitive = frozenset(filter(sensitivity.is_sensitive_key, words.keys))
    for mapping in words.mappings if sensitive or not _SPLIT.isdisjoint(words.keys) else ():
        for key in sensitive & mapping.keys():
            yield from _of_sensitive(mapping[key])
        encrypt = mapping.get("encrypt")
        yield from _texts(encrypt.get("key")) if isinstance(encrypt, dict) else ()
        if "value" in mapping and isinstance(mapping.get("name"), str):
            yield from _texts(mapping["value"]) if sensitivity.is_sensitive_key(mapping["name"]) else ()


def _of_sensitive(value: Value) -> Iterable[str]:
    """The texts of the value of a sensitive key."""
    if isinstance(value, bool) or value is None:
        return ()
    return _below(value) if isinstance(value, dict) else _texts(value)


def _of_string(text: str) -> Iterator[str]:
    """The secrets inside a string: in URLs, query strings, options of the JVM, headers, PEM keys and Docker logins."""
    if text.startswith("encrypted"):
        yield text
    if "://" in text and "@" in text:
        yield from _IN_ADDRESS.findall(text)
    if "-----BEGIN" in text:
        yield from _PEM.findall(text)
    if "\n" in text or ":" in text[:_LONGEST_KEY] or "=" in text[:_LONGEST_KEY]:
        yield from _of_lines(text)
    if _may_hold_secret(text):
        yield from (group.strip("\"'") for groups in _IN_TEXT.findall(text) for group in groups if group)


def _of_lines(text: str) -> Iterator[str]:
    """The values of lines that are a pair with a sensitive key: of YAML, properties and scripts in a string."""
    for line in text.split("\n"):
        match = _PAIR.fullmatch(line.strip().removeprefix("- ").removeprefix("export ").rstrip(",;"))
        if match and sensitivity.is_sensitive_key(match[1]):
            yield next((group for group in match.groups()[1:] if group), "")


def _may_hold_secret(text: str) -> bool:
    """Return whether `_IN_TEXT` can match; most texts lack the signs that it needs."""
    is_query = "=" in text and ("?" in text or "&" in text or "-d" in text.lower())
    return is_query or '"' in text or ("@" in text and "://" in text) or "authorization" in text.lower()


def _below(value: Value) -> Iterator[str]:
    """The strings of a mapping below a sensitive key, but for those that only describe the secret."""
    for key, child in value.items():
        if isinstance(child, dict):
            yield from _below(child)
        elif not (isinstance(key, str) and _PLAIN_KEY.search(key)):
            yield from (text for text in _texts(child) if not text.isdigit())


def _of_unread_files(compiled: Compiled, names: set[str]) -> Iterator[str]:
    """The sensitive texts of files that are not in the tree, or cannot be parsed, which messages may quote."""
    unread = {one.file for one in compiled.findings if one.rule.startswith(("yaml/", "settings/", "parameter/"))}
    for layer in compiled.layers if unread else ():
        if layer.settings.file in unread:
            yield from _of_text(layer.settings.text)
        for path, text in layer.files.items():
            if layer.id.file(path) in unread:
                yield from _of_text(text)
    for path, text in compiled.accounts.items():
        yield from _of_text(text)
        for document in hyaml.read(text, path, many=True).documents:
            yield from _of_data(document, names)


def _of_model(config: Value) -> Iterator[str]:
    """The values of the fields that Halyard's model marks secret."""
    fields = model.find_annotated_fields("secret")
    if gather_vocabulary(config).keys.isdisjoint(frozenset().union(*fields.values())):
        return
    for _, class_, node in model.walk_objects(config, frozenset(fields)):
        for key in fields[class_.name] & node.keys():
            if not isinstance(node[key], bool):
                yield from _texts(node[key])


def _texts(value: Value) -> Iterable[str]:
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, SecretText):
        return [part for part in value.parts if isinstance(part, str)]
    return [str(value)] if isinstance(value, (str, int, float)) else []


def _of_text(body: bytes) -> Iterator[str]:
    """`key = value` and `"key": "value"` of text files, where the key says that it is a secret."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return
    yield from _of_string(text)
    encrypts = "encrypt:" in text
    for match in _PAIR.finditer(text):
        if sensitivity.is_sensitive_key(match.group(1)) or (encrypts and match.group(1) == "key"):
            yield next((group for group in match.groups()[1:] if group), "")
