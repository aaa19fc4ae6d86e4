"""Rules on what a repository makes Halyard or a service do in its pod: run a program, or read a file of the pod.

The author of a repository could use either to get at the credentials of the pod. No repository setting lowers these
findings; with `--deny-commands` they are errors. Facts: Halyard's validation runs `passwordCommand` with `bash -c`;
Clouddriver runs kubeconfig exec plug-ins; Orca and Rosco run the executables that their profiles name.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from halgit.annotations import TYPE_CHECKING, Final
from halgit.halyard import model
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, Path, Step, Value
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.kubeconfigs import find_kubeconfigs
from halgit.validation.rules.programs import (
    explain_plugin,
    explain_property,
    find_plugins,
    find_programs,
    read_properties,
)
from halgit.validation.view import View
from halgit.vocabulary import gather_vocabulary

if TYPE_CHECKING:
    from halgit.validation.account_files import Document

_OF_THE_POD: Final = lazy_pattern(r"/(var/run/secrets|run/secrets|proc|sys|dev|etc|root|home/[^/]+/\.(?!hal/)[^/]+)/")
"""Folders that hold a pod's own credentials and settings; configuration is never mounted there."""

_CREDENTIALS: Final = ("/var/run/secrets/", "/run/secrets/", "/proc/", "/root/")
"""Folders of these in which no setting of a service lies by default."""

_PREFIX: Final = lazy_pattern(r"^(?:optional:)?(?:file|configtree|url):(?:file:)?")
"""How Spring writes the address of a file."""


def _commands(view: View) -> Iterator[Hit]:
    for file, data in _documents(view):
        for path, message in find_programs(data, is_profile=_is_profile(file)):
            yield Hit(path, message, file)
    for document in _several_documents(view):
        yield from _hits(document, find_programs(document.data, is_profile=True))
    for file, number, name, value in _properties(view):
        if message := explain_property(name, value, is_profile=True):
            yield Hit((), message, file, "", number, 1)
    yield from _commands_of_accounts(view) if view.account_files else ()
    for kubeconfig in find_kubeconfigs(view):
        for number, name, user in kubeconfig.entries("users", "user"):
            for key in ("exec", "auth-provider"):
                if user.get(key):
                    message = f"User {name} of a kubeconfig has {key}, a program that Clouddriver runs."
                    yield kubeconfig.hit(("users", number, "user", key), message)


def _plugins(view: View) -> Iterator[Hit]:
    for file, data in _documents(view):
        yield from (Hit(path, message, file) for path, message in find_plugins(data))
    for document in _several_documents(view):
        yield from _hits(document, find_plugins(document.data))
    for file, number, name, _ in _properties(view):
        if message := explain_plugin(name):
            yield Hit((), message, file, "", number, 1)


def _reads(view: View) -> Iterator[Hit]:
    config = view.config.value
    for path, value in model.list_local_files(config) if isinstance(config, dict) else ():
        if isinstance(value, str) and _OF_THE_POD.match(_normalized(value)):
            yield Hit(path, f"{path[-1]} makes Halyard read {value}, a file of its pod.")
    for kubeconfig in find_kubeconfigs(view):
        for path, value in kubeconfig.files():
            if value.startswith("/"):
                message = f"{path[-1]} of a kubeconfig makes Clouddriver read {value}, a file of its pod."
                yield kubeconfig.hit(path, message)
    yield from _reads_of_profiles(view)
    yield from _reads_of_accounts(view) if view.account_files else ()


def _reads_of_profiles(view: View) -> Iterator[Hit]:
    for file, data in _documents(view):
        if _is_profile(file) and gather_vocabulary(data).contains(*_CREDENTIALS):
            yield from (Hit(path, message, file) for path, message in _pod_paths(data))
    for document in _several_documents(view):
        yield from _hits(document, _pod_paths(document.data))
    for file, number, name, value in _properties(view):
        if _is_pod_path(value):
            yield Hit((), _reads_message(name, value), file, "", number, 1)


def _commands_of_accounts(view: View) -> Iterator[Hit]:
    for file in view.account_files:
        for document in file.documents:
            yield from _hits(document, find_programs(document.data))


def _reads_of_accounts(view: View) -> Iterator[Hit]:
    from halgit.validation.rules.dynamic_access import pod_files

    for file in view.account_files:
        for document in file.documents:
            yield from _hits(document, pod_files(document))


def _hits(document: Document, found: Iterator[tuple[Path, str]]) -> Iterator[Hit]:
    from halgit.validation.rules.dynamic_accounts import hits

    return hits(document, [(path, message, "") for path, message in found])


def _documents(view: View) -> Iterator[tuple[str, Value]]:
    for file, found in view.files.items():
        if found.data is not MISSING and not file.startswith(".boms/"):
            yield file, found.data


def _is_profile(file: str) -> bool:
    return "/profiles/" in file


def _several_documents(view: View) -> Iterator[Document]:
    """The documents of profiles that hold several, which nothing has parsed."""
    from halgit.validation import account_files

    for path, file in view.files.items():
        if (
            _is_profile(path)
            and path.endswith((".yml", ".yaml"))
            and file.data is MISSING
            and isinstance(file.body, bytes)
        ):
            for read in account_files.read({path: file.body}):
                yield from read.documents


def _properties(view: View) -> Iterator[tuple[str, int, str, str]]:
    """The properties of profiles in the format of Java, each with its file and line."""
    for path, file in view.files.items():
        if _is_profile(path) and path.endswith(".properties") and isinstance(file.body, bytes):
            for number, name, value in read_properties(file.body.decode("utf-8", "replace")):
                yield path, number, name, value


def _pod_paths(data: Value) -> Iterator[tuple[Path, str]]:
    """Yield the path and a message for every value that is such a file."""
    from halgit.validation.account_access import strings_in

    found = ((path, text) for path, text in strings_in(data) if path and _is_pod_path(text))
    return ((path, _reads_message(path[-1], text)) for path, text in found)


def _is_pod_path(text: str) -> bool:
    """Return whether a value is the path or the address of a file that holds credentials of a pod."""
    return _normalized(_PREFIX.sub("", text)).startswith(_CREDENTIALS)


def _normalized(path: str) -> str:
    """Return an absolute path without `..` and double slashes; a folder keeps its slash."""
    return "/" + posixpath.normpath(path).lstrip("/") + "/" if path.startswith("/") else path


def _reads_message(step: Step, text: str) -> str:
    return f"{step} makes the service read {text}, a file of its pod."


RULES = (
    Rule("trust/loads-plugin", _plugins),
    Rule("trust/reads-file", _reads),
    Rule("trust/runs-command", _commands),
)
