"""Rules on the halconfig's local-file fields: kubeconfigs, key files, key stores. They must be where they are named.

Halyard copies every such file when it generates, also those of providers that are not enabled; those of continuous
integration, canary analysis and Stackdriver only where they are in use (`halyard-facts` section 3).
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

from halgit import yaml as hyaml
from halgit.annotations import Final, Literal
from halgit.halyard import model
from halgit.halyard.coercion import is_true
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, File, Path, Severity, Value
from halgit.record import Record
from halgit.redaction import Secret, SecretText
from halgit.text.phrases import suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import word
from halgit.validation.view import View, name_of

_NOT_IN_USE = "Halyard does not copy it while it is not in use."


def _fields(view: View) -> Iterator[tuple[Path, Value]]:
    if isinstance(view.config.value, dict):
        yield from model.list_local_files(view.config.value)


def _missing(view: View) -> Iterator[Hit]:
    known = tuple(view.files) if len(view.files) <= _FEW else ()
    for path, value in _fields(view):
        if named(view, value) == "missing":
            hint = suggest_nearest(str(value), known, "Add the file to the layer, or correct the path.")
            used = _in_use(view, path)
            if str(value).startswith(BACKUP_FOLDER):
                message = f"{path[-1]} begins with {BACKUP_FOLDER}, which only `hal backup restore` replaces."
                yield Hit(path, message, hint=_BACKUP_HINT.format(view.compiled.hal_home))
                continue
            message = f"{path[-1]} names {show_path(str(value))}, which is not in the tree."
            severity = None if used else Severity.INFO
            yield Hit(path, message if used else f"{message} {_NOT_IN_USE}", hint=hint, severity=severity)


BACKUP_FOLDER: Final = "{%halconfig-dir%}"
_BACKUP_HINT: Final = "Replace it by {}, or convert the archive with `halgit import`."

_FEW: Final = 200
"""Among more files than this no like name is looked for."""

_PATH: Final = lazy_pattern(r"/?(?:[\w.@-]{1,40}/)*[\w.@-]{1,40}")


def show_path(value: str) -> str:
    """A path as a message may show it. What looks like none may be the secret itself, put in place of its file."""
    like = "/" in value or re.search(r"\.[A-Za-z]{1,10}$", value)
    return value if like and _PATH.fullmatch(value) else "a file"


def _in_use(view: View, path: Path) -> bool:
    """Return whether Halyard copies the file of this field of a deployment."""
    deployment = next((node for node in view.deployments if node.path == path[:2]), None)
    if deployment is None or len(path) < 4:
        return True
    if path[2] in {"ci", "repository"}:
        return "igor" in view.running.get(name_of(deployment), ())
    if path[2] == "canary":
        return is_true(deployment.get("canary", "enabled"))
    if path[2:4] == ("providers", "kubernetes") and path[-1] == "kubeconfigFile":
        return not is_true(deployment.value["providers"]["kubernetes"]["accounts"][path[-2]].get("serviceAccount"))
    if path[2:4] == ("metricStores", "stackdriver"):
        return is_true(deployment.get("metricStores", "stackdriver", "enabled"))
    return True


def _home(view: View) -> Iterator[Hit]:
    for path, value in _fields(view):
        if named(view, value) == "home":
            yield Hit(path, f"{path[-1]} begins with ~, which Halyard does not expand.")


def _empty(view: View) -> Iterator[Hit]:
    for path, value in _fields(view):
        file = named(view, value)
        if isinstance(file, Named) and file.empty:
            severity = Severity.ERROR if path[2:4] == ("providers", "dcos") else None
            yield Hit(path, f"{path[-1]} names {file.path}, which is empty.", severity=severity)


Elsewhere = Literal["missing", "outside", "home", "unknown"]


class Named(Record):
    """A file of the tree that a field names. `data` is what its YAML holds; MISSING where it cannot be looked at."""

    path: str
    file: File

    @property
    def data(self) -> Value:
        if self.file.data is not MISSING:
            return self.file.data
        if not isinstance(self.file.body, bytes):
            return MISSING
        read = hyaml.read(self.file.body, self.path)
        return MISSING if read.findings and not read.documents else read.data

    @property
    def empty(self) -> bool:
        """True if there is not a byte in it."""
        return self.file.body == b"" and self.file.data in (MISSING, None)


def named(view: View, value: Value) -> Named | Elsewhere | None:
    """Return the path in a local-file field; None if it is empty, a reference or served by a config server.

    `missing`: in the tree, where no such file is. `outside`: a path that only the pod knows. `home`: it begins with
    `~`, which Halyard does not expand (`FileService`).
    """
    if isinstance(value, (Secret, SecretText)):
        return "unknown"
    said = word(value)
    if not said or said.startswith("configserver:") or is_mounted(view, said):
        return None
    if said.startswith("~"):
        return "home"
    home = _home_of(view)
    whole = normalize_path(said).rstrip("/")
    path = whole[len(home) :] if whole.startswith(home) else said
    if path.startswith("/"):
        return "outside"
    inside = posixpath.normpath(path)
    file = view.files.get(inside)
    if file is None:
        return "unknown" if inside in view.compiled.unfetched else "missing"
    return Named(inside, file)


def is_mounted(view: View, path: str) -> bool:
    """Return whether the operator says that this file, or a directory above it, is mounted into Halyard's pod."""
    home = _home_of(view)
    whole = normalize_path(path if path.startswith("/") else home + path)
    mounted = (one if one.startswith("/") else home + one for one in view.compiled.mounted)
    return any(whole.startswith(normalize_path(one)) for one in mounted)


