"""Properties by which a document makes the program that reads it run another one, or load code. Pure.

Spring binds a property in many spellings, from YAML, `.properties`, environment variables, JSON in an environment
variable and options of the JVM, so that all of these are searched. Facts: Spring Boot 2.7 (relaxed binding, SpEL in
`@Value`, `spring.config.import`), the start scripts that Gradle generates, and the options of the JVM.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from halgit.annotations import Final
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, Path, Step, Value
from halgit.redaction import Secret, SecretText
from halgit.validation import account_files
from halgit.validation.account_access import strings_in
from halgit.validation.account_files import Document
from halgit.validation.rule import Hit
from halgit.validation.rules.dynamic_accounts import hits
from halgit.validation.rules.local_files import normalize_path
from halgit.validation.rules.trust import CREDENTIALS, is_profile
from halgit.validation.view import View

_PROGRAM: Final = lazy_pattern(
    r"(^|\.)(passwordcommand|gcloudpath|kubectlpath|kubectlexecutable|kubectl\.executable|[a-z]*\d*executable(file)?path"
    r"|scriptpath|terraformexecutable|packerexecutable)$"
)
"""Property names, in lower case and without `-` and `_`, whose value a service or Halyard runs."""

_SETTINGS: Final = lazy_pattern(r"^(logging\.config|spring\.config\.(import|location|additionallocation)(\[\d+\])?)$")
"""Properties that name further settings, which can load code or name programs."""

_PLUGINS: Final = lazy_pattern(r"(^|\.)extensibility\.(plugins|repositories|deckproxy|pluginsrootpath)(\.|$)")

_JVM: Final = lazy_pattern(
    r"-javaagent:|-agentpath:|-agentlib:|-Xrun|-Xbootclasspath|OnOutOfMemoryError=|OnError=|-XX:Flags=|-XX:VMOptionsFile="
    r"|--patch-module|--class-path|-Djava\.system\.class\.loader=|-Dloader\.path=|(^|[\s'\"])(-cp|-classpath|@\S)"
)
"""Options of the JVM that load code, run a program, or read further options from a file."""

_DEFINITION: Final = lazy_pattern(r"(?:^|[\s'\"])-D([^\s=]+)=(\S*)")
"""An option of the JVM that sets a property, which Spring binds."""

_JVM_VARIABLES: Final = frozenset({"JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"})
_CODE_VARIABLES: Final = frozenset(
    {"LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "PATH", "JAVA_HOME", "CLASSPATH"}
)
"""Variables by which the loader, the shell or the start script of a service finds what it runs."""
_JSON_VARIABLE: Final = "SPRING_APPLICATION_JSON"

_PREFIX: Final = lazy_pattern(r"^(?:optional:)?(?:file|configtree|url):(?:file:)?")
"""How Spring writes the address of a file."""

_EXPRESSION: Final = "#{"

RUNS: Final = "{} runs a program in the pod that reads it."
READS: Final = "{} makes the service read {}, a file of its pod."
PLUGS: Final = "{} makes the service load plug-ins, which are programs that run in its pod."
LOADS: Final = "{} loads code or runs a program in the pod of the service."


def search_programs(view: View) -> Iterator[Hit]:
    """Search everything that Halyard or a service reads, for programs and for code that is loaded."""
    for path, data in _documents(view):
        found = find_programs(data, in_profile=is_profile(path))
        yield from (Hit(place, message, path) for place, message in found)
    for document in _several_documents(view):
        yield from _hits(document, find_programs(document.data, in_profile=True))
    for path, line, name, value in _java_properties(view):
        if message := _explain_value(_fold(name), name, value, in_profile=True):
            yield Hit((), message, path, "", line, 1)
    for document in _accounts(view):
        yield from _hits(document, find_programs(document.data))


def search_plugins(view: View) -> Iterator[Hit]:
    """Search for plug-ins that services load."""
    for path, data in _documents(view):
        yield from (Hit(place, message, path) for place, message in _find_plugins(data))
    for document in _several_documents(view):
        yield from _hits(document, _find_plugins(document.data))
    for path, line, name, _ in _java_properties(view):
        if _PLUGINS.search(_fold(name)):
            yield Hit((), PLUGS.format(name), path, "", line, 1)


def search_pod_files(view: View) -> Iterator[Hit]:
    """Search profiles and accounts for files that hold credentials of a pod, or that it has besides the tree."""
    from halgit.validation.rules.dynamic_access import pod_files

    for path, data in _documents(view):
        if is_profile(path):
            yield from (Hit(place, message, path) for place, message in _pod_paths(data))
    for document in _several_documents(view):
        yield from _hits(document, _pod_paths(document.data))
    for path, line, name, value in _java_properties(view):
        if _is_pod_path(value):
            yield Hit((), READS.format(name, value), path, "", line, 1)
    for document in _accounts(view):
        yield from _hits(document, pod_files(document))


# --- what is searched


def _documents(view: View) -> Iterator[tuple[str, Value]]:
    for path, file in view.files.items():
        if file.data is not MISSING and not path.startswith(".boms/"):
            yield path, file.data


def _accounts(view: View) -> Iterator[Document]:
    return (document for file in view.account_files for document in file.documents)


def _several_documents(view: View) -> Iterator[Document]:
    """The documents of profiles that hold several, which nothing has parsed."""
    for path, file in view.files.items():
        is_yaml = is_profile(path) and path.endswith((".yml", ".yaml"))
        if is_yaml and file.data is MISSING and isinstance(file.body, bytes):
            for read in account_files.read({path: file.body}):
                yield from read.documents


def _java_properties(view: View) -> Iterator[tuple[str, int, str, str]]:
    """The properties of profiles in the format of Java, each with its file and line."""
    for path, file in view.files.items():
        if is_profile(path) and path.endswith(".properties") and isinstance(file.body, bytes):
            for line, name, value in read_properties(file.body.decode("utf-8", "replace")):
                yield path, line, name, value


def _hits(document: Document, found: Iterator[tuple[Path, str]]) -> Iterator[Hit]:
    return hits(document, [(path, message, "") for path, message in found])


# --- documents


def find_programs(data: Value, *, in_profile: bool = False) -> Iterator[tuple[Path, str]]:
    """Yield the path and a message for every property of a document that names a program or loads code.

    Only in a profile can a value be an expression.
    """
    return _programs(data, (), "", in_profile)


def _find_plugins(data: Value) -> Iterator[tuple[Path, str]]:
    """Yield the path and a message for every list of plug-ins, or of places they come from, that is not empty."""
    return ((path, PLUGS.format(_label(path))) for path in _plugins(data, (), ""))


def _pod_paths(data: Value) -> Iterator[tuple[Path, str]]:
    """Yield the path and a message for every value that is a file with credentials of a pod."""
    found = ((path, text) for path, text in strings_in(data) if path and _is_pod_path(text))
    return ((path, READS.format(path[-1], text)) for path, text in found)


def _is_pod_path(text: str) -> bool:
    return normalize_path(_PREFIX.sub("", text)).startswith(CREDENTIALS)


def _plugins(data: Value, path: Path, above: str) -> Iterator[Path]:
    for step, value, name in _entries(data, above):
        if value and _PLUGINS.search(name):
            yield (*path, step)
        else:
            yield from _plugins(value, (*path, step), name)


def _entries(data: Value, above: str) -> Iterator[tuple[Step, Value, str]]:
    """Yield each key or position of a node, its value, and the name of the property; a position adds nothing to it."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in items:
        yield step, value, above if isinstance(step, int) else f"{above}.{_fold(step)}" if above else _fold(step)


