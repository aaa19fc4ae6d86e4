"""Rules on the accounts and bakeries of AWS, DC/OS and other clouds."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="aws/ecs-account",
        severity=Severity.ERROR,
        summary="An ECS account names no AWS account, or an unknown one.",
        halyard=(
            "`hal deploy apply` validates every account and ends with an ERROR. If there is no AWS account at all, "
            "it reports nothing, and the finding is a warning."
        ),
        impact="Nothing can be deployed, or the ECS account does not work.",
        fix="Name an account of providers.aws.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    aws: {accounts: [{name: main, accountId: '1'}]}
    ecs: {accounts: [{name: e, awsAccount: mian}]}
""",
    ),
    Entry(
        id="aws/lifecycle-hook",
        severity=Severity.ERROR,
        summary="A lifecycle hook of an AWS account is invalid.",
        halyard=(
            "`hal deploy apply` validates every account, including those of disabled providers, and ends with a "
            "FATAL problem."
        ),
        impact="Nothing can be deployed.",
        fix="Correct the hook.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    aws:
      accounts:
      - name: a
        accountId: '1'
        lifecycleHooks:
        - {notificationTargetARN: arn:aws:sqs:x, roleARN: 'arn:aws:iam::1', defaultResult: STOP, heartbeatTimeout: 10}
""",
    ),
    Entry(
        id="aws/region",
        severity=Severity.WARNING,
        summary="AWS has no region of this name.",
        halyard="Halyard looks only at the region of the selected store (`storage/aws-region`) and writes the others.",
        impact="The service does not start, or finds nothing in the region.",
        fix="Use the name of a region, such as eu-central-1.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    aws: {accounts: [{name: main, accountId: '1', regions: [{name: us-est-1}]}]}
""",
    ),
    Entry(
        id="clouds/appengine-unknown-hosts",
        severity=Severity.WARNING,
        summary="An App Engine account trusts unknown SSH hosts.",
        halyard="Halyard warns if jsonPath is also set.",
        impact="Another server can pose as the git server.",
        fix="Set sshKnownHostsFilePath and remove sshTrustUnknownHosts.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    appengine:
      accounts:
      - name: a
        project: p
        jsonPath: /k.json
        sshTrustUnknownHosts: true
""",
    ),
    Entry(
        id="clouds/bakery",
        severity=Severity.ERROR,
        summary="The settings of a bakery, or of a base image, are incomplete.",
        halyard=(
            "`hal deploy apply` validates them with their provider, even a disabled one, and ends with an ERROR. It "
            "checks google only if an account can log in; without accounts the finding is a warning."
        ),
        impact="Nothing can be deployed, or images cannot be baked.",
        fix="Set the missing keys.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    google: {bakeryDefaults: {zone: '', baseImages: [{baseImage: {id: i}, virtualizationSettings: {sourceImage: ''}}]}}
    tencentcloud:
      bakeryDefaults: {secretId: s}
""",
    ),
    Entry(
        id="clouds/base-image",
        severity=Severity.ERROR,
        summary="A base image has no baseImage section.",
        halyard=(
            "Halyard asks every base image of every provider, even of disabled ones, for its id and ends with a "
            "NullPointerException."
        ),
        impact="Nothing can be deployed.",
        fix="Set baseImage with an id.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    aws: {bakeryDefaults: {baseImages: [{}]}}
""",
    ),
    Entry(
        id="clouds/cloudfoundry-links",
        severity=Severity.WARNING,
        summary="A Cloud Foundry account has no address of Apps Manager or of metrics.",
        halyard="Halyard warns. Spinnaker has no such links.",
        impact="Users cannot navigate from a server group to its page.",
        fix="Set appsManagerUri and metricsUri.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    cloudfoundry:
      accounts:
      - name: c
        api: a
        user: u
        password: encrypted:k8s!n:c!k:p
        appsManagerUri: https://a
""",
    ),
    Entry(
        id="clouds/cloudfoundry-placeholder",
        severity=Severity.WARNING,
        summary="A Cloud Foundry account has a placeholder in a value.",
        halyard="Halyard warns and skips its checks of the account.",
        impact="A wrong login shows only when Clouddriver runs.",
        fix="Fill in the value, or use a reference to a secret.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    cloudfoundry:
      accounts:
      - name: c
        api: '${API}'
        user: u
        password: encrypted:k8s!n:c!k:p
        appsManagerUri: https://a
        metricsUri: https://m
""",
    ),
    Entry(
        id="clouds/cloudfoundry-settings",
        severity=Severity.WARNING,
        summary="An address or a number of Cloud Foundry is invalid.",
        halyard=(
            "Halyard's validator of the provider ends with an exception that nobody sees, and Halyard deploys. "
            "Clouddriver loads no account of the provider if the api of one is not a host name."
        ),
        impact="Links in Deck do not work, or no Cloud Foundry account does.",
        fix="Write an http or https address.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    cloudfoundry:
      clientConfig: {maxRetries: 0}
      accounts:
      - name: c
        api: a
        user: u
        password: encrypted:k8s!n:c!k:p
        appsManagerUri: ftp://a
        metricsUri: https://m
""",
    ),
    Entry(
        id="clouds/half-login",
        severity=Severity.ERROR,
        summary="An account has only one half of a login.",
        halyard=(
            "`hal deploy apply` validates every account, including those of disabled providers, and ends with an ERROR."
        ),
        impact="Nothing can be deployed.",
        fix="Set both, or neither.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    appengine:
      accounts:
      - name: a
        project: p
        gitHttpsUsername: u
""",
    ),
    Entry(
        id="clouds/incomplete-account",
        severity=Severity.ERROR,
        summary="An account lacks keys that its provider requires.",
        halyard=(
            "`hal deploy apply` validates every account, including those of disabled providers, and ends with an "
            "ERROR or FATAL problem. For Cloud Foundry, and for Google and App Engine with jsonPath, its validator "
            "fails silently, and the finding is a warning."
        ),
        impact="Nothing can be deployed.",
        fix="Set the missing keys.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    google: {accounts: [{name: g, jsonPath: /key.json}]}
""",
    ),
    Entry(
        id="clouds/unverified-certificate",
        severity=Severity.WARNING,
        summary="The certificate of a provider is not verified.",
        halyard="Halyard warns.",
        impact="The credentials can be intercepted.",
        fix="Remove the key, and add the CA certificate to Clouddriver.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    huaweicloud: {bakeryDefaults: {insecure: true}}
    dcos: {clusters: [{name: d, dcosUrl: 'https://d', insecureSkipTlsVerify: true, loadBalancer: {image: i}}]}
""",
    ),
    Entry(
        id="dcos/cluster",
        severity=Severity.WARNING,
        summary="A DC/OS cluster is incomplete.",
        halyard="Halyard's validator reports an error or a warning; `hal deploy apply` does not run it.",
        impact="Clouddriver cannot reach the cluster, or has no load balancer there.",
        fix="Set the missing keys.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dcos:
      clusters: [{name: one}]
""",
    ),
    Entry(
        id="dcos/duplicate-cluster",
        severity=Severity.ERROR,
        summary="Two DC/OS clusters have the same name.",
        halyard=(
            "`hal deploy apply` validates the provider and every account, even if disabled, and ends with a FATAL "
            "problem."
        ),
        impact="Nothing can be deployed.",
        fix="Give one of them another name.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dcos:
      clusters:
      - {name: one, dcosUrl: 'https://d', loadBalancer: {image: i}}
      - {name: one, dcosUrl: 'https://e', loadBalancer: {image: i}}
""",
    ),
    Entry(
        id="dcos/credentials",
        severity=Severity.ERROR,
        summary="The credentials of a DC/OS account do not match its clusters.",
        halyard=(
            "`hal deploy apply` validates the provider and every account, even if disabled, and ends with an ERROR."
        ),
        impact="Nothing can be deployed.",
        fix="Correct the credentials.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      enabled: true
      accounts: [{name: hub, address: https://r.example.com}]
    dcos:
      clusters: [{name: one, dcosUrl: 'https://d', loadBalancer: {image: i}}]
      accounts:
      - name: a
        dockerRegistries: [{accountName: hub}]
        clusters: [{name: oen, uid: u, password: 'encrypted:k8s!n:d!k:p'}]
""",
    ),
    Entry(
        id="dcos/no-login",
        severity=Severity.WARNING,
        summary="A DC/OS account has neither a password nor a key for a cluster.",
        halyard="Halyard warns.",
        impact="Clouddriver cannot log in to the cluster.",
        fix="Set password or serviceKeyFile.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      enabled: true
      accounts: [{name: hub, address: https://r.example.com}]
    dcos:
      clusters: [{name: one, dcosUrl: 'https://d', loadBalancer: {image: i}}]
      accounts:
      - name: a
        dockerRegistries: [{accountName: hub}]
        clusters: [{name: one, uid: u}]
""",
    ),
)
