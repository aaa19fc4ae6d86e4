"""Property names as Spring binds them: two spellings of one property must not come from two layers.

Spring reads `server.port` and `server: {port: }` as one property, and `kubeconfig-file`, `kubeconfigFile` and
`kubeconfig_file` too. A merge sees different keys, so both would be written, and which one wins would be Spring's
secret. Pure; knows no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from halgit.merge.diagnostics import Fault
from halgit.merge.selection import is_spring
from halgit.pipeline import EMPTY, MISSING, File, LayerId, Path, Trace, Value

Name = tuple[str, ...]

_ELEMENT = re.compile(r"\[[^\]]*\]|[^.\[\]]+")


@lru_cache(maxsize=8192)
def elements(key: str) -> Name:
    """The elements of a key in Spring's uniform form: split at dots, lower case, letters and digits only.

    What stands in brackets is taken as it is, as `ConfigurationPropertyName` does.
    """
    return tuple(part if part[0] == "[" else _uniform(part) for part in _ELEMENT.findall(key)) or (key,)


def _uniform(part: str) -> str:
    return "".join(letter for letter in part.lower() if letter.isalnum()) or part


def twins(data: Value, trace: Trace) -> Iterator[list[Path]]:
    """Groups of paths that spell one property in different ways.

    A list item is a world of its own, and looked at only where it has values of several origins.
    """
    worlds: list[tuple[Value, Trace, Path]] = [(data, trace, ())]
    while worlds:
        value, trace, path = worlds.pop()
        if not trace.children:
            continue
        if isinstance(value, dict):
            spelt: dict[Name, list[Path]] = {}
            for name, at, below in _properties(value, trace, (), path):
                spelt.setdefault(name, []).append(at)
                worlds += below
            yield from (paths for paths in spelt.values() if len(paths) > 1)
        elif isinstance(value, list):
            worlds += _items(value, trace, path)


_Worlds = list[tuple[Value, Trace, Path]]


def _properties(
    value: dict[str, Value], trace: Trace | None, name: Name, path: Path
) -> Iterator[tuple[Name, Path, _Worlds]]:
    """Every property of a mapping with its path, and the list items below it that have several origins."""
    children = trace.children if trace else EMPTY
    for key, item in value.items():
        full, at, below = name + elements(key), (*path, key), children.get(key)
        if isinstance(item, dict) and item:
            yield from _properties(item, below, full, at)
        else:
            yield full, at, _items(item, below, at) if below and isinstance(item, list) else []


def _items(value: list[Value], trace: Trace, path: Path) -> _Worlds:
    return [
        (value[step], below, (*path, step))
        for step, below in trace.children.items()
        if isinstance(step, int) and below.children
    ]


def twin_faults(file: File, ranks: Mapping[LayerId, int]) -> Iterator[Fault]:
    """Properties of a file that Spring reads as one and that come from different layers. `ranks`: highest wins."""
    if file.data is MISSING or file.trace is None or not is_spring(file.path):
        return
    for paths in twins(file.data, file.trace):
        yield from _twins(paths, file.trace, ranks)


def _twins(paths: list[Path], trace: Trace, ranks: Mapping[LayerId, int]) -> Iterator[Fault]:
    origins = sorted((trace.at(path).origin for path in paths), key=lambda origin: ranks[origin.layer])
    lowest = origins[0]
    for origin in origins:
        if origin.layer != lowest.layer:
            message = "Spring reads this as the property that {other} spells in another way, and would see both."
            hint = "Spell it as the lower layer does; the merge then replaces it."
            yield Fault("merge/two-spellings", origin, message, hint, lowest)