def _programs(data: Value, path: Path, above: str, in_profile: bool) -> Iterator[tuple[Path, str]]:
    for step, value, name in _entries(data, above):
        if isinstance(value, (dict, list)):
            yield from _programs(value, (*path, step), name, in_profile)
            continue
        is_in_environment = _fold(str(path[-1])) == "env" if path else False
        message = _explain_value(
            name, _label((*path, step)), value, in_profile=in_profile, in_environment=is_in_environment
        )
        if message:
            yield (*path, step), message


def _label(path: Path) -> str:
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "the item")


def _explain_value(name: str, label: str, value: Value, *, in_profile: bool, in_environment: bool = False) -> str:
    if not _is_set(value):
        return ""
    if _names_program(name) or _names_program(_of_variable(label)):
        return RUNS.format(label)
    if _SETTINGS.search(name) or _SETTINGS.search(_of_variable(label)):
        return LOADS.format(label)
    text = value if isinstance(value, str) else ""
    if in_profile and _EXPRESSION in text:
        return f"{label} holds #{{, an expression that Spring evaluates and that can run a program."
    return LOADS.format(label) if _variable_loads(label, text, in_environment=in_environment) else ""


def _variable_loads(name: str, text: str, *, in_environment: bool) -> bool:
    """Return whether an environment variable loads code, by options of the JVM, a search path, or properties."""
    if name in {"LD_PRELOAD", "LD_AUDIT"} or (in_environment and name in _CODE_VARIABLES):
        return True
    if name == _JSON_VARIABLE:
        return _json_loads(text)
    if name not in _JVM_VARIABLES and not name.endswith("_OPTS"):
        return False
    defined = ((one[1], one[2] or "x") for one in _DEFINITION.finditer(text))
    return bool(_JVM.search(text)) or any(
        _explain_value(_fold(name), name, value, in_profile=True) for name, value in defined
    )


def _json_loads(text: str) -> bool:
    import json

    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return next(find_programs(data, in_profile=True), None) is not None


def _is_set(value: Value) -> bool:
    return isinstance(value, (Secret, SecretText)) or (isinstance(value, str) and bool(value.strip()))


@lru_cache(maxsize=10_000)
def _fold(key: str) -> str:
    return str(key).replace("-", "").replace("_", "").lower()


@lru_cache(maxsize=10_000)
def _of_variable(name: str) -> str:
    """Return the property that Spring binds from an environment variable; empty for another name."""
    return re.sub(r"\.(\d+)(?=\.|$)", "", name.lower().replace("_", ".")) if name.isupper() else ""


@lru_cache(maxsize=10_000)
def _names_program(property_: str) -> bool:
    """Return whether a property names a program. The accounts of a list share their properties, so most are known."""
    return property_.endswith(("command", "path", "executable")) and _PROGRAM.search(property_) is not None


# --- .properties


def read_properties(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, name and value of each property of a `.properties` file, as `java.util.Properties` reads it."""
    number, logical = 0, ""
    for at, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        body = line.lstrip(" \t\f")
        if not logical:
            number = at
            if body[:1] in {"", "#", "!"}:
                continue
        logical += body
        if (len(logical) - len(logical.rstrip("\\"))) % 2:
            logical = logical[:-1]
            continue
        name, value = _split_property(logical)
        yield number, name, value
        logical = ""
    if logical:
        yield (number, *_split_property(logical))


def _split_property(line: str) -> tuple[str, str]:
    match = re.match(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*", line)
    end = match.end() if match else len(line)
    return _unescape(match[1] if match else line), _unescape(line[end:])


def _unescape(text: str) -> str:
    signs = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
    return re.sub(
        r"\\(u[0-9a-fA-F]{4}|.)",
        lambda one: chr(int(one[1][1:], 16)) if len(one[1]) > 1 else signs.get(one[1], one[1]),
        text,
    )
