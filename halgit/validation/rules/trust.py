"""Rules on what a repository makes Halyard or a service do in its pod: run a program, or read a file of the pod.

The author of a repository could use either to get at the credentials of the pod. No repository setting lowers these
findings; with `--deny-commands` they are errors. Facts: Halyard's validation runs `passwordCommand` with `bash -c`;
Clouddriver runs kubeconfig exec plug-ins; Orca and Rosco run the executables that their profiles name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from halgit.annotations import Final
from halgit.halyard import model
from halgit.pipeline import MISSING, Path, Value
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.kubeconfigs import find_kubeconfigs
from halgit.validation.rules.local_files import named, show_path
from halgit.validation.view import View
from halgit.vocabulary import gather_vocabulary

CREDENTIALS: Final = ("/var/run/secrets/", "/run/secrets/", "/proc/", "/root/")
"""Folders of these in which no setting of a service lies by default."""

_WORDS: Final = (
    "command", "path", "executable", "opts", "options", "env", "classpath", "javahome", "json", "ldpreload", "ldaudit",
)  # fmt: skip
"""How the keys end, in lower case and without `-` and `_`, of which one has to occur in a document with a program."""
_PROFILE_WORDS: Final = (*_WORDS, "config", "import", "location")
_UNPARSED: Final = (".yml", ".yaml", ".properties")
"""Files of several documents, and properties of Java, are looked at as they are."""


def _commands(view: View) -> Iterator[Hit]:
    if view.account_files or _any_document(view, _may_name_program):
        from halgit.validation.rules.programs import search_programs

        yield from search_programs(view)
    for kubeconfig in find_kubeconfigs(view):
        for number, name, user in kubeconfig.entries("users", "user"):
            for key in ("exec", "auth-provider"):
                if user.get(key):
                    message = f"User {name} of a kubeconfig has {key}, a program that Clouddriver runs."
                    yield kubeconfig.hit(("users", number, "user", key), message)


def _plugins(view: View) -> Iterator[Hit]:
    if _any_document(view, _may_load_plugins):
        from halgit.validation.rules.programs import search_plugins

        yield from search_plugins(view)


def _any_document(view: View, test: Callable[[Value, bool], bool]) -> bool:
    """Return whether the test holds for a document and whether it is a profile, or whether nothing has parsed one."""
    return any(
        path.endswith(_UNPARSED) if file.data is MISSING else test(file.data, is_profile(path))
        for path, file in view.files.items()
        if not path.startswith(".boms/")
    )


def _may_load_plugins(data: Value, _: bool) -> bool:
    return any("extensibility" in str(key).lower() for key in gather_vocabulary(data).keys)


def _may_read_file(data: Value, in_profile: bool) -> bool:
    return in_profile and gather_vocabulary(data).contains(*CREDENTIALS)


def _may_name_program(data: Value, in_profile: bool) -> bool:
    """Return whether a document has a key or an expression without which it cannot name a program."""
    vocabulary = gather_vocabulary(data)
    words = _PROFILE_WORDS if in_profile else _WORDS
    return any(_fold(key).endswith(words) for key in vocabulary.keys) or (in_profile and vocabulary.contains("#{"))


@lru_cache(maxsize=10_000)
def _fold(key: object) -> str:
    return str(key).replace("-", "").replace("_", "").lower()


def _reads(view: View) -> Iterator[Hit]:
    yield from _local_files(view)
    for kubeconfig in find_kubeconfigs(view):
        for path, value in kubeconfig.files():
            if value.startswith("/"):
                message = f"{path[-1]} of a kubeconfig makes Clouddriver read {value}, a file of its pod."
                yield kubeconfig.hit(path, message)
    if view.account_files or _any_document(view, _may_read_file):
        from halgit.validation.rules.programs import search_pod_files

        yield from search_pod_files(view)


def _local_files(view: View) -> Iterator[Hit]:
    """Report each local file that is neither in the tree nor mounted by the operator, with the number of its places."""
    config, places = view.config.value, dict[str, list[Path]]()
    for path, value in model.list_local_files(config) if isinstance(config, dict) else ():
        if named(view, value) == "outside":
            places.setdefault(str(value), []).append(path)
    for value, paths in places.items():
        more = f" It is named in {len(paths)} places." if len(paths) > 1 else ""
        message = f"{paths[0][-1]} makes Halyard read {show_path(value)}, a file of its pod.{more}"
        yield Hit(paths[0], message, hint=_MOUNTED)


_MOUNTED: Final = (
    "Keep the file in the layer, or use a secret reference. An operator who mounts it into Halyard's pod names it with "
    "--mounted."
)


def is_profile(path: str) -> bool:
    """Return whether a file of the tree is a profile of a service."""
    return "/profiles/" in path


RULES = (
    Rule("trust/loads-plugin", _plugins),
    Rule("trust/reads-file", _reads),
    Rule("trust/runs-command", _commands),
)
