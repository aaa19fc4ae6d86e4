"""Findings of secret references: their form, their place, and what the operator allows."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="reference/deck",
        severity=Severity.ERROR,
        summary="A secret reference is in a file of Deck.",
        halyard="Deck serves the file to every browser.",
        impact="The secret would become public.",
        fix="Remove the reference; keep the secret in the profile of the service that needs it.",
        example="""\
# default/profiles/settings-local.js
window.spinnakerSettings.token = 'encrypted:vault!e:secret!n:deck!k:token';
""",
    ),
    Entry(
        id="reference/engine",
        severity=Severity.ERROR,
        summary="A reference uses an engine that the operator has not allowed.",
        halyard="Halyard and the services would resolve the reference themselves, or not at all.",
        impact="The secret is not read.",
        fix="Keep the secret in a secret store, or have the operator allow the engine with `--allow-engine`.",
        example="""\
# default/profiles/gate-local.yml
token: ${{ secret('env://TOKEN') }}
""",
    ),
    Entry(
        id="reference/file-place",
        severity=Severity.ERROR,
        summary="An `encryptedFile:` reference is in a place where no file can be generated.",
        halyard="Halyard writes secret files only for fields that name a local file.",
        impact="The service would receive the reference itself.",
        fix="Use `encrypted:` for a string, or mount the file with `kubernetes.volumes` of the service-settings.",
        example="""\
# default/profiles/gate-local.yml
file: encryptedFile:vault!e:secret!n:gate!k:file
""",
    ),
    Entry(
        id="reference/ignored-parameter",
        severity=Severity.WARNING,
        summary="A reference has a parameter that its engine does not read.",
        halyard="Halyard ignores the parameter.",
        impact="The reference may name another secret than intended.",
        fix="Correct or remove the parameter.",
        example="""\
# default/profiles/gate-local.yml
token: encrypted:gcs!b:bucket!f:file!k:token!r:eu
""",
    ),
    Entry(
        id="reference/inside-text",
        severity=Severity.WARNING,
        summary="A reference is inside a longer string.",
        halyard="Halyard resolves a reference only if it is the whole value.",
        impact="The service receives the reference itself.",
        fix="Use `${{ secret('...') }}` inside a string.",
        example="""\
# default/profiles/gate-local.yml
url: https://user:encrypted:vault!e:secret!n:gate!k:token@example.com
""",
    ),
    Entry(
        id="reference/malformed",
        severity=Severity.ERROR,
        summary="A reference is malformed.",
        halyard="Halyard ends with an exception when it resolves the reference.",
        impact="The secret is not read.",
        fix="Correct the reference.",
        example="""\
# default/profiles/gate-local.yml
token: encrypted:vault!n:gate!k:token
""",
    ),
    Entry(
        id="reference/namespace",
        severity=Severity.ERROR,
        summary="A reference names a Kubernetes namespace that the operator has not allowed.",
        halyard="Halyard does not read Kubernetes secrets.",
        impact="The secret is not read.",
        fix="Remove the namespace, or have the operator allow it with `--allow-namespace`.",
        example="""\
# default/profiles/gate-local.yml
token: encrypted:k8s!ns:other!n:gate!k:token
""",
    ),
    Entry(
        id="reference/not-allowed",
        severity=Severity.ERROR,
        summary="No `--allow-reference` pattern of the operator matches a reference.",
        halyard="Halyard would resolve the reference itself.",
        impact="The secret is not read.",
        fix="Use a secret that a pattern matches, or have the operator add a pattern.",
    ),
    Entry(
        id="reference/several-documents",
        severity=Severity.ERROR,
        summary="A reference is in a file of several YAML documents.",
        halyard="The service would receive the reference itself.",
        impact="The secret is not read.",
        fix="Split the file, one document in each.",
    ),
    Entry(
        id="reference/empty",
        severity=Severity.WARNING,
        summary="A secret is empty.",
        halyard="Halyard and the services use the empty value.",
        impact="Logins fail, or run without a password.",
        fix="Store a value, or remove the reference. A reference with a default may be empty.",
        late=True,
    ),
    Entry(
        id="reference/placeholder",
        severity=Severity.WARNING,
        summary="A secret of a Spring profile contains ${.",
        halyard="The service expands ${NAME} in every property, also in a resolved secret.",
        impact="The service gets another value, or does not start if NAME is unknown.",
        fix="Store ${none:$}{ in place of ${ in the secret, or use another value.",
        late=True,
    ),
    Entry(
        id="reference/trailing-newline",
        severity=Severity.WARNING,
        summary="A secret of one line ends with a newline.",
        halyard="Halyard and the services use the value with the newline.",
        impact="Logins fail, and headers and addresses are invalid.",
        fix="Store the secret without the newline, such as with printf instead of echo.",
        late=True,
    ),
)
