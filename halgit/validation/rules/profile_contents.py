"""Rules on the contents of profiles: lists that hide others, files the service does not have, encrypted files.

Spring takes a list whole from the source with the highest precedence; Halyard copies profiles without reading them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from halgit import yaml as hyaml
from halgit.annotations import Final
from halgit.halyard import layout, services
from halgit.halyard.coercion import is_true
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, File, Path, Severity, Value
from halgit.record import replace
from halgit.text.paths import list_elements, relax_name
from halgit.text.phrases import join_words
from halgit.validation.account_keys import find_provider
from halgit.validation.properties import find_name
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import BESIDE_CONFIG, named_step, word
from halgit.validation.rules.local_files import BACKUP_FOLDER
from halgit.validation.view import Node, View

_Names = dict[str, None]
_List = tuple[str, Path, _Names]
"""The file of a list, its path, and the names of its items."""

_MOST_NAMES: Final = 5
_SPRING_PROFILES: Final = ("", "-overrides", "-local")
"""Endings of the names of profiles that Spring always reads, lowest precedence first."""


def _named_lists(data: Value, path: Path = ()) -> Iterator[tuple[Path, _Names]]:
    """Every list of a profile whose items are strings, have names, or are base images with ids."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _named_lists(value, (*path, key))
    elif isinstance(data, list) and data:
        names = [_name_of(item) for item in data]
        if None not in names:
            yield path, dict.fromkeys(map(str, names))


def _name_of(item: Value) -> str | None:
    """The name of a list item, the id of a base image, or the item itself if it is a string."""
    if not isinstance(item, dict):
        return word(item)
    image = item.get(find_name(item, "baseImage"))
    return word(image.get(find_name(image, "id")) if isinstance(image, dict) else item.get(find_name(item, "name")))


def _key(path: Path) -> tuple[str, ...]:
    """A path as Spring compares properties."""
    return tuple(relax_name(part) for step in path for part in list_elements(str(step)))


_WRITTEN: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "clouddriver": (
        ("providers", "accounts", ""),
        ("providers", "clusters", ""),
        ("providers", "defaultRegions", ""),
        ("artifacts", "accounts", "artifacts"),
    ),
    "igor": (
        ("ci", "masters", ""),
        ("ci", "accounts", ""),
        ("repository", "searches", ""),
        ("artifacts", "accounts", "artifacts"),
    ),
    "echo": (
        ("pubsub", "subscriptions", "pubsub"),
        ("pubsub", "publishers", "pubsub"),
        ("artifacts", "accounts", "artifacts"),
        ("ci", "accounts", ""),
    ),
    "rosco": (("providers", "bakeryDefaults.baseImages", ""),),
}
"""The lists that Halyard writes for a service: the section of the deployment, the list in each of its entries, and the
property above the entries (Halyard's profile factories)."""


def _halconfig_lists(view: View, service: str) -> Iterator[tuple[tuple[str, ...], _List]]:
    """The lists that Halyard generates for a service from the halconfig, by the property they become."""
    if view.deployment is None:
        return
    for section, steps, above in _WRITTEN.get(service, ()):
        for entry, node in view.deployment.entries(section):
            if is_true(node.get("enabled")):
                name = find_provider(entry) if section == "providers" else entry
                yield _key((above, name, steps) if above else (name, steps)), _config_list(node, *steps.split("."))
    if service == "kayenta":
        for node in view.deployment.items("canary", "serviceIntegrations"):
            if is_true(node.get("enabled")):
                yield _key(("kayenta", str(node.get("name")), "accounts")), _config_list(node, "accounts")


def _config_list(node: Node, *steps: str) -> _List:
    names = (_name_of(item.value) for item in node.items(*steps))
    return "config", node.at(*steps), dict.fromkeys(str(name) for name in names if name is not None)


def _hidden_lists(view: View) -> Iterator[Hit]:
    """A list of a profile that hides items of the halconfig, or of a profile below it."""
    reported: set[tuple[str, int, Path]] = set()
    for service in view.running.get(view.compiled.deployment, ()):
        if service not in services.SPRING_SERVICES:
            continue
        profiles = list(_profiles_of(view, service))
        is_generated = not any(file.path.endswith(f"/{service}.yml") for file in profiles)
        known = dict(_halconfig_lists(view, services.get_base(service))) if profiles and is_generated else {}
        for part in (one for file in profiles for one in view.profile_documents(file)):
            for path, names in _named_lists(part.properties.data):
                below = known.get(_key(path))
                lost = [name for name in below[2] if name not in names] if below else []
                at, line, column = part.place(path) if lost else (path, 0, 0)
                if below and lost and (part.source, line, at) not in reported:
                    reported.add((part.source, line, at))
                    message = _hiding(path, "" if below[0] == part.source else below[0], lost)
                    yield Hit(at, message, part.source, line=line, column=column)
                known[_key(path)] = part.source, path, names


