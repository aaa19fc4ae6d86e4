"""Property names as Spring binds them: two layers must not spell one property in different ways.

Spring reads `server.port` and `server: {port: }` as one property, and `kubeconfig-file`, `kubeconfigFile` and
`kubeconfig_file` too. A merge by key would write both, and Spring would use either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from halgit.merge.diagnostics import Diagnostic
from halgit.merge.selection import is_spring
from halgit.pipeline import EMPTY, MISSING, File, LayerId, Path, Trace, Value
from halgit.text.paths import list_elements, relax_name

Name = tuple[str, ...]
_Scope = tuple[Value, Trace, Path]
"""A document or a list item: property names are unique within one."""


@lru_cache(maxsize=8192)
def elements(key: str) -> Name:
    """Return the elements of a key in Spring's uniform form: split at dots, lower case, letters and digits only.

    Text in brackets is kept, as `ConfigurationPropertyName` does.
    """
    return tuple(part if part[:1] == "[" else relax_name(part) or part for part in list_elements(key))


def find_respelled(data: Value, trace: Trace) -> Iterator[list[Path]]:
    """Yield groups of paths that spell one property in different ways.

    List items are separate scopes, searched only if their values have several origins.
    """
    scopes: list[_Scope] = [(data, trace, ())]
    while scopes:
        value, trace, path = scopes.pop()
        if not trace.children:
            continue
        if isinstance(value, dict):
            spellings: dict[Name, list[Path]] = {}
            for name, at, below in _properties(value, trace, (), path):
                spellings.setdefault(name, []).append(at)
                scopes += below
            yield from (paths for paths in spellings.values() if len(paths) > 1)
            yield from _indexed(spellings)
        elif isinstance(value, list):
            scopes += _items(value, trace, path)


def _indexed(spellings: Mapping[Name, list[Path]]) -> Iterator[list[Path]]:
    """Yield each list with the properties that name its items by index, as `accounts[0]` does beside `accounts`."""
    for name, paths in spellings.items():
        for depth in range(1, len(name)):
            if name[depth].startswith("[") and name[:depth] in spellings:
                yield [*spellings[name[:depth]], *paths]


def _properties(
    value: dict[str, Value], trace: Trace | None, name: Name, path: Path
) -> Iterator[tuple[Name, Path, list[_Scope]]]:
    """Yield every property of a mapping with its path, and the scopes below it that have several origins."""
    children = trace.children if trace else EMPTY
    for key, item in value.items():
        full, at, below = name + elements(key), (*path, key), children.get(key)
        if isinstance(item, dict) and item:
            yield from _properties(item, below, full, at)
        else:
            yield full, at, _items(item, below, at) if below and isinstance(item, list) else []


def _items(value: list[Value], trace: Trace, path: Path) -> list[_Scope]:
    return [
        (value[step], below, (*path, step))
        for step, below in trace.children.items()
        if isinstance(step, int) and below.children
    ]


def respelled_diagnostics(file: File, ranks: Mapping[LayerId, int]) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each property that two layers spell differently. `ranks` grow with the layer."""
    if file.data is MISSING or file.trace is None or not is_spring(file.path):
        return
    for paths in find_respelled(file.data, file.trace):
        yield from _diagnostics(paths, file.trace, ranks)


def _diagnostics(paths: list[Path], trace: Trace, ranks: Mapping[LayerId, int]) -> Iterator[Diagnostic]:
    origins = sorted((trace.at(path).origin for path in paths), key=lambda origin: ranks[origin.layer])
    lowest = origins[0]
    for origin in origins:
        if origin.layer != lowest.layer:
            message = "This property is spelled differently at {other}; Spring binds both spellings to one property."
            hint = "Use the spelling of the lower layer, so that the merge replaces its value."
            yield Diagnostic("merge/two-spellings", origin, message, hint, lowest)
