"""Rules on profiles by their names and sizes: what no service takes or reads, what replaces Halyard's own files.

What stands in a profile is the business of other modules.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, urlsplit

from halgit.annotations import Final
from halgit.halyard import layout, services
from halgit.halyard.coercion import coerce_boolean, coerce_integer, is_true
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, File
from halgit.record import replace
from halgit.text.phrases import describe_kind, find_similar, join_words, suggest_nearest
from halgit.validation.properties import find_name
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import BESIDE_CONFIG, skipped_file
from halgit.validation.view import Node, ProfileDocument, View, name_of
from halgit.vocabulary import gather_vocabulary

_LARGEST = 1024 * 1024
_KEY = lazy_pattern(r"[-._a-zA-Z0-9]+")
_YAML = (".yml", ".yaml")
_READ_BY_SPRING = (*_YAML, ".properties", ".xml")
_OVERRIDES = {"gate": 2, "igor": 2, "orca": 2, "fiat": 1, "rosco": 1}
"""Services that get addresses of high availability: 1 where Clouddriver's counts, 2 where Echo's counts as well."""


def _profiles(view: View) -> Iterator[tuple[Node, File, str, tuple[str, ...]]]:
    """Every profile with its deployment, its name below `profiles/`, and the running services that take it."""
    for deployment in view.deployments:
        start = f"{name_of(deployment)}/profiles/"
        running = view.running[name_of(deployment)]
        for path, file in view.files.items():
            if path.startswith(start):
                name = path[len(start) :]
                taken = set(layout.find_profile_services(name))
                yield deployment, file, name, tuple(service for service in running if service in taken)


def _not_taken(view: View) -> Iterator[Hit]:
    for left in view.compiled.skipped:
        place = layout.classify_file(left.path, tuple(view.running))
        if left.path.startswith(BESIDE_CONFIG) and "config" in view.files:
            continue  # profiles/no-deployment-folder reports the folder
        if left.reason.startswith("the folder"):
            yield replace(skipped_file(view, left), hint="Move the file, or remove it.")
        elif place.kind == "profile" and left.reason.startswith(("no service", "config has no")):
            yield skipped_file(view, left)


def _copy(view: View) -> Iterator[Hit]:
    for left in view.compiled.skipped:
        place = layout.classify_file(left.path, tuple(view.running))
        if place.kind == "profile" and place.services and left.reason.startswith(("backup copy", "variant or copy")):
            name = left.path.rsplit("/", 1)[-1]
            bases = tuple(dict.fromkeys(services.get_base(service) for service in place.services))
            whom = "every Spring service" if len(place.services) == len(services.SPRING_SERVICES) else join_words(bases)
            message = f"Halyard would copy {name} to {whom}; halgit skips it ({left.reason})."
            yield Hit((), message, view.written_in(left.path), line=1, column=1)


def _replaces(view: View) -> Iterator[Hit]:
    for deployment, file, name, takers in _profiles(view):
        if not takers or name not in _generated(deployment, takers):
            continue
        message = f"{name} replaces the file that Halyard generates from the halconfig."
        instead = "settings-local.js" if name == "settings.js" else re.sub(r"(-overrides)?\.yml$", "-local.yml", name)
        yield Hit((), message, file.path, f"Keep only the differences, in {instead}.")


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
        running = view.running[name_of(deployment)]
        if part is None or part in running:
            continue
        family = [service for service in services.list_family(part) if service in running]
        if not family or (takers and part == services.get_base(part)):
            continue
        whole = services.get_base(part)
        hint = f"Move the settings to {whole}-local.yml, which every part reads."
        if part != whole:
            hint = f"Move the settings to {whole}-local.yml, or enable haServices.{whole}."
        readers = f"{join_words(family)} {_do_not_read(family)} it"
        yield Hit((), f"{name} is for {part}, which does not run; {readers}.", file.path, hint)


def _do_not_read(takers: Sequence[str]) -> str:
    return "does not read" if len(takers) == 1 else "do not read"


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
    others = {hit.file for hit in _other_mode(view)}
    for _, file, name, takers in _profiles(view):
        stem = name.rsplit(".", 1)[0]
        if not takers or "/" in name or not name.endswith(_YAML) or file.path in others:
            continue
        for service in takers:
            ending = stem.removeprefix(f"{service}-")
            known = {"local", "overrides", *(s.removeprefix(f"{service}-") for s in services.list_family(service))}
            if stem == ending or ending in known:
                continue
            near = find_similar(ending.lower(), ("local", "overrides"), 1, 0.75)
            if near:
                message = f"{service} does not read {name}: its Spring profile is {near[0]}, not {ending}."
                yield Hit((), message, file.path, f"Rename it to {service}-{near[0]}.yml.")
                break


_OF_ALL: Final = ("spinnaker", "spinnakerconfig")
"""Names of files that every Spring service reads, before a dash and a Spring profile."""
_MONITORING: Final = "spinnaker-monitoring-local.yml"


def _not_read(view: View) -> Iterator[Hit]:
    """A file that begins with a service's name is mounted, but Spring reads only those of active profiles."""
    reported = {hit.file for rule in (_other_mode, _mistyped) for hit in rule(view)}
    for deployment, file, name, takers in _profiles(view):
        takers = tuple(service for service in takers if service in services.SPRING_SERVICES)
        if not takers or "/" in name or name == _MONITORING or file.path in reported:
            continue
        if any(_is_read(view, deployment, service, name) for service in takers) or _is_named(view, deployment, name):
            continue
        if len(takers) == len([one for one in view.running[name_of(deployment)] if one in services.SPRING_SERVICES]):
            message, owner = f"{name} is mounted for all services, which do not read it.", _OF_ALL[0]
        else:
            message = f"{name} is mounted for {join_words(takers)}, which {_do_not_read(takers)} it."
            owner = services.get_base(takers[0])
        instead = f"Rename it to {owner}-local.yml" if name.endswith(_YAML) else "Name it in a profile that uses it"
        yield Hit((), message, file.path, f"{instead}, or remove it.")


