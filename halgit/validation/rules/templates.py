"""Rules on texts that Halyard puts, without escaping, into its templates: Jinja first, YAML in double quotes after it.

What each text becomes was recorded with a real deploy (service-settings and sizes of the halconfig). A text that breaks
the template fails the deploy after other services were applied; others are changed silently.
"""

from __future__ import annotations

from collections.abc import Iterator

from halgit.annotations import Final
from halgit.lazy import lazy_pattern
from halgit.pipeline import File, Path, Value
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.deployment import environment
from halgit.validation.rules.fields import named_step, word
from halgit.validation.view import Node, View

_TEXTS: Final = (
    ("artifactId",),
    ("healthEndpoint",),
    ("env", "*"),
    ("kubernetes", "podAnnotations", "*"),
    ("kubernetes", "podLabels", "*"),
    ("kubernetes", "serviceAnnotations", "*"),
    ("kubernetes", "serviceLabels", "*"),
    ("kubernetes", "nodeSelector", "*"),
    ("kubernetes", "imagePullSecrets", "*"),
    ("kubernetes", "customHealthCheckExecCommands", "*"),
)
"""The texts of service-settings that go into a template; `*` stands for every entry."""

_ESCAPE: Final = lazy_pattern(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.|$)", 16)
_KEPT: Final = frozenset({'"', "\\"})
"""Characters that an escape stands for; the text means what was written once these are escaped."""
_CHANGED: Final = frozenset('0abtnvfre /N_LPxuU\t"\\')
"""Characters that a backslash in double quotes of YAML may precede."""


def running_settings(view: View) -> Iterator[tuple[File, Node]]:
    """The service-settings of the services that run in the rendered deployment."""
    running = view.running.get(view.compiled.deployment, ())
    for file, node in view.documents("service-settings"):
        deployment, _, name = file.path.split("/", 2)
        if deployment == view.compiled.deployment and name.removesuffix(".yml") in running:
            yield file, node


def _texts(view: View) -> Iterator[tuple[File, Path, str]]:
    """Every text that goes into a template, with its file and path."""
    for file, node in running_settings(view):
        for steps in _TEXTS:
            yield from _below(file, node, steps)
    config = view.files.get("config")
    if config is not None:
        node = environment(view)
        for kind in ("requests", "limits"):
            for _, entry in node.entries("customSizing"):
                yield from _below(config, entry, (kind, "*"))
        for _, entry in node.entries("sidecars"):
            for item in entry.items():
                yield from _below(config, item, ("env", "*"))


_AS_JSON: Final = ("initContainers", "sidecars", "hostAliases", "tolerations", "affinity")
"""Maps of `deploymentEnvironment` that Halyard writes as JSON: only the marks of Jinja count in their texts."""


def _json_texts(view: View) -> Iterator[tuple[File, Path, str]]:
    """Every text of these maps that has a mark of Jinja; `env` of sidecars is written like other variables."""
    config = view.files.get("config")
    node = environment(view)
    for map_ in _AS_JSON if config is not None else ():
        for path, text in _strings(node.get(map_), node.at(map_)):
            if config is not None and "env" not in path and ("{{" in text or "{%" in text):
                yield config, path, text


