"""Rules on the deployment, its environment and version, and on keys and values of the halconfig as a whole."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="halyard/deploy",
        severity=Severity.ERROR,
        summary="Halyard reported a problem of a deploy that `halgit sync` started.",
        halyard="Halyard validates the deployment again, then applies each service. Its problems have four severities: "
        "FATAL and ERROR are errors here, WARNING and INFO stay what they are. `--severity` says which of them stop a "
        "deploy.",
        impact="Services that the findings name were not deployed. Others may have been.",
        fix="Follow the hint, and the daemon's log. `halgit sync` deploys the same services again.",
        late=True,
    ),
    Entry(
        id="deployment/duplicate-name",
        severity=Severity.ERROR,
        summary="Two deployments have the same name.",
        halyard="Halyard finds more than one deployment of the name and ends `hal deploy apply` with a FATAL problem.",
        impact="Nothing can be deployed.",
        fix="Remove one of them, or give it another name.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: '1.36.1'
- name: default
  version: '1.36.1'
""",
    ),
    Entry(
        id="deployment/name",
        severity=Severity.ERROR,
        summary="The name of a deployment is not a directory name.",
        halyard=(
            "Halyard uses the name as a directory below .hal and as a part of request paths, and does not find the "
            "deployment."
        ),
        impact="Nothing can be deployed.",
        fix="Use letters, digits and dashes.",
        example="""\
# config
deploymentConfigurations:
- name: a/b
""",
    ),
    Entry(
        id="deployment/no-version",
        severity=Severity.ERROR,
        summary="The deployment has no version of Spinnaker.",
        halyard="Halyard asks for the BOM of an empty version and fails with a FATAL problem.",
        impact="Every deployment starts with the BOM, so nothing can be deployed.",
        fix="Set version to a release of Spinnaker, such as '1.36.1'.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: ''
""",
    ),
    Entry(
        id="deployment/time-zone",
        severity=Severity.ERROR,
        summary="The time zone is unknown to Java.",
        halyard="Halyard compares it with Java's ids (case-sensitive), and `hal deploy apply` ends with an ERROR.",
        impact="Nothing can be deployed.",
        fix="Use a name such as Europe/Berlin, or UTC.",
        example="""\
# config
deploymentConfigurations:
- name: default
  timezone: europe/berlin
""",
    ),
    Entry(
        id="versions/branch",
        severity=Severity.ERROR,
        summary="The version is a branch, but the deployment is not of type LocalGit.",
        halyard="Halyard refuses a branch with a FATAL problem unless it builds Spinnaker from source.",
        impact="Nothing can be deployed.",
        fix="Set version to a release, such as '1.36.1'.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: branch:master
""",
    ),
    Entry(
        id="versions/malformed",
        severity=Severity.ERROR,
        summary="The version is not in X.Y.Z form.",
        halyard="Halyard checks whether the version supports plugins and ends with an IllegalArgumentException.",
        impact="Nothing can be deployed.",
        fix="Write three numbers in quotes, such as '1.36.1'; prefix local: for a BOM of your own.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: '1.30'
""",
    ),
    Entry(
        id="versions/no-bom",
        severity=Severity.ERROR,
        summary="The version is local, and its BOM is not in the tree.",
        halyard="Halyard reads .boms/bom/<version>.yml in its own directory and ends with a FATAL problem without it.",
        impact="Nothing can be deployed.",
        fix="Add the file to a layer, or name a .boms that others mount with --mounted.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: local:1.30.1
""",
    ),
    Entry(
        id="versions/no-local-profile",
        severity=Severity.ERROR,
        summary="A service of the local BOM has a local version, and its profile is not in the tree.",
        halyard=(
            "Halyard reads .boms/<service>/<version>/<profile> in its own directory and ends with a FATAL problem "
            "without it."
        ),
        impact="Nothing can be deployed.",
        fix="Add the profile to a layer, or name a .boms that others mount with --mounted.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: local:1.30.1
# .boms/bom/1.30.1.yml
version: 1.30.1
services:
  gate: {version: local:1.2.3}
  monitoring-daemon: {version: 1.0.0}
""",
    ),
    Entry(
        id="versions/no-monitoring-daemon",
        severity=Severity.ERROR,
        summary="The local BOM has no monitoring-daemon.",
        halyard="Halyard looks up its version for every service, even if unused, and ends with a NullPointerException.",
        impact="Nothing can be deployed.",
        fix="Add monitoring-daemon under services, with a version.",
        example="""\
# .boms/bom/1.30.1.yml
version: 1.30.1
services:
  clouddriver: {version: 1.0.0}
  deck: {version: 1.0.0}
  echo: {version: 1.0.0}
  fiat: {version: 1.0.0}
  front50: {version: 1.0.0}
  gate: {version: 1.0.0}
  igor: {version: 1.0.0}
  kayenta: {version: 1.0.0}
  orca: {version: 1.0.0}
  rosco: {version: 1.0.0}
# config
deploymentConfigurations:
- name: default
  version: local:1.30.1
""",
    ),
    Entry(
        id="versions/no-plugins",
        severity=Severity.WARNING,
        summary="Plugins are configured, and Halyard takes the version for one without plugin support.",
        halyard=(
            "Halyard treats a version with a dash (except master and release builds) as one without plugin support."
        ),
        impact="The plugins are missing, and nothing reports it.",
        fix="Use a version without a dash, or configure the plugins in spinnaker-local.yml.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: local:1.30.1-mine
  spinnaker: {extensibility: {plugins: {a.b: {enabled: true}}, repositories: {a: {url: 'https://example.com/a'}}}}
""",
    ),
    Entry(
        id="versions/not-in-bom",
        severity=Severity.WARNING,
        summary="The local BOM lacks a service that is enabled.",
        halyard="Halyard skips a service that has no version in the BOM.",
        impact="The service is missing, and nothing reports it.",
        fix="Add it under services, with its version.",
        example="""\
# .boms/bom/1.30.1.yml
version: 1.30.1
services:
  clouddriver: {version: 1.0.0}
  deck: {version: 1.0.0}
  echo: {version: 1.0.0}
  front50: {version: 1.0.0}
  igor: {version: 1.0.0}
  kayenta: {version: 1.0.0}
  rosco: {version: 1.0.0}
  monitoring-daemon: {version: 1.0.0}
# config
deploymentConfigurations:
- name: default
  version: local:1.30.1
""",
    ),
    Entry(
        id="versions/out-of-bounds",
        severity=Severity.WARNING,
        summary="A key is set that this version of Spinnaker does not support.",
        halyard=(
            "Halyard warns. The service ignores the key. Keys of `features`, which Halyard itself leaves behind, "
            "are reported as info."
        ),
        impact="The setting has no effect.",
        fix="Remove the key, or change the version.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: 1.22.0
  features: {artifacts: true, mineCanary: true, gremlin: false}
  providers:
    kubernetes:
      accounts:
      - {name: spinnaker, liveManifestCalls: true, providerVersion: V2}
  ci: {travis: {masters: [{name: a, filteredRepositories: []}]}}
""",
    ),
    Entry(
        id="versions/placeholder",
        severity=Severity.ERROR,
        summary="The version is a placeholder that was not filled in.",
        halyard="Halyard asks for the BOM of this version and ends with a FATAL problem.",
        impact="Nothing can be deployed.",
        fix="Set version to a release of Spinnaker, such as '1.36.1'.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: <version>
""",
    ),
    Entry(
        id="versions/unreleased",
        severity=Severity.WARNING,
        summary="The version is a nightly or release-branch build.",
        halyard="Halyard warns that the version is not a released (validated) version.",
        impact="The version may be removed or changed at any time.",
        fix="Set version to a release of Spinnaker, such as '1.36.1'.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: master-latest-validated
""",
    ),
    Entry(
        id="halconfig/ignored-key",
        severity=Severity.WARNING,
        summary="Halyard accepts a key and ignores it.",
        halyard=(
            "Halyard accepts the key for compatibility with old files, and does not report it. Keys that old "
            "versions of Halyard wrote themselves are reported as info."
        ),
        impact="The setting has no effect.",
        fix="Remove it.",
        example="""\
# config
deploymentConfigurations:
- name: default
  features: {fiat: true, jobs: false}
  providers:
    openstack: {enabled: false}
    aws:
      accounts:
      - {name: one, accountId: '1', providerVersion: V1}
      - {name: two, accountId: '2', providerVersion: V1}
""",
    ),
    Entry(
        id="halconfig/overwritten",
        severity=Severity.WARNING,
        summary="Halyard overwrites a value.",
        halyard="Halyard derives the value from the rest of the halconfig and ignores the one in the file.",
        impact="The value in the file has no effect.",
        fix="Remove it.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security:
    authn:
      enabled: false
      ldap: {enabled: true, url: 'ldaps://ldap.example.com:636', userDnPattern: 'uid={0}'}
    authz:
      groupMembership:
        google: {roleProviderType: GITHUB}
  pubsub: {enabled: true}
  stats: {spinnakerVersion: '1.0.0'}
""",
    ),
    Entry(
        id="scalars/lost-value",
        severity=Severity.WARNING,
        summary="A value that is not quoted is an anchor or a comment, so its key is empty.",
        halyard="YAML takes a value that begins with & for an anchor, and one that begins with # for a comment.",
        impact="The key has no value. A comment is reported as info only.",
        fix="Quote the value.",
        example="""\
# default/profiles/gate-local.yml
password: &top-secret
color: #fff
""",
    ),
    Entry(
        id="scalars/changed-string",
        severity=Severity.WARNING,
        summary="An unquoted value changes when it is read as YAML 1.1.",
        halyard="YAML 1.1 reads the value as a number, date or boolean, and Halyard writes it back as another string.",
        impact="Halyard uses another string than the one in the file: version 1.20 becomes 1.2.",
        fix="Quote the value.",
        example="""\
# config
deploymentConfigurations:
- name: default
  version: ${{ params.release }}
  timezone: 12:30
  providers:
    aws:
      accounts:
      - {name: 012, accountId: 2020-01-01}
      - {name: two, accountId: 0x1F, assumeRole: yes}
# default/service-settings/gate.yml
env: {FLAG: no, COUNT: 1_000, RIGHT: true, PASSWORD: 010}
""",
    ),
    Entry(
        id="scalars/truncated-number",
        severity=Severity.WARNING,
        summary="A number with a fraction is in a field for integers.",
        halyard="Jackson binds the number and drops the fraction.",
        impact="Halyard uses another number than the one in the file.",
        fix="Write an integer.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - {name: spinnaker, cacheThreads: 2.7}
""",
    ),
)