def normalize_path(path: str) -> str:
    """Return an absolute path without `..` and double slashes, and with a slash at its end."""
    return "/" + posixpath.normpath(path).strip("/") + "/" if path.startswith("/") else path


def _home_of(view: View) -> str:
    return view.compiled.hal_home.rstrip("/") + "/"


def _wrong_content(view: View) -> Iterator[Hit]:
    for path, value in _fields(view):
        kind = None if path[2] == "canary" and path[-1] == "usernamePasswordFile" else _KINDS.get(str(path[-1]))
        file = named(view, value) if kind else None
        body = file.file.body if isinstance(file, Named) else None
        if kind is None or not isinstance(file, Named) or not isinstance(body, bytes) or not body:
            continue
        if not kind.is_right(body) and not (b"sops" in body and b"ENC[" in body):
            severity = Severity.ERROR if path[2:4] == ("persistentStorage", "gcs") else None
            message = f"{path[-1]} names {file.path}, which is not {kind.name}."
            yield Hit(path, message, hint=kind.hint, severity=severity)


def _is_key_store(body: bytes) -> bool:
    """Return whether a file begins as a JKS, JCEKS or PKCS#12 file does."""
    return body.startswith((b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce", b"\x30"))


def _is_service_account(body: bytes) -> bool:
    try:
        data = json.loads(body)
    except ValueError:
        return False
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        return False
    required = _KEY_FIELDS.get(data["type"])
    return required is not None and all(isinstance(data.get(key), str) for key in required)


_KEY_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "service_account": ("client_id", "client_email", "private_key", "private_key_id"),
    "authorized_user": ("client_id", "client_secret", "refresh_token"),
    "gdch_service_account": (),
    "external_account": (),
    "external_account_authorized_user": (),
    "impersonated_service_account": (),
}
"""The types of credentials that Google's library 1.23 accepts, with the fields that it requires of the usual ones."""


class Kind(Record):
    """What the file of a field is, with the words for one that is something else."""

    name: str
    is_right: Callable[[bytes], bool]
    hint: str


def _has_pem(label: bytes) -> Callable[[bytes], bool]:
    """Return a check for a PEM file with a block whose label ends so."""
    return lambda body: b"-----BEGIN " in body and label + b"-----" in body


_GOOGLE_KEY: Final = Kind(
    "the JSON key of a service account", _is_service_account, "Use the JSON key that Google Cloud issued."
)
_KEY_STORE: Final = Kind("a JKS or PKCS#12 keystore", _is_key_store, "Create it with keytool.")
_CERTIFICATE: Final = Kind("a PEM certificate", _has_pem(b"CERTIFICATE"), "Use the certificate in PEM form.")
_PRIVATE_KEY: Final = Kind("a PEM private key", _has_pem(b"PRIVATE KEY"), "Use the private key in PEM form.")
_KINDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("jsonPath", "jsonKey", "credentialPath", "credentials_path"), _GOOGLE_KEY),
    **dict.fromkeys(("keyStore", "trustStore"), _KEY_STORE),
    **dict.fromkeys(("sslCertificateFile", "sslCACertificateFile", "caCertFile"), _CERTIFICATE),
    **dict.fromkeys(("sshPrivateKeyFilePath", "sslCertificateKeyFile"), _PRIVATE_KEY),
    "dockerconfigFile": Kind("a JSON file", lambda body: body.lstrip()[:1] == b"{", "Use Docker's config.json."),
    "metadataLocal": Kind("an XML file", lambda body: b"<" in body[:1000], "Use the identity provider's metadata."),
    "usernamePasswordFile": Kind("USER:PASSWORD", lambda body: b":" in body, "Write USER:PASSWORD into it."),
}
"""The kind of file that a local-file field needs, by its key. `canary/password-file` covers Prometheus."""


RULES = (
    Rule("local-files/content", _wrong_content),
    Rule("local-files/empty", _empty),
    Rule("local-files/home", _home),
    Rule("local-files/missing", _missing),
)