def _strings(value: Value, path: Path) -> Iterator[tuple[Path, str]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in items:
        text = word(below)
        if text is None:
            yield from _strings(below, (*path, step))
        else:
            yield (*path, step), text


def _below(file: File, node: Node, steps: tuple[str, ...]) -> Iterator[tuple[File, Path, str]]:
    yield from ((file, path, text) for path, text in find_texts(node, steps))


def find_texts(node: Node, steps: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """The texts below these keys, each with its path."""
    if not steps:
        text = word(node.value)
        if text is not None:
            yield node.path, text
    elif steps[0] == "*":
        for below in (*(found for _, found in node.entries()), *node.items()):
            yield from find_texts(below, steps[1:])
    else:
        yield from find_texts(node.node(steps[0]), steps[1:])


MAPPINGS: Final = (
    ("env",),
    ("kubernetes", "podAnnotations"),
    ("kubernetes", "podLabels"),
    ("kubernetes", "serviceAnnotations"),
    ("kubernetes", "serviceLabels"),
    ("kubernetes", "nodeSelector"),
)
"""The mappings of service-settings whose keys go into a template too, before the value in double quotes."""


def _keys(view: View) -> Iterator[tuple[File, Path, str]]:
    """Every key that goes into a template, with its file and path."""
    for file, node in running_settings(view):
        for steps in MAPPINGS:
            yield from ((file, below.path, key) for key, below in node.entries(*steps))


def _broken_keys(view: View) -> Iterator[Hit]:
    """Keys that end the deploy: in the template, or at the latest at the API server.

    Of keys no deploy is recorded. A statement fails in Jinja; a double quote ends the key if the template quotes it,
    and makes it invalid in Kubernetes if it does not.
    """
    for file, path, key in _keys(view):
        what = _STATEMENT if "{%" in key else "a double quote" if '"' in key else ""
        if what:
            message = f"A key of {path[-2]} contains {what}, so Halyard's template fails."
            yield Hit(path, message, file.path, "Remove it from the key.")


def _changed_keys(view: View) -> Iterator[Hit]:
    for file, path, key in _keys(view):
        if "{{" in key and "}}" in key and "{%" not in key and '"' not in key:
            message = f"A key of {path[-2]} contains {_EXPRESSION}."
            yield Hit(path, message, file.path, "Write the key that is meant.")


_EXPRESSION: Final = "{{ ... }}, which Halyard's template evaluates"
_STATEMENT: Final = "{%, which begins a statement"


def _breakage(text: str) -> tuple[str, str]:
    """Return why a text breaks the template, and the next step; empty strings if it does not."""
    if "{%" in text:
        return _STATEMENT, "Remove it, or keep the text in a profile."
    if _escaped(text).count('"'):
        return "a double quote, which ends the string", 'Escape each double quote as \\" in single quotes.'
    for match in _ESCAPE.finditer(text):
        if match[1][:1] not in _CHANGED or match[1] in {"", "x", "u", "U"}:
            return f"the escape \\{match[1][:1]}, which YAML does not know", "Write \\\\ for each backslash."
    return "", ""


def _escaped(text: str) -> str:
    """The text without its escapes."""
    return _ESCAPE.sub("", text)


def _breaks(view: View) -> Iterator[Hit]:
    yield from _broken_keys(view)
    for file, path, text in _json_texts(view):
        if "{%" in text:
            message = f"{named_step(path)} contains {_STATEMENT} in Halyard's template."
            yield Hit(path, message, file.path, "Remove it.")
    for file, path, text in _texts(view):
        problem, hint = _breakage(text)
        if problem:
            is_quote = problem.startswith("a double quote") and not view.is_secret(path, file)
            shown = _quoted(text) if is_quote and "{{" not in text else ""
            hint = (
                "Halyard's template evaluates {{ ... }} too: write the text in another place." if "{{" in text else hint
            )
            message = f"{named_step(path)} contains {problem} in Halyard's template."
            yield Hit(path, message, file.path, f"Write {shown}." if shown else hint)


def _quoted(text: str) -> str:
    """The text in single quotes with its double quotes escaped, if it is short."""
    escaped = text.replace('\\"', '"').replace('"', '\\"').replace("'", "''")
    return f"'{escaped}'" if len(text) <= 60 and "\n" not in text and "\\" not in text else ""


def _changes(view: View) -> Iterator[Hit]:
    yield from _changed_keys(view)
    for file, path, text in _json_texts(view):
        if "}}" in text and "{%" not in text:
            yield Hit(path, f"{named_step(path)} contains {_EXPRESSION}.", file.path, "Build the text in the image.")
    for file, path, text in _texts(view):
        if _breakage(text)[0]:
            continue
        if "{{" in text and "}}" in text:
            hint = "Keep the text in a profile, or build it in the image."
            yield Hit(path, f"{named_step(path)} contains {_EXPRESSION}.", file.path, hint)
            continue
        if any(match[1] not in _KEPT for match in _ESCAPE.finditer(text)) or "\\\\" in text:
            message, hint = "a backslash, which starts an escape", "Write \\\\ for each backslash."
        elif "\n" in text.strip("\n"):
            message, hint = "a newline, which becomes a space", "Write \\n for each newline."
        else:
            continue
        yield Hit(path, f"{named_step(path)} contains {message} in Halyard's template.", file.path, hint)


_NULL_FAILS: Final = (("kubernetes", "volumes"), ("kubernetes", "useExecHealthCheck"), ("kubernetes", "useTcpProbe"))


def _nulls(view: View) -> Iterator[Hit]:
    for file, node in running_settings(view):
        for steps in _NULL_FAILS:
            section: Value = node.get(steps[0])
            if isinstance(section, dict) and steps[1] in section and section[steps[1]] is None:
                yield Hit(
                    node.at(*steps),
                    f"{steps[1]} is null, and Halyard fails on it in the middle of a deploy.",
                    file.path,
                )


RULES = (
    Rule("service-settings/breaks-template", _breaks),
    Rule("service-settings/changed-by-template", _changes),
    Rule("service-settings/null", _nulls),
)
