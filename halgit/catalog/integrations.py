"""Rules on dynamic accounts, canary analysis, Pub/Sub and the persistent store."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="dynamic-accounts/dead-key",
        severity=Severity.WARNING,
        summary="A dynamic account has a key that Clouddriver no longer supports.",
        halyard="Clouddriver binds known keys and ignores others.",
        impact="The setting has no effect.",
        fix="Remove it.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts:
  - name: one
    provider-version: v2
  - name: two
    provider-version: v2
    liveManifestCalls: true
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/duplicate-name",
        severity=Severity.WARNING,
        summary="Two dynamic accounts have the same name.",
        halyard="Clouddriver loads one after the other on every refresh; names are shared by all providers.",
        impact="The account alternates between two configurations.",
        fix="Give one of them another name, or remove it.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts:
  - {name: prod, kubeconfigFile: /home/spinnaker/prod}
  - {name: prod, kubeconfigFile: /home/spinnaker/other}
""",
    ),
    Entry(
        id="dynamic-accounts/hides-halconfig",
        severity=Severity.WARNING,
        summary="The list of dynamic accounts hides accounts of the halconfig.",
        halyard=(
            "Clouddriver takes the whole list from the config server instead of the one that Halyard generates from "
            "the halconfig."
        ),
        impact="Accounts that are only in the halconfig disappear as soon as the list has an element.",
        fix="Repeat them in this list.",
        example="""\
# accounts/clouddriver-local.yml
# comment
kubernetes:
  accounts:
  - name: team
# default/profiles/spinnakerconfig.yml
spring:
  profiles: {include: git}
  cloud: {config: {server: {git: {uri: 'https://git.example.com/a.git'}}}}
""",
    ),
    Entry(
        id="dynamic-accounts/overridden",
        severity=Severity.WARNING,
        summary="Another file takes precedence over dynamic accounts, or Spring reads them only in some profiles.",
        halyard="In one folder Spring reads .properties before .yml; with on-profile, a document in that profile only.",
        impact="Changes of the accounts have no effect.",
        fix="Move the properties to the YAML file, or remove the profile.",
        example="""\
# accounts/clouddriver-local.yml
spring:
  config:
    activate:
      on-profile: prod
kubernetes:
  accounts: []
""",
    ),
    Entry(
        id="dynamic-accounts/several-lists",
        severity=Severity.WARNING,
        summary="Two files or documents have account lists of the same provider.",
        halyard="Spring takes the whole list from the source with the highest precedence and does not merge lists.",
        impact="The accounts of the other list disappear.",
        fix="Put all accounts of the provider into one list.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts:
  - {name: prod, kubeconfigFile: /home/spinnaker/prod}
# accounts/clouddriver.yml
kubernetes:
  accounts:
  - {name: test, kubeconfigFile: /home/spinnaker/test}
""",
    ),
    Entry(
        id="dynamic-accounts/several-documents",
        severity=Severity.WARNING,
        summary="A file of dynamic accounts has several YAML documents.",
        halyard=(
            "Spring reads each document as its own source; a later one overrides earlier ones, and lists are not "
            "merged."
        ),
        impact="Accounts of an earlier document may disappear.",
        fix="Use one document.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts: []
---
aws:
  accounts: []
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/skipped",
        severity=Severity.WARNING,
        summary="Clouddriver cannot use a dynamic account and skips it.",
        halyard="Clouddriver logs an invalid definition and retries on every refresh.",
        impact="The account is missing, or keeps its old configuration.",
        fix="Correct the account.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts:
  - cacheThreads: 1
  - name: one
    namespaces: [a]
    omit-namespaces: [b]
    kinds: [a]
    omitKinds: [b]
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/unknown-key",
        severity=Severity.WARNING,
        summary="A dynamic account has a key that Clouddriver does not know.",
        halyard="Clouddriver binds known keys by Spring's relaxed rules and ignores others.",
        impact="The setting has no effect.",
        fix="Correct or remove it.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts:
  - name: one
    kubeconfgFile: x
---
kubernetes:
  accounts:
  - name: two
    contexts: x
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/unreadable",
        severity=Severity.ERROR,
        summary="A file of dynamic accounts cannot be parsed.",
        halyard="One invalid file fails the whole refresh of Clouddriver, and its start.",
        impact="Account changes are not applied, and a restarted Clouddriver does not start.",
        fix="Correct the file.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts:
  - name: one
   context: x
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="dynamic-accounts/wrong-type",
        severity=Severity.ERROR,
        summary="A dynamic account breaks all accounts of its provider.",
        halyard="Clouddriver cannot bind the accounts: it keeps the old ones while it runs, and does not start again.",
        impact="Account changes are not applied.",
        fix="Correct the value.",
        example="""\
# accounts/clouddriver-local.yml
kubernetes:
  accounts:
  - name: one
    cacheThreads: {}
    namespaces: {}
docker-registry:
  accounts: {}
# default/profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="pubsub/publisher",
        severity=Severity.WARNING,
        summary="A Google Pub/Sub publisher is incomplete or duplicate.",
        halyard="Halyard's validator reports an error; `hal deploy apply` does not run it.",
        impact="Echo does not start, or publishes to only one of them.",
        fix="Set project and topicName, and use unique names.",
        example="""\
# config
deploymentConfigurations:
- name: default
  pubsub:
    google: {enabled: true, publishers: [{name: p, project: x, topicName: t}, {name: p, project: x}]}
""",
    ),
    Entry(
        id="canary/account",
        severity=Severity.WARNING,
        summary="A canary account has no name, a duplicate name, or a name with invalid characters.",
        halyard="Halyard's validator reports an error; `hal deploy apply` does not run it.",
        impact="Kayenta may not start, or confuses the accounts.",
        fix="Correct the name.",
        example="""\
# config
deploymentConfigurations:
- name: default
  canary:
    enabled: true
    serviceIntegrations:
    - $list: replace
    - {name: aws, enabled: true, s3Enabled: true, accounts: [{name: s3, bucket: b}]}
    - {name: prometheus, accounts: [{name: s3}, {endpoint: {baseUrl: 'http://p'}}, {name: My Prom}]}
""",
    ),
    Entry(
        id="canary/no-aws-entry",
        severity=Severity.ERROR,
        summary="canary.serviceIntegrations has no entry named aws.",
        halyard=(
            "A list in the halconfig replaces Halyard's six entries. Generating then ends with an exception, "
            "because Halyard looks for the aws entry even if it is unused."
        ),
        impact="Nothing can be deployed.",
        fix="Add `- {name: aws, enabled: false, accounts: []}`.",
        example="""\
# config
deploymentConfigurations:
- name: default
  canary:
    enabled: true
    serviceIntegrations:
    - $list: replace
    - {name: google, enabled: true, gcsEnabled: true, accounts: [{name: g, bucket: b, project: p}]}
""",
    ),
    Entry(
        id="canary/no-bucket",
        severity=Severity.WARNING,
        summary="A canary store is enabled, and no account has a bucket for it.",
        halyard="Halyard's validator reports an error; `hal deploy apply` does not run it.",
        impact="Kayenta cannot store results.",
        fix="Set bucket, and for Google also project.",
        example="""\
# config
deploymentConfigurations:
- name: default
  canary:
    enabled: true
    serviceIntegrations:
    - $list: replace
    - {name: aws, enabled: true, s3Enabled: true, accounts: [{name: s3}]}
    - {name: google, enabled: true, gcsEnabled: true, accounts: [{name: g, bucket: b}]}
""",
    ),
    Entry(
        id="canary/no-store",
        severity=Severity.WARNING,
        summary="Canary analysis is enabled without a store.",
        halyard="Halyard warns in `hal config canary`, not in `hal deploy apply`.",
        impact="Kayenta cannot store configurations and results.",
        fix="Enable google with gcsEnabled, or aws with s3Enabled.",
        example="""\
# config
deploymentConfigurations:
- name: default
  canary:
    enabled: true
    serviceIntegrations:
    - $list: replace
    - {name: aws, enabled: true, s3Enabled: false}
""",
    ),
    Entry(
        id="canary/password-file",
        severity=Severity.WARNING,
        summary="A usernamePasswordFile of Prometheus does not contain a username and a password.",
        halyard="Halyard's validator reports an error; `hal deploy apply` does not run it.",
        impact="Kayenta cannot log in.",
        fix="Write USER:PASSWORD into the file.",
        example="""\
# config
deploymentConfigurations:
- name: default
  canary:
    enabled: true
    serviceIntegrations:
    - $list: replace
    - {name: aws, enabled: true, s3Enabled: true, accounts: [{name: s3, bucket: b}]}
    - {name: prometheus, enabled: true, accounts: [{name: p, usernamePasswordFile: files/login}]}
# files/login
no colon
""",
    ),
    Entry(
        id="storage/none-chosen",
        severity=Severity.ERROR,
        summary="No persistent store is selected.",
        halyard="Halyard cannot generate Front50's configuration without one and ends with a FATAL problem.",
        impact="Nothing can be deployed.",
        fix="Set persistentStoreType to s3, gcs, azs, redis or oracle.",
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
    s3: {bucket: example, region: eu-central-1}
  security:
    apiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com/api/v1'}
    uiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com'}
""",
    ),
    Entry(
        id="storage/not-configured",
        severity=Severity.WARNING,
        summary="The selected store is not configured.",
        halyard=(
            "Halyard validates the selected store in `hal deploy apply`: a missing key of s3 or azs is an ERROR. "
            "For gcs it writes Front50's configuration without the missing keys, and the finding is a warning."
        ),
        impact="Front50 does not start, or finds no data.",
        fix="Configure the store.",
        example="""\
# config
deploymentConfigurations:
- name: default
  persistentStorage: {persistentStoreType: gcs}
""",
    ),
    Entry(
        id="storage/oracle",
        severity=Severity.ERROR,
        summary="The Oracle store lacks required keys.",
        halyard="Halyard validates the selected store in `hal deploy apply`; a missing key is FATAL or an ERROR.",
        impact="Nothing can be deployed.",
        fix="Complete the store.",
        example="""\
# config
deploymentConfigurations:
- name: default
  persistentStorage:
    persistentStoreType: oracle
    oracle: {compartmentId: a, userId: b, bucketName: a bucket}
""",
    ),
    Entry(
        id="storage/aws-region",
        severity=Severity.ERROR,
        summary="The region of the S3 store is not an AWS region.",
        halyard="`hal deploy apply` ends with `Cannot create enum from ... value!` unless an endpoint is set.",
        impact="Nothing can be deployed.",
        fix="Use the name of a region, such as eu-central-1.",
        example="""\
# config
deploymentConfigurations:
- name: default
  persistentStorage: {s3: {region: us-est-1}}
""",
    ),
)
