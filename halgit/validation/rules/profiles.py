"""Rules on profiles by their names and sizes: what no service takes or reads, what replaces Halyard's own files.

What stands in a profile is the business of other modules.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator
from difflib import get_close_matches

from halgit.halyard import layout, services
from halgit.halyard.coercion import is_true
from halgit.pipeline import MISSING, File, Severity
from halgit.text.phrases import describe_kind, join_words
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.skipped import told
from halgit.validation.view import Node, View

_LARGEST = 1024 * 1024
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_YAML = (".yml", ".yaml")
_OVERRIDES = {"gate": 2, "igor": 2, "orca": 2, "fiat": 1, "rosco": 1}
"""Services that get addresses of high availability: 1 where Clouddriver's counts, 2 where Echo's counts as well."""


def _profiles(view: View) -> Iterator[tuple[Node, File, str, tuple[str, ...]]]:
    """Every profile with its deployment, its name below `profiles/`, and the running services that take it."""
    for deployment in view.deployments:
        start = f"{deployment.get('name')}/profiles/"
        running = view.running[str(deployment.get("name"))]
        for path, file in view.files.items():
            if path.startswith(start):
                name = path[len(start) :]
                taken = set(layout.find_profile_services(name))
                yield deployment, file, name, tuple(service for service in running if service in taken)


def _not_taken(view: View) -> Iterator[Hit]:
    for left in view.compiled.skipped:
        place = layout.classify_file(left.path, tuple(view.running))
        if place.kind == "profile" and left.reason.startswith(("no service", "config has no")):
            yield told(view, left)


def _copy(view: View) -> Iterator[Hit]:
    for left in view.compiled.skipped:
        place = layout.classify_file(left.path, tuple(view.running))
        if place.kind == "profile" and place.services and left.reason.startswith(("it is a backup", "it is a variant")):
            name = left.path.rsplit("/", 1)[-1]
            bases = tuple(dict.fromkeys(services.get_base(service) for service in place.services))
            whom = "every Spring service" if len(place.services) == len(services.SPRING_SERVICES) else join_words(bases)
            message = f"Halyard would hand {name} to {whom}; {left.reason}, and is left out of the rendered tree."
            yield Hit((), message, view.written_in(left.path), line=1, column=1)


def _replaces(view: View) -> Iterator[Hit]:
    for deployment, file, name, takers in _profiles(view):
        if not takers or name not in _generated(deployment, takers):
            continue
        message = f"{name} replaces the whole file of this name that Halyard makes of the halconfig."
        instead = "settings-local.js" if name == "settings.js" else re.sub(r"(-overrides)?\.yml$", "-local.yml", name)
        yield Hit((), message, file.path, f"Keep only what differs, in {instead}.")


def _generated(deployment: Node, takers: tuple[str, ...]) -> set[str]:
    """The names of the files Halyard makes for these services."""
    names = {"spinnaker.yml", "settings.js", *(f"{service}.yml" for service in takers)}
    split = [
        is_true(deployment.get("deploymentEnvironment", "haServices", name, "enabled"))
        for name in ("clouddriver", "echo")
    ]
    for service, count in _OVERRIDES.items():
        if any(split[:count]):
            names.add(f"{service}-overrides.yml")
    return names


def _other_mode(view: View) -> Iterator[Hit]:
    for deployment, file, name, takers in _profiles(view):
        part = _part(name)
        running = view.running[str(deployment.get("name"))]
        if part is None or part in running:
            continue
        family = [service for service in services.list_family(part) if service in running]
        if not family or (takers and part == services.get_base(part)):
            continue
        whole = services.get_base(part)
        hint = f"Move what it says to {whole}-local.yml, which every part reads."
        if part != whole:
            hint = f"Move what it says to {whole}-local.yml, or enable haServices.{whole}."
        yield Hit(
            (), f"{name} is for {part}, which does not run; {join_words(family)} will not read it.", file.path, hint
        )


def _part(name: str) -> str | None:
    """The service a profile is for by its name: the longest that fits. None for files of all parts of a service."""
    stem, dot, _ = name.rpartition(".")
    if not dot or not name.endswith(_YAML) or "/" in name:
        return None
    known = services.list_services_of_mode(services.KUBERNETES_MODE)
    fits = [service for service in known if stem in {service, f"{service}-local", f"{service}-overrides"}]
    found = max(fits, key=len, default=None)
    return None if found is not None and found == services.get_base(found) and stem != found else found


def _mistyped(view: View) -> Iterator[Hit]:
    for _, file, name, takers in _profiles(view):
        stem = name.rsplit(".", 1)[0]
        if not takers or "/" in name or not name.endswith(_YAML):
            continue
        for service in takers:
            ending = stem.removeprefix(f"{service}-")
            known = {"local", "overrides", *(s.removeprefix(f"{service}-") for s in services.list_family(service))}
            near = get_close_matches(ending.lower(), ["local", "overrides"], n=1, cutoff=0.75)
            if stem != ending and ending not in known and near:
                message = f"{service} gets {name} and does not read it: its Spring profile is {near[0]}, not {ending}."
                yield Hit((), message, file.path, f"Rename it to {service}-{near[0]}.yml.")
                break


def _bad_name(view: View) -> Iterator[Hit]:
    for deployment, file, name, takers in _profiles(view):
        base = posixpath.basename(name)
        if takers and services.get_mode(deployment.value) == services.KUBERNETES_MODE and not _KEY.fullmatch(base):
            message = f"A key of a Kubernetes secret cannot be called {base!r}, and each profile becomes one."
            yield Hit((), message, file.path)


def _too_large(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        if services.get_mode(deployment.value) != services.KUBERNETES_MODE:
            continue
        groups: dict[tuple[str, str], int] = defaultdict(int)
        largest: dict[tuple[str, str], tuple[int, str]] = {}
        for owner, file, name, takers in _profiles(view):
            for service in takers if owner is deployment else ():
                key = (service, posixpath.dirname(name))
                size = _size(view, file)
                groups[key] += size
                largest[key] = max(largest.get(key, (0, "")), (size, file.path))
        seen: set[str] = set()
        for (service, folder), total in groups.items():
            if total > _LARGEST and folder not in seen:
                seen.add(folder)
                where = f"profiles/{folder}".rstrip("/")
                message = f"The files {service} takes from {where} have {total:,} bytes; a secret holds {_LARGEST:,}."
                yield Hit((), message, largest[service, folder][1])


def _size(view: View, file: File) -> int:
    """The size of a file, roughly where it is still to be written out."""
    if isinstance(file.body, bytes):
        return len(file.body)
    texts = (layer.files.get(file.path, b"") for layer in view.compiled.layers)
    return max(map(len, texts), default=0)


def _no_mapping(view: View) -> Iterator[Hit]:
    for _, file, name, takers in _profiles(view):
        if not takers or "/" in name or not name.endswith(_YAML):
            continue
        if file.data is not MISSING and file.data is not None and not isinstance(file.data, dict):
            yield Hit((), f"{name} is {describe_kind(file.data)}, so Spring finds no property in it.", file.path)


RULES = (
    Rule(
        id="profiles/not-taken",
        severity=Severity.WARNING,
        summary="No service takes a profile of this name.",
        halyard="Halyard offers each profile to every service; what none takes by its name is silently ignored.",
        impact="What it says has no effect.",
        fix="Rename it after the service that is to read it, such as gate-local.yml, or remove it.",
        check=_not_taken,
    ),
    Rule(
        id="profiles/copy",
        severity=Severity.WARNING,
        summary="A backup copy or variant of a profile lies beside it.",
        halyard="Halyard hands out profiles by the beginning of their names, so that copies reach services as well.",
        impact="Old settings, and secrets in them, reach services that nobody thought of.",
        fix="Remove it; git keeps old versions.",
        check=_copy,
    ),
    Rule(
        id="profiles/replaces-generated",
        severity=Severity.WARNING,
        summary="A profile has the name of a file that Halyard makes.",
        halyard="A profile of the same name replaces Halyard's own file wholly, without merging.",
        impact="The service no longer sees what the halconfig says: accounts, logins, addresses.",
        fix="Keep only what differs, in the -local file of the service.",
        check=_replaces,
    ),
    Rule(
        id="profiles/other-mode",
        severity=Severity.WARNING,
        summary="A profile is for a service that does not run in this mode.",
        halyard="With high availability nothing takes clouddriver.yml or echo.yml; without it, nobody reads a part's.",
        impact="What it says has no effect.",
        fix="Move what it says to the -local file of the whole service.",
        check=_other_mode,
    ),
    Rule(
        id="profiles/mistyped",
        severity=Severity.WARNING,
        summary="The ending of a profile's name is nearly one that Spring reads.",
        halyard="Halyard hands the file out; Spring reads <service>-<profile>.yml for active profiles only, as local.",
        impact="What it says has no effect.",
        fix="Rename it to <service>-local.yml.",
        check=_mistyped,
    ),
    Rule(
        id="profiles/bad-name",
        severity=Severity.ERROR,
        summary="A profile's name cannot be a key of a Kubernetes secret.",
        halyard="Halyard puts profiles into secrets, with the file's name as the key, which Kubernetes then refuses.",
        impact="The service is not deployed.",
        fix="Use letters, digits, dots, dashes and underscores only.",
        check=_bad_name,
    ),
    Rule(
        id="profiles/too-large",
        severity=Severity.ERROR,
        summary="The profiles of a folder do not fit in one Kubernetes secret.",
        halyard="Halyard makes one secret of all files that a service has in a folder; Kubernetes takes at most 1 MiB.",
        impact="The service is not deployed.",
        fix="Move large files to another folder, or to where the service can fetch them.",
        check=_too_large,
    ),
    Rule(
        id="profiles/no-mapping",
        severity=Severity.WARNING,
        summary="A YAML profile holds no mapping.",
        halyard="Halyard copies profiles without a look; Spring makes no property of a list or of a single text.",
        impact="What it says has no effect.",
        fix="Write keys and values, or remove the file.",
        check=_no_mapping,
    ),
)
