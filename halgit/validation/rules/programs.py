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
from halgit.pipeline import Path, Value
from halgit.redaction import Secret, SecretText
from halgit.vocabulary import gather_vocabulary

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

_EXPRESSION: Final = "#{"

RUNS: Final = "{} runs a program in the pod that reads it."
PLUGS: Final = "{} makes the service load plug-ins, which are programs that run in its pod."
LOADS: Final = "{} loads code or runs a program in the pod of the service."


def find_programs(data: Value, *, is_profile: bool = False) -> Iterator[tuple[Path, str]]:
    """Yield the path and a message for every property of a document that names a program or loads code.

    Only in a profile can a value be an expression. A document whose keys name nothing of it is not walked.
    """
    vocabulary = gather_vocabulary(data)
    has_expression = is_profile and vocabulary.contains(_EXPRESSION)
    if has_expression or any(_may_name_program(key) for key in vocabulary.keys):
        yield from _programs(data, (), "", is_profile)


def explain_property(name: str, value: Value, *, is_profile: bool = False) -> str:
    """Return why a property, in any spelling, runs a program or loads code; empty if it does not."""
    return _explain_value(_fold(name), name, value, is_profile, in_environment=False)


def find_plugins(data: Value) -> Iterator[tuple[Path, str]]:
    """Yield the path and a message for every list of plug-ins, or of places they come from, that is not empty."""
    if any("extensibility" in str(key) for key in gather_vocabulary(data).keys):
        yield from ((path, PLUGS.format(_label(path))) for path in _plugins(data, (), ""))


def explain_plugin(name: str) -> str:
    """Return why a property, in any spelling, makes a service load plug-ins; empty if it does not."""
    return PLUGS.format(name) if _PLUGINS.search(_fold(name)) else ""


def _plugins(data: Value, path: Path, above: str) -> Iterator[Path]:
    for step, value in data.items() if isinstance(data, dict) else ():
        name = f"{above}.{_fold(step)}" if above else _fold(step)
        if value and _PLUGINS.search(name):
            yield (*path, step)
        else:
            yield from _plugins(value, (*path, step), name)


@lru_cache(maxsize=10_000)
def _may_name_program(key: str) -> bool:
    """Return whether a property that ends with this key can be one of those searched for."""
    folded = _fold(str(key))
    if folded.endswith(("executable", "config", "import", "location")):
        return True
    return _names_program(folded) or _is_variable(str(key))


def _is_variable(key: str) -> bool:
    return key in _JVM_VARIABLES or key in _CODE_VARIABLES or key == _JSON_VARIABLE or key.endswith("_OPTS")


def _programs(data: Value, path: Path, above: str, is_profile: bool) -> Iterator[tuple[Path, str]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in items:
        name = above if isinstance(step, int) else f"{above}.{_fold(step)}" if above else _fold(step)
        if isinstance(value, (dict, list)):
            yield from _programs(value, (*path, step), name, is_profile)
            continue
        is_in_environment = _fold(str(path[-1])) == "env" if path else False
        message = _explain_value(name, _label((*path, step)), value, is_profile, in_environment=is_in_environment)
        if message:
            yield (*path, step), message


def _label(path: Path) -> str:
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "the item")


def _explain_value(name: str, label: str, value: Value, is_profile: bool, *, in_environment: bool) -> str:
    if not _is_set(value):
        return ""
    if _names_program(name) or _names_program(_of_variable(label)):
        return RUNS.format(label)
    if _SETTINGS.search(name) or _SETTINGS.search(_of_variable(label)):
        return LOADS.format(label)
    text = value if isinstance(value, str) else ""
    if is_profile and _EXPRESSION in text:
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
    defined = _DEFINITION.findall(text)
    return bool(_JVM.search(text)) or any(
        explain_property(one, value or "x", is_profile=True) for one, value in defined
    )


def _json_loads(text: str) -> bool:
    import json

    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return next(find_programs(data, is_profile=True), None) is not None


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
