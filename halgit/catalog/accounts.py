"""Rules on accounts of all providers and of Docker registries."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="accounts/duplicate-name",
        severity=Severity.ERROR,
        summary="Two accounts of a deployment have the same name.",
        halyard=(
            "`hal deploy apply` validates every account, including those of disabled providers, and ends with a "
            "FATAL problem for a name that is used twice across all providers."
        ),
        impact="Nothing can be deployed.",
        fix="Give one of them another name.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      accounts:
      - name: spinnaker
        address: https://r.example.com
""",
    ),
    Entry(
        id="accounts/no-name",
        severity=Severity.ERROR,
        summary="An account has no name.",
        halyard=(
            "`hal deploy apply` validates every account, including those of disabled providers, and ends with a "
            "FATAL problem for one without a name."
        ),
        impact="Nothing can be deployed.",
        fix="Add name.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    google:
      enabled: true
      accounts:
      - project: p
        jsonPath: /opt/key.json
""",
    ),
    Entry(
        id="accounts/no-such-primary",
        severity=Severity.WARNING,
        summary="primaryAccount names an account that its provider does not have.",
        halyard="Halyard silently uses the first account.",
        impact="A deployment that names no account goes to another account than intended.",
        fix="Correct the name.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      primaryAccount: spinaker
""",
    ),
    Entry(
        id="accounts/none",
        severity=Severity.WARNING,
        summary="A provider is enabled and has no accounts.",
        halyard="Halyard warns, and writes a provider without accounts into Clouddriver's configuration.",
        impact="Nothing can be deployed with this provider.",
        fix="Add an account, or set enabled: false.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    google:
      enabled: true
      accounts: []
""",
    ),
    Entry(
        id="accounts/read-only",
        severity=Severity.WARNING,
        summary="The permissions of an account or a build master have READ but no WRITE.",
        halyard="Halyard accepts it. Fiat then denies WRITE to everyone.",
        impact="Nobody can deploy to the account, or run the builds.",
        fix="Add WRITE with the groups that use it.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: spinnaker
        permissions: {READ: [dev]}
""",
    ),
    Entry(
        id="accounts/required-groups",
        severity=Severity.WARNING,
        summary="requiredGroupMembership is used; permissions replaced it.",
        halyard="Halyard warns for every account that has it.",
        impact="The groups get all permissions at once, and the key is ignored beside permissions.",
        fix="Use permissions with READ and WRITE.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: spinnaker
        requiredGroupMembership: [dev]
""",
    ),
    Entry(
        id="accounts/write-only",
        severity=Severity.WARNING,
        summary="The permissions of an account or a build master have WRITE but no READ.",
        halyard="Halyard accepts it. The groups cannot read what they deploy.",
        impact="The UI shows them nothing, and stages cannot tell whether a deployment is stable.",
        fix="Add READ with the same groups.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: spinnaker
        permissions: {READ: [], WRITE: [ops]}
""",
    ),
    Entry(
        id="docker-registry/address",
        severity=Severity.ERROR,
        summary="The address of a Docker registry account is empty, or cannot be used.",
        halyard=(
            "Halyard puts https:// before an address that has neither http:// nor https://. `hal deploy apply` asks "
            "the registry for the tags of the account's repositories and ends with an ERROR. Without repositories it "
            "only warns, and so does halgit."
        ),
        impact="Nothing can be deployed, or no image of the registry is found.",
        fix="Write the host, or https:// and the host.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      accounts:
      - {name: hub, address: '', repositories: [library/nginx]}
""",
    ),
    Entry(
        id="docker-registry/half-login",
        severity=Severity.WARNING,
        summary="A Docker registry account has a username without a password, or a password without a username.",
        halyard="Halyard warns. Clouddriver logs in with incomplete credentials.",
        impact="Private repositories are not visible.",
        fix="Set both, or neither.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      enabled: true
      accounts:
      - name: hub
        address: https://r.example.com
        password: encrypted:k8s!n:hub!k:password
      - name: other
        address: https://r.example.com
        username: u
""",
    ),
    Entry(
        id="docker-registry/name",
        severity=Severity.ERROR,
        summary="The name of a Docker registry account has invalid characters.",
        halyard=(
            "`hal deploy apply` validates every account, including those of disabled providers, and ends with an ERROR."
        ),
        impact="Nothing can be deployed.",
        fix="Use lower-case letters, digits, and dashes between them.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      enabled: true
      accounts:
      - name: My_Hub
        address: https://r.example.com
""",
    ),
    Entry(
        id="docker-registry/passwords",
        severity=Severity.ERROR,
        summary="A Docker registry account has more than one of password, passwordCommand and passwordFile.",
        halyard=(
            "`hal deploy apply` validates every account, including those of disabled providers, and ends with an ERROR."
        ),
        impact="Nothing can be deployed.",
        fix="Keep one of them.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      enabled: true
      accounts:
      - name: hub
        address: https://r.example.com
        username: u
        password: encrypted:k8s!n:hub!k:password
        passwordCommand: 'get-password'
""",
    ),
    Entry(
        id="docker-registry/pattern",
        severity=Severity.ERROR,
        summary="The repositoriesRegex of a Docker registry account is not a valid pattern.",
        halyard=(
            "`hal deploy apply` validates every account, including those of disabled providers, and ends with an ERROR."
        ),
        impact="Nothing can be deployed.",
        fix="Close every bracket, and escape literal ones.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      enabled: true
      accounts:
      - name: hub
        address: https://r.example.com
        repositoriesRegex: 'team-(a|b'
""",
    ),
    Entry(
        id="docker-registry/placeholder",
        severity=Severity.WARNING,
        summary="A Docker registry account has a placeholder in a value.",
        halyard="Halyard warns and skips its checks of the account.",
        impact="A wrong login shows only when Clouddriver runs.",
        fix="Fill in the value, or use a reference to a secret.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      enabled: true
      accounts:
      - name: hub
        address: https://r.example.com
        username: '${USER}'
        password: encrypted:k8s!n:hub!k:password
""",
    ),
    Entry(
        id="docker-registry/references",
        severity=Severity.ERROR,
        summary="An account names unknown or duplicate Docker registries, or none where one is required.",
        halyard=(
            "Halyard ends with an ERROR or FATAL problem for DC/OS and for Kubernetes accounts of V1. It does not "
            "check other Kubernetes accounts, for which the finding is a warning."
        ),
        impact="Nothing can be deployed, or images of the registry cannot be selected.",
        fix="Use the names of providers.dockerRegistry.accounts.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      enabled: true
      accounts: [{name: hub, address: https://r.example.com}]
    kubernetes:
      accounts:
      - name: spinnaker
        dockerRegistries: [{accountName: hubb}]
""",
    ),
    Entry(
        id="addresses/unusable",
        severity=Severity.WARNING,
        summary="A service cannot use an address of the halconfig.",
        halyard=(
            "Halyard writes the address as it is and does not look at it. Services need http:// or https:// and a "
            "host, the loader of plugins any protocol; for AWS endpoints https is assumed."
        ),
        impact="The service does not start, or cannot use the address. Information if the section is not enabled.",
        fix="Write scheme://host:port/path, without spaces.",
        example="""\
# config
deploymentConfigurations:
- name: default
  ci:
    jenkins:
      enabled: true
      masters: [{name: main, address: jenkins.example.com}]
""",
    ),
    Entry(
        id="lists/missing-part",
        severity=Severity.WARNING,
        summary="An item of a list lacks a part that the program which reads the list requires.",
        halyard="Halyard has no validator for these lists and writes the item as it is.",
        impact="The service does not start, or cannot use the item. Information if the section is not enabled.",
        fix="Set the part, or remove the item.",
        example="""\
# config
deploymentConfigurations:
- name: default
  ci:
    jenkins:
      enabled: true
      masters:
      - {name: main, username: bot}
""",
    ),
)
