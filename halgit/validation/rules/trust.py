"""Rules on what a repository makes Halyard or a service do in its pod: run a program, or read a file of the pod.

The author of a repository could use either to get at the credentials of the pod. No repository setting lowers these
findings; with `--deny-commands` they are errors. Facts: Halyard's validation runs `passwordCommand` with `bash -c`;
Clouddriver runs kubeconfig exec plug-ins; Orca and Rosco run the executables that their profiles name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from halgit.annotations import Final
from halgit.halyard import model
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, Path, Value
from halgit.redaction import Secret, SecretText
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.kubeconfigs import find_kubeconfigs
from halgit.validation.view import View
from halgit.vocabulary import gather_vocabulary

_PROGRAM: Final = lazy_pattern(
    r"(^|\.)(passwordcommand|gcloudpath|kubectlpath|kubectlexecutable|kubectl\.executable|[a-z]*\d*executable(file)?path"
    r"|scriptpath|terraformexecutable|packerexecutable)$"
)
"""Property names, in lower case and without `-` and `_`, whose value a service or Halyard runs."""

_JVM: Final = lazy_pattern(r"-javaagent:|-agentpath:|-agentlib:|OnOutOfMemoryError=|OnError=|@argfiles")
"""Options of the JVM that load code or run a program."""

_JVM_VARIABLES: Final = frozenset({"JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "LD_PRELOAD"})

_OF_THE_POD: Final = ("/var/run/secrets/", "/run/secrets/", "/proc/", "/sys/", "/dev/", "/etc/", "/root/")
"""Folders that hold a pod's own credentials and settings; configuration is never mounted there."""


def _commands(view: View) -> Iterator[Hit]:
    for file, data in _documents(view):
        yield from _programs_in(file, data)
    yield from _commands_of_accounts(view) if view.account_files else ()
    for kubeconfig in find_kubeconfigs(view):
        for number, name, user in kubeconfig.entries("users", "user"):
            for key in ("exec", "auth-provider"):
                if user.get(key):
                    message = f"User {name} of a kubeconfig has {key}, a program that Clouddriver runs."
                    yield kubeconfig.hit(("users", number, "user", key), message)


def _reads(view: View) -> Iterator[Hit]:
    config = view.config.value
    for path, value in model.list_local_files(config) if isinstance(config, dict) else ():
        if isinstance(value, str) and value.startswith(_OF_THE_POD):
            yield Hit(path, f"{path[-1]} makes Halyard read {value}, a file of its pod.")
    for kubeconfig in find_kubeconfigs(view):
        for path, value in kubeconfig.files():
            if value.startswith("/"):
                message = f"{path[-1]} of a kubeconfig makes Clouddriver read {value}, a file of its pod."
                yield kubeconfig.hit(path, message)
    yield from _reads_of_accounts(view) if view.account_files else ()


def _commands_of_accounts(view: View) -> Iterator[Hit]:
    from halgit.validation.rules.dynamic_accounts import documents, hits

    for document in documents(view):
        found = _programs_in(document.file, document.data)
        yield from hits(document, [(hit.path, hit.message, hit.hint) for hit in found])


def _reads_of_accounts(view: View) -> Iterator[Hit]:
    from halgit.validation.rules.dynamic_access import pod_files
    from halgit.validation.rules.dynamic_accounts import documents, hits

    for document in documents(view):
        yield from hits(document, [(path, words, "") for path, words in pod_files(document)])


def _documents(view: View) -> Iterator[tuple[str, Value]]:
    for file, found in view.files.items():
        if found.data is not MISSING and not file.startswith(".boms/"):
            yield file, found.data


def _programs_in(file: str, data: Value) -> Iterator[Hit]:
    """Search a document, if its keys say that it can name a program."""
    keys = gather_vocabulary(data).keys
    if not _JVM_VARIABLES.isdisjoint(keys) or any(map(_may_name_program, keys)):
        yield from _programs(file, data)


@lru_cache(maxsize=10_000)
def _may_name_program(key: str) -> bool:
    """Return whether a property that ends with this key can name a program; see `kubectl.executable` of `_PROGRAM`."""
    return _fold(key).endswith("executable") or _names_program(_fold(key))


def _programs(file: str, data: Value, path: Path = (), above: str = "") -> Iterator[Hit]:
    """Every property of a document that names a program, and every JVM option that loads code."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in items:
        if isinstance(value, (dict, list)):
            yield from _programs(file, value, (*path, step), _property(above, step))
        elif _is_set(value) and _names_program(_property(above, step)):
            yield Hit((*path, step), f"{step} runs a program in the pod that reads it.", file)
        elif isinstance(value, str) and step in _JVM_VARIABLES and (step == "LD_PRELOAD" or _JVM.search(value)):
            yield Hit((*path, step), f"{step} loads code or runs a program in the pod of the service.", file)


def _is_set(value: Value) -> bool:
    return isinstance(value, (Secret, SecretText)) or (isinstance(value, str) and bool(value.strip()))


def _property(above: str, step: str | int) -> str:
    """The property name Spring binds for a step below another property; a list position adds nothing."""
    if isinstance(step, int):
        return above
    return f"{above}.{_fold(step)}" if above else _fold(step)


@lru_cache(maxsize=10_000)
def _fold(key: str) -> str:
    return key.replace("-", "").replace("_", "").lower()


@lru_cache(maxsize=10_000)
def _names_program(property_: str) -> bool:
    """Return whether a property names a program. The accounts of a list share their properties, so most are known."""
    return property_.endswith(("command", "path", "executable")) and _PROGRAM.search(property_) is not None


RULES = (
    Rule("trust/reads-file", _reads),
    Rule("trust/runs-command", _commands),
)
