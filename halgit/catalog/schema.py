"""Rules of the schemas: keys and values that the reader of a file refuses."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="schema/address",
        severity=Severity.ERROR,
        summary="An address is invalid.",
        halyard="Halyard parses addresses with java.net.URI and java.net.URL while it loads the halconfig.",
        impact="No command of Halyard works.",
        fix="Write scheme://host:port/path, without spaces.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security: {authn: {ldap: {url: 'ldap://host name:389'}}}
""",
    ),
    Entry(
        id="schema/cannot-rewrite",
        severity=Severity.ERROR,
        summary="Halyard loads the halconfig and then fails to generate from it.",
        halyard="Halyard asks each provider for its primary account, or an account for its address, and gets null.",
        impact="Nothing can be deployed, and no `hal config` command can save.",
        fix="Complete the account.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      accounts:
      - name: a
""",
    ),
    Entry(
        id="schema/crash",
        severity=Severity.ERROR,
        summary="Halyard crashes while it loads the halconfig.",
        halyard="Halyard ends with a NullPointerException and reports `Unexpected exception`.",
        impact="No command of Halyard works.",
        fix="Complete the entry.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dcos:
      accounts:
      - name: a
    oracle:
      accounts:
      - name: a
""",
    ),
    Entry(
        id="schema/enum",
        severity=Severity.ERROR,
        summary="A value is not one of the allowed words.",
        halyard=(
            "Halyard binds the whole halconfig at once and ends with `Could not translate your halconfig`. The "
            "words are case-sensitive."
        ),
        impact="No command of Halyard works.",
        fix="Use one of the listed words.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment: {type: distributed, size: tiny}
""",
    ),
    Entry(
        id="schema/missing-key",
        severity=Severity.ERROR,
        summary="A required key is missing.",
        halyard="Halyard binds the whole halconfig at once and ends with `Could not translate your halconfig`.",
        impact="No command of Halyard works.",
        fix="Add the key.",
        example="""\
# config
deploymentConfigurations:
- name: default
  canary:
    serviceIntegrations:
    - {enabled: true}
""",
    ),
    Entry(
        id="schema/null-item",
        severity=Severity.ERROR,
        summary="An item of a list is null.",
        halyard="Halyard keeps the null and ends with a NullPointerException when it generates or saves.",
        impact="Nothing can be deployed.",
        fix="Remove the dash, or write the item.",
        example="""\
# config
currentDeployment: default
deploymentConfigurations:
- name: default
  version: '1.36.1'
  providers:
    kubernetes:
      enabled: true
      primaryAccount: spinnaker
      accounts:
      - name: spinnaker
        serviceAccount: true
      -
  deploymentEnvironment:
    type: Distributed
    accountName: spinnaker
    location: spinnaker
  persistentStorage:
    persistentStoreType: s3
    s3: {bucket: example, region: eu-central-1}
  security:
    apiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com/api/v1'}
    uiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com'}
""",
    ),
    Entry(
        id="schema/null-key",
        severity=Severity.ERROR,
        summary="A key is null.",
        halyard="Halyard binds the whole halconfig at once and ends with `Could not translate your halconfig`.",
        impact="No command of Halyard works.",
        fix="Name the key, or quote it.",
        example="""\
# config
currentDeployment: default
deploymentConfigurations:
- name: default
  version: '1.36.1'
  providers:
    kubernetes:
      enabled: true
      primaryAccount: spinnaker
      accounts:
      - name: spinnaker
        serviceAccount: true
  deploymentEnvironment:
    type: Distributed
    accountName: spinnaker
    location: spinnaker
  persistentStorage:
    persistentStoreType: s3
    s3: {bucket: example, region: eu-central-1}
  security:
    apiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com/api/v1'}
    uiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com'}
  null: x
""",
    ),
    Entry(
        id="schema/range",
        severity=Severity.ERROR,
        summary="A number is too large or too small.",
        halyard="Halyard binds the whole halconfig at once and ends with `Could not translate your halconfig`.",
        impact="No command of Halyard works.",
        fix="Write a number within the bounds.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment: {livenessProbeConfig: {initialDelaySeconds: 3000000000}}
""",
    ),
    Entry(
        id="schema/too-large",
        severity=Severity.ERROR,
        summary="A document has more than two million values once every alias is expanded.",
        halyard="Halyard runs out of memory.",
        impact="No command of Halyard works.",
        fix="Write the document without aliases.",
    ),
    Entry(
        id="schema/unknown-key",
        severity=Severity.ERROR,
        summary="A key is unknown to the reader of the file.",
        halyard=(
            "Halyard binds the whole halconfig at once and ends with `Could not translate your halconfig`. In other "
            "files an unknown key is ignored, and the finding is a warning."
        ),
        impact="In the halconfig no command of Halyard works; elsewhere the setting has no effect.",
        fix="Correct, move or remove the key.",
        example="""\
# config
noValidate: true
deploymentConfigurations:
- name: default
  armory: {}
  deploymentEnvironment: {accountname: spinnaker}
  security:
    authn:
      ldap: {groupSearchFilter: "(uniqueMember={0})", groupRoleAttributes: cn}
  providers:
    kubernetes:
      accounts:
      - name: spinnaker
        kubeConfigFile: x
# default/profiles/clouddriver-local.yml
kubernetes:
  v2: {applyAppLabels: false}
  enable: true
  accounts:
  - name: a
    namespace: b
redis: {connection: redis://a}
# default/service-settings/gate.yml
kubernetes: {affinity: {}}
locking: {}
overrideBaseURL: http://spin-gate:8084
""",
    ),
    Entry(
        id="schema/unreadable",
        severity=Severity.ERROR,
        summary="A kubeconfig cannot be parsed.",
        halyard="Halyard reads the kubeconfig of every account when it generates, and ends with a FATAL problem.",
        impact="Nothing can be deployed.",
        fix="Correct the file.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: prod
        kubeconfigFile: files/prod
# files/prod
users:
	- name: a
""",
    ),
    Entry(
        id="schema/wrong-type",
        severity=Severity.ERROR,
        summary="A value has the wrong type.",
        halyard=(
            "Halyard binds the whole halconfig at once and ends with `Could not translate your halconfig`. For "
            "service-settings it ends with an unexpected exception."
        ),
        impact="Nothing can be deployed, or the service that reads the file does not start.",
        fix="Write a value of the expected type.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    bootstrapOnly: 'yes'
    haServices: {clouddriver: true}
  canary:
    serviceIntegrations: {google: {enabled: true}}
  security: {authn: {ldap: {managerPassword: [not-for-you]}}}
# default/service-settings/gate.yml
env: []
""",
    ),
)