def _hiding(path: Path, other: str, lost: list[str]) -> str:
    shown = join_words(lost if len(lost) <= _MOST_NAMES else [*lost[:_MOST_NAMES], f"{len(lost) - _MOST_NAMES} more"])
    source = {"config": "the halconfig", "": "a document above it"}.get(other, other)
    return f"This list hides {path[-1]} of {source}: {shown} {'disappears' if len(lost) == 1 else 'disappear'}."


def _profiles_of(view: View, service: str) -> Iterator[File]:
    """The profiles that a service always reads, lowest precedence first."""
    owners = dict.fromkeys(("spinnaker", services.get_base(service), service))
    for name in (f"{owner}{ending}.yml" for ending in _SPRING_PROFILES for owner in owners):
        path = f"{view.compiled.deployment}/profiles/{name}"
        file = view.files.get(path)
        is_taken = service in layout.find_profile_services(name)
        if is_taken and file is not None and (isinstance(file.data, dict) or path in view.several_documents):
            yield file


def _strings(data: Value, path: Path = ()) -> Iterator[tuple[Path, str]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in items:
        if isinstance(value, str):
            yield (*path, step), value
        else:
            yield from _strings(value, (*path, step))


_HOMES: Final = r"(?:~|\$HOME|\$\{(?:HOME|user\.home)\}|/root|/(?:home|Users)/[\w.-]+)/\.hal"
"""The home of Halyard as shells and Spring write it, and that of people who copied it from their machine."""


def _halyard_files(view: View) -> Iterator[Hit]:
    home = view.compiled.hal_home.rstrip("/")
    below = re.compile(rf"(?<![\w.-])(?:{re.escape(home)}|{_HOMES})/(?!\w+/staging/)")
    for file, path, value in _texts_of_services(view):
        if below.search(value):
            message = f"{named_step(path)} names a file below {home}/, which the service's pod does not have."
            yield Hit(path, message, file.path)
        elif value.removeprefix("file:").startswith(BACKUP_FOLDER):
            message = f"{named_step(path)} begins with {BACKUP_FOLDER}, which only `hal backup restore` replaces."
            yield Hit(path, message, file.path, "Mount the file into the service's pod, and write its path there.")
    yield from _halyard_files_in_texts(view, below)


_TEXTS: Final = (".yml", ".yaml", ".properties", ".xml", ".json", ".js", ".sh")


def _halyard_files_in_texts(view: View, below: re.Pattern[str]) -> Iterator[Hit]:
    """Profiles that are no single YAML document: several documents, properties, scripts."""
    start = f"{view.compiled.deployment}/profiles/"
    for path, file in view.files.items():
        is_text = file.data is MISSING and isinstance(file.body, bytes) and b".hal/" in file.body
        if path.startswith(start) and path.endswith(_TEXTS) and is_text and isinstance(file.body, bytes):
            for number, line in enumerate(file.body.decode("utf-8", "replace").splitlines(), 1):
                if below.search(line) and not line.lstrip().startswith(("#", "//")):
                    message = (
                        f"This line names a file of {view.compiled.hal_home}, which the service's pod does not have."
                    )
                    yield Hit((), message, view.written_in(path), line=number, column=1)


def _texts_of_services(view: View) -> Iterator[tuple[File, Path, str]]:
    """Yield every string that a service reads: those of profiles, and of service-settings for the pod."""
    for file, node in view.documents("profiles"):
        yield from ((file, path, value) for path, value in _strings(node.value))
    for file, node in view.documents("service-settings"):
        yield from ((file, path, value) for path, value in _strings(node.get("env"), ("env",)))
        commands = ("kubernetes", "customHealthCheckExecCommands")
        yield from ((file, path, value) for path, value in _strings(node.get(*commands), commands))


_REFUSED: Final = frozenset({"spring.profiles.active", "spring.profiles.include", "spring.profiles.default"})
"""Properties that Spring Boot 2.7 refuses in the file of a profile."""

_ALWAYS_ACTIVE: Final = frozenset({"local"})

_PROFILE_FILE: Final = lazy_pattern(r"[^/]+/profiles/[^/]*-[^/]*\.ya?ml")
_CONDITIONS: Final = (("spring", "profiles"), ("spring", "config", "activate", "onprofile"))


def _spring_profiles(view: View) -> Iterator[Hit]:
    active = _active_profiles(view)
    for path, file in view.files.items():
        if _PROFILE_FILE.fullmatch(path) and not path.endswith("/spinnaker-monitoring-local.yml"):
            for document, is_only in _documents_of(file):
                of_spring = _below_spring(document)
                for hit in (*_refused_properties(of_spring), *_unmet_conditions(of_spring, active)):
                    yield replace(hit, file=path, path=hit.path if is_only else ())


def _below_spring(document: Value) -> Value:
    entries = document.items() if isinstance(document, dict) else ()
    return {key: value for key, value in entries if _key((key,))[0] == "spring"}


def _active_profiles(view: View) -> frozenset[str]:
    """The profiles that may be active: those of every service, and those that service-settings name."""
    named = (str(node.get("env", "SPRING_PROFILES_ACTIVE") or "") for _, node in view.documents("service-settings"))
    return frozenset({"local", "test", "overrides"}.union(*(re.split("[, ]+", names) for names in named)))


def _documents_of(file: File) -> Iterator[tuple[Value, bool]]:
    """Yield the documents of a profile, each with whether it is the only one."""
    if file.data is not MISSING:
        yield file.data, True
    elif isinstance(file.body, bytes):
        yield from ((document, False) for document in hyaml.read(file.body, file.path, many=True).documents)


def _refused_properties(document: Value) -> Iterator[Hit]:
    found: dict[str, Path] = {}
    for path, _ in _leaves(document):
        found.setdefault(".".join(_key(path)[:3]), path)
    for name in (one for one in found if one in _REFUSED):
        yield Hit(found[name], f"{name} is set in the file of a profile, where Spring Boot refuses it.")


def _unmet_conditions(document: Value, active: frozenset[str]) -> Iterator[Hit]:
    for condition in _CONDITIONS:
        found = [(path, value) for path, value in _leaves(document) if _is_item(_key(path), condition)]
        wanted = [one.strip() for _, value in found for one in (word(value) or "").split(",") if one.strip()]
        if wanted and not any(_holds(one, names) for one in wanted for names in (_ALWAYS_ACTIVE, active)):
            message = f"Spring reads this document only if the profile {' or '.join(wanted)} is active."
            hint = "Remove the condition, or activate the profile."
            yield Hit(found[0][0], message, hint=hint, severity=Severity.WARNING)


def _is_item(key: tuple[str, ...], condition: tuple[str, ...]) -> bool:
    """Return whether this is the property of a condition, or an item of its list."""
    return key[: len(condition)] == condition and all(part.isdigit() for part in key[len(condition) :])


def _holds(expression: str, active: frozenset[str]) -> bool:
    """Evaluate an expression of Spring's `Profiles`, such as `!prod` or `eu & (a | b)`."""
    return _disjunction(re.findall(r"[()&|!]|[^()&|!\s]+", expression), active)


def _disjunction(tokens: list[str], active: frozenset[str]) -> bool:
    value = _operand(tokens, active)
    while tokens and tokens[0] in "&|":
        is_and, other = tokens.pop(0) == "&", _operand(tokens, active)
        value = (value and other) if is_and else (value or other)
    return value


def _operand(tokens: list[str], active: frozenset[str]) -> bool:
    token = tokens.pop(0) if tokens else ""
    if token == "!":
        return not _operand(tokens, active)
    if token != "(":
        return token in active
    value = _disjunction(tokens, active)
    del tokens[:1]
    return value


def _leaves(data: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in items:
        if value and isinstance(value, (dict, list)):
            yield from _leaves(value, (*path, step))
        else:
            yield (*path, step), value


def _sops(view: View) -> Iterator[Hit]:
    for path, file in view.files.items():
        message = _describe_encryption(path, file)
        if message:
            section = ("sops",) if isinstance(file.data, dict) else ()
            yield Hit(section, f"{path} is encrypted by SOPS{message}.", path)
    for path, text in view.compiled.accounts.items():
        if b"sops:" in text and b"ENC[" in text:
            message = f"{path} is encrypted by SOPS, and nothing decrypts it: the config server serves it as it is."
            hint = "Encrypt its values as {cipher} with `halgit accounts`, or use references that Clouddriver reads."
            yield Hit((), message, path, hint, 1, 1)


def _describe_encryption(path: str, file: File) -> str:
    """Return how SOPS encrypted a file of the tree, as the end of a sentence; empty if it did not."""
    documents = [file.data] if isinstance(file.data, dict) else []
    if not documents and isinstance(file.body, bytes) and b"sops" in file.body and b"ENC[" in file.body:
        if b"\nsops_mac=" in file.body:
            return " as dotenv, and nothing decrypts it"
        documents = list(hyaml.read(file.body, path, many=True).documents)
    sections = [one.get("sops") for one in documents if isinstance(one, dict)]
    if not any(isinstance(one, Mapping) and ("mac" in one or "lastmodified" in one) for one in sections):
        return ""
    return ", and nothing decrypts it" + (f": it has {len(documents)} documents" if len(documents) > 1 else "")


def _without_deployment(view: View) -> Iterator[Hit]:
    skipped = [left.path for left in view.compiled.skipped] if "config" in view.files else []
    for folder in BESIDE_CONFIG:
        first = next((path for path in skipped if path.startswith(folder)), None)
        if first is not None:
            message = f"{folder[:-1]} is beside config, where Halyard does not read it."
            hint = f"Move it to {view.compiled.deployment}/{folder[:-1]}."
            yield Hit((), message, view.written_in(first), hint, 1, 1)


RULES = (
    Rule("profiles/halyard-file", _halyard_files),
    Rule("profiles/hidden-list", _hidden_lists),
    Rule("profiles/no-deployment-folder", _without_deployment),
    Rule("profiles/sops", _sops),
    Rule("profiles/spring-profiles", _spring_profiles),
)