def _is_read(view: View, deployment: Node, service: str, name: str) -> bool:
    """Return whether Spring reads a file of this name: the service's own, or that of an active profile."""
    stem, _, ending = name.rpartition(".")
    settings = view.settings(name_of(deployment)).get(service)
    active = Node((), settings).get("env", "SPRING_PROFILES_ACTIVE")
    profiles = {"local", "overrides", *(str(active).replace(" ", "").split(",") if active else ())}
    owners = {service, services.get_base(service), *services.list_family(service), *_OF_ALL}
    known = owners | {f"{owner}-{profile}" for owner in owners for profile in profiles}
    return f".{ending}" in _READ_BY_SPRING and stem in known


def _is_named(view: View, deployment: Node, name: str) -> bool:
    """Return whether another profile or the service-settings name a file, for example as a certificate."""
    for path, file in view.files.items():
        if path.startswith(f"{name_of(deployment)}/") and not path.endswith(f"/profiles/{name}"):
            if file.data is not MISSING and gather_vocabulary(file.data).contains(name):
                return True
            if file.data is MISSING and isinstance(file.body, bytes) and name.encode() in file.body:
                return True
    return False


def _disabled(view: View) -> Iterator[Hit]:
    for deployment, file, name, takers in _profiles(view):
        readers = layout.find_profile_services(name)
        readers, takers = (("monitoring-daemon",), ()) if name == _MONITORING else (readers, takers)
        running = view.running[name_of(deployment)]
        family = services.list_family(readers[0]) if readers else ()
        if family and not any(one in running for one in (*takers, *family)):
            yield Hit((), f"{name} is for {_part(name) or readers[0]}, which is not enabled.", file.path)


