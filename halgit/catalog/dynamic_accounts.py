"""Rules on what dynamic accounts reach, and on what Spring makes of their file."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="dynamic-accounts/cipher",
        severity=Severity.ERROR,
        summary="A {cipher} value of dynamic accounts does not have the form that Spring decrypts.",
        halyard=(
            "Clouddriver decrypts hexadecimal digits without spaces. One value that cannot be decrypted stops its start"
            " and every refresh."
        ),
        impact="No account change is applied, and a restarted Clouddriver does not start.",
        fix="Encrypt the value again, with `halgit accounts update` or the config server's /encrypt.",
        example="""\
# accounts/clouddriver-local.yml
docker-registry:
  accounts:
  - name: hub
    address: https://r.example.com
    password: '{cipher}12 34'
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/empty-value",
        severity=Severity.ERROR,
        summary="An account has an empty list or mapping in a file with {cipher} values.",
        halyard=(
            "Spring copies the lists of such a file as text: an empty list becomes the text [], an empty mapping the"
            " text {}."
        ),
        impact=(
            "`namespaces: []` becomes a namespace named []; with `customResources: []` or `permissions: {}` no account"
            " of the provider loads."
        ),
        fix="Remove the key, which means the same.",
        example=f"""\
# accounts/clouddriver-local.yml
docker-registry:
  accounts:
  - name: hub
    address: https://r.example.com
    password: '{{cipher}}{"0a" * 32}'
    repositories: []
halgit:
  keep: '{{cipher}}{"0a" * 32}'
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/freeze",
        severity=Severity.INFO,
        summary="No {cipher} value of the file stays when its last account with one is removed.",
        halyard=(
            "Spring copies the lists of a file with {cipher} values, and a refresh without any keeps the last copy."
        ),
        impact="Clouddriver keeps removed accounts with their credentials until it is restarted.",
        fix="Add `halgit: {keep: '{cipher}...'}` to the file; `halgit accounts` writes it.",
        example=f"""\
# accounts/clouddriver-local.yml
docker-registry:
  accounts:
  - name: hub
    address: https://r.example.com
    password: '{{cipher}}{"0a" * 32}'
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/kubeconfig",
        severity=Severity.WARNING,
        summary="The kubeconfig of a dynamic account cannot be used, or the file that it names is missing.",
        halyard="Clouddriver reads the kubeconfig when it loads the account, and gets nothing besides it.",
        impact="The account is skipped, or its cluster cannot be reached.",
        fix="Correct it; `kubectl config view --minify --flatten --raw` writes a complete one.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts:
  - name: one
    kubeconfigFile: configserver:kubeconfigs/one
  - name: two
    kubeconfigContents: |
      current-context: c
      contexts: [{name: c, context: {cluster: c, user: u}}]
      clusters: [{name: c, cluster: {server: 'https://k.example.com', certificate-authority-data: '!'}}]
      users: [{name: u, user: {}}]
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/lost-filter",
        severity=Severity.ERROR,
        summary="A spaceFilter has a key with a space in a file with {cipher} values.",
        halyard="Spring copies the lists of such a file, but no property whose name has a space.",
        impact="The filter is lost, and the account reaches every space of the foundation.",
        fix="Rename the organization, or store the account in a file without {cipher} values.",
        example=f"""\
# accounts/clouddriver-local.yml
halgit: {{keep: '{{cipher}}{"0a" * 32}'}}
cloudfoundry:
  accounts:
  - name: one
    api: api.example.com
    user: u
    password: '{{cipher}}{"0a" * 32}'
    spaceFilter:
      '[Org Space]': [dev]
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/no-access",
        severity=Severity.WARNING,
        summary="A dynamic Kubernetes account has neither a kubeconfig nor a service account.",
        halyard="Clouddriver runs kubectl with whatever kubeconfig its pod happens to have.",
        impact="The account reaches no cluster, or another one than intended.",
        fix="Add kubeconfigContents, kubeconfigFile or serviceAccount: true.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts:
  - name: one
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/placeholder",
        severity=Severity.WARNING,
        summary="A value of a dynamic account holds ${.",
        halyard="Spring replaces the placeholder by a property or an environment variable of Clouddriver's pod.",
        impact="Clouddriver uses another value than the one in the file.",
        fix="Remove it, if no placeholder is meant.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts:
  - name: one
    serviceAccount: true
    environment: ${HOME}
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/spelling",
        severity=Severity.ERROR,
        summary="Two spellings of one section or list are in a file of dynamic accounts.",
        halyard="Spring's relaxed binding merges them item by item, so that parts of both are read.",
        impact="Accounts are missing or mixed up.",
        fix="Write one `accounts` list for each provider.",
        example="""\
# accounts/clouddriver-local.yml
docker-registry:
  accounts: [{name: one, address: 'https://r.example.com'}]
  accounts[0]: {name: two, address: 'https://r.example.com'}
dockerRegistry:
  enabled: true
# default/profiles/gate-local.yml
a: b
""",
    ),
)