def _bad_name(view: View) -> Iterator[Hit]:
    for deployment, file, name, takers in _profiles(view):
        base = posixpath.basename(name)
        if takers and services.get_mode(deployment.value) == services.KUBERNETES_MODE and not _KEY.fullmatch(base):
            message = f"{base!r} is not a valid key of a Kubernetes Secret."
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
                message = (
                    f"The files of {service} in {where} total {total:,} bytes; a Secret holds at most {_LARGEST:,}."
                )
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
            yield Hit((), f"{name} is {describe_kind(file.data)}, so Spring reads no property from it.", file.path)


def _unanswered_addresses(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        for path, file in view.files.items():
            if path.startswith(f"{name_of(deployment)}/profiles/"):
                for part in view.profile_documents(file):
                    if gather_vocabulary(part.properties.data).contains("spin-"):
                        yield from _unanswered_addresses_of(view, deployment, part)


def _unanswered_addresses_of(view: View, deployment: Node, part: ProfileDocument) -> Iterator[Hit]:
    found = Node((), part.properties.data)
    section = find_name(found.value, "services") if isinstance(found.value, dict) else ""
    for _, entry in found.entries(section):
        if isinstance(entry.value, dict):
            key, switch = find_name(entry.value, "baseUrl"), find_name(entry.value, "enabled")
            address = _spinnaker_address(entry.get(key))
            wrong = _no_answer_reason(view, deployment, address) if address is not None else None
            if wrong and coerce_boolean(entry.get(switch)) is not False:
                path, line, column = part.place(entry.at(key))
                yield Hit(path, wrong[0], part.source, wrong[1], line, column)


def _spinnaker_address(value: object) -> SplitResult | None:
    """An address of Spinnaker's own, `spin-<service>`, taken apart; None for all others."""
    if not isinstance(value, str) or "spin-" not in value:
        return None
    try:
        split = urlsplit(value)
        return split if (split.hostname or "").startswith("spin-") and split.port != 0 else None
    except ValueError:
        return None


def _no_answer_reason(view: View, deployment: Node, address: SplitResult) -> tuple[str, str] | None:
    """Return why nothing answers at an address, and the next step; None if something does, or if it is unknown."""
    host, *rest = (address.hostname or "").split(".")
    if rest and rest[0] != deployment.get("deploymentEnvironment", "location"):
        return None
    service, running = host.removeprefix("spin-"), view.running[name_of(deployment)]
    if service not in services.SERVICES:
        hint = suggest_nearest(host, [f"spin-{name}" for name in running], "Write the name of a service that runs.")
        return f"No service of Spinnaker is named {host}.", hint
    settings = Node((), view.settings(name_of(deployment)).get(service))
    if settings.get("overrideBaseUrl") or coerce_boolean(settings.get("skipLifeCycleManagement")):
        return None
    if service not in running:
        parts = [f"spin-{name}" for name in services.list_family(service) if name in running]
        hint = f"Write one of {', '.join(parts)}." if parts else "Remove the address, or enable the service."
        return f"{service} does not run in this deployment, so nothing answers at {host}.", hint
    port = coerce_integer(settings.get("port"), 32) if settings.get("port") is not None else services.get_port(service)
    if address.port is not None and port is not None and address.port != port:
        return f"{host} listens on port {port}, not on {address.port}.", f"Write {host}:{port}."
    return None


RULES = (
    Rule("profiles/bad-name", _bad_name),
    Rule("profiles/copy", _copy),
    Rule("profiles/disabled-service", _disabled),
    Rule("profiles/mistyped", _mistyped),
    Rule("profiles/unknown-address", _unanswered_addresses),
    Rule("profiles/no-mapping", _no_mapping),
    Rule("profiles/unused", _not_taken),
    Rule("profiles/not-read", _not_read),
    Rule("profiles/other-mode", _other_mode),
    Rule("profiles/replaces-generated", _replaces),
    Rule("profiles/too-large", _too_large),
)
