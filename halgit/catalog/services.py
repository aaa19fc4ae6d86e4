"""Rules on profiles, service-settings and local files."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="profiles/bad-name",
        severity=Severity.ERROR,
        summary="The name of a profile is not a valid key of a Kubernetes Secret.",
        halyard="Halyard puts profiles into Secrets with the file name as the key, which Kubernetes refuses.",
        impact="The service is not deployed.",
        fix="Use letters, digits, dots, dashes and underscores only.",
        example="""\
# default/profiles/gate-my keystore.jks
x
# default/profiles/rosco/packer/größe.json
{}
""",
    ),
    Entry(
        id="profiles/copy",
        severity=Severity.WARNING,
        summary="A backup copy or variant of a profile is beside it.",
        halyard="Halyard matches profiles by the beginning of their names, so copies also reach services.",
        impact="Old settings and secrets would reach services; halgit skips the file.",
        fix="Remove the file; git keeps old versions.",
        example="""\
# default/profiles/gate-local.yml.ssh
a: b
# default/profiles/spinnakerconfig.yml.bak
a: b
""",
    ),
    Entry(
        id="profiles/disabled-service",
        severity=Severity.INFO,
        summary="A profile is for a service that is not enabled.",
        halyard="Halyard does not copy profiles of services that it does not deploy.",
        impact="The profile has no effect.",
        fix="Enable the service, or remove the profile.",
        example="""\
# default/profiles/kayenta-local.yml
a: b
""",
    ),
    Entry(
        id="profiles/halyard-file",
        severity=Severity.WARNING,
        summary="A profile names a file below the home of Halyard.",
        halyard=(
            "Halyard copies the profile unchanged. It rewrites only paths in the halconfig, and mounts the files "
            "they name."
        ),
        impact="The service does not find the file.",
        fix="Mount the file with kubernetes.volumes of the service-settings, and use that path.",
        example="""\
# default/profiles/gate-local.yml
x: {keyStore: /home/spinnaker/.hal/files/gate.jks}
""",
    ),
    Entry(
        id="profiles/hidden-list",
        severity=Severity.WARNING,
        summary="A list of a profile hides a list of the halconfig or of another profile.",
        halyard="Spring takes a list whole from the source with the highest precedence and does not merge lists.",
        impact="Items that are only in the other list disappear.",
        fix="Repeat the items in this list.",
        example="""\
# default/profiles/clouddriver-local.yml
kubernetes:
  accounts:
  - name: other
    serviceAccount: true
""",
    ),
    Entry(
        id="profiles/mistyped",
        severity=Severity.WARNING,
        summary="The suffix of a profile's name resembles one that Spring reads.",
        halyard=(
            "Halyard copies the file. Spring reads <service>-<profile>.yml for active profiles only, such as local."
        ),
        impact="The setting has no effect.",
        fix="Rename it to <service>-local.yml.",
        example="""\
# default/profiles/gate-lokal.yml
a: b
# default/profiles/orca-Local.yml
a: b
""",
    ),
    Entry(
        id="profiles/no-deployment-folder",
        severity=Severity.WARNING,
        summary="profiles or service-settings are beside config, without the directory of a deployment.",
        halyard="Halyard reads <deployment>/profiles and <deployment>/service-settings.",
        impact="The settings have no effect.",
        fix="Move the directories below default.",
        example="""\
# config
currentDeployment: default
# profiles/gate-local.yml
a: b
""",
    ),
    Entry(
        id="profiles/unknown-address",
        severity=Severity.WARNING,
        summary="A profile uses an address at which no service of Spinnaker listens.",
        halyard=(
            "Halyard creates a Kubernetes Service spin-<service> for each enabled service, and copies profiles "
            "unchanged."
        ),
        impact="Calls to the address fail.",
        fix="Use the address of an enabled service.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    haServices:
      clouddriver: {enabled: true}
# default/profiles/gate-local.yml
services:
  clouddriver: {baseUrl: 'http://spin-clouddriver:7002'}
  orca: {baseUrl: 'http://spin-orca:8084'}
  front50: {baseUrl: 'http://spin-front5O.spinnaker:8080'}
  kayenta: {baseUrl: 'http://spin-kayenta.spinnaker.svc:8090'}
""",
    ),
    Entry(
        id="profiles/no-mapping",
        severity=Severity.WARNING,
        summary="A YAML profile is not a mapping.",
        halyard="Halyard copies profiles unchanged. Spring reads no property from a list or a single string.",
        impact="The setting has no effect.",
        fix="Write keys and values, or remove the file.",
        example="""\
# default/profiles/gate-local.yml
- a
# default/profiles/orca-local.yml
just words
""",
    ),
    Entry(
        id="profiles/not-read",
        severity=Severity.WARNING,
        summary="A file beside the profiles is mounted and not read.",
        halyard=(
            "Halyard mounts every file that begins with the name of a service and a dash, or with `spinnaker`. Spring "
            "reads <service> and <service>-<profile> for active profiles only, with the endings .yml, .yaml, "
            ".properties and .xml. A file that another profile or the service-settings name is not reported."
        ),
        impact="The file has no effect.",
        fix="Rename the file, or remove it.",
        example="""\
# default/profiles/gate-old-settings.yml
a: b
""",
    ),
    Entry(
        id="profiles/unused",
        severity=Severity.WARNING,
        summary="No service reads a profile of this name.",
        halyard="Halyard matches each profile with the services by name and silently ignores the others.",
        impact="The setting has no effect.",
        fix="Name it after a service, such as gate-local.yml, or remove it.",
        example="""\
# default/profiles/Gate-local.yml
a: b
# default/profiles/README.md
a
# default/profiles/clouddriver_local.yml
a: b
""",
    ),
    Entry(
        id="profiles/other-mode",
        severity=Severity.WARNING,
        summary="A profile is for a service that does not run in this mode.",
        halyard=(
            "With high availability no service reads clouddriver.yml or echo.yml; without it, none reads the files "
            "of their parts."
        ),
        impact="The setting has no effect.",
        fix="Move the settings to the -local file of the whole service.",
        example="""\
# default/profiles/clouddriver.yml
a: b
# default/profiles/echo-worker-local.yml
a: b
""",
    ),
    Entry(
        id="profiles/replaces-generated",
        severity=Severity.WARNING,
        summary="A profile has the name of a file that Halyard generates.",
        halyard="A profile of the same name replaces Halyard's file without merging.",
        impact="The service does not see the halconfig: accounts, logins, addresses.",
        fix="Keep only the differences, in the -local file of the service.",
        example="""\
# default/profiles/gate.yml
a: b
# default/profiles/orca-overrides.yml
a: b
# default/profiles/settings.js
//
# default/profiles/spinnaker.yml
a: b
""",
    ),
    Entry(
        id="profiles/sops",
        severity=Severity.WARNING,
        summary="A file is encrypted by SOPS, and nothing decrypts it.",
        halyard="Halyard and the services read the file as it is, with ENC[...] as the values.",
        impact="The settings do not work.",
        fix=(
            "Use SOPS's YAML or JSON format with its complete `sops` mapping for the halconfig, a profile or "
            "service-settings, which halgit decrypts; in other files use references to secrets."
        ),
        example="""\
# default/profiles/gate-local.yml
token: ENC[AES256_GCM]
sops:
  mac: ENC[AES256_GCM]
  version: 3.8.1
""",
    ),
    Entry(
        id="profiles/spring-profiles",
        severity=Severity.ERROR,
        summary="The file of a profile sets spring.profiles, or is read in another profile only.",
        halyard=(
            "Spring Boot 2.7 refuses spring.profiles.active, include and default in the file of a profile with an "
            "InvalidConfigDataPropertyException. A document with spring.profiles or spring.config.activate.on-profile "
            "is read only if that profile is active."
        ),
        impact="The service does not start. For a condition, a warning: the document is ignored.",
        fix="Set SPRING_PROFILES_ACTIVE in env of the service-settings.",
        example="""\
# default/profiles/gate-local.yml
spring: {profiles: {active: local}}
""",
    ),
    Entry(
        id="profiles/too-large",
        severity=Severity.ERROR,
        summary="The profiles of a directory do not fit into one Kubernetes Secret.",
        halyard="Halyard creates one Secret from all files of a service in a directory; Kubernetes limits it to 1 MiB.",
        impact="The service is not deployed.",
        fix="Move large files to another directory, or to a place from which the service can fetch them.",
    ),
    Entry(
        id="local-files/empty",
        severity=Severity.WARNING,
        summary="A local file is empty.",
        halyard="Halyard warns about some of them when it validates, and copies the empty file.",
        impact="The service that reads it fails.",
        fix="Fill the file.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    google:
      accounts:
      - name: g
        project: p
        jsonPath: files/key.json
# files/key.json
""",
    ),
    Entry(
        id="local-files/home",
        severity=Severity.ERROR,
        summary="The path of a local file begins with ~.",
        halyard=(
            "Halyard does not expand ~ in these fields: it looks for a directory of that name in its hal directory."
        ),
        impact="The file is not found, and nothing can be deployed.",
        fix="Write the absolute path, or one relative to the hal directory.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: prod
        kubeconfigFile: ~/.kube/config
""",
    ),
    Entry(
        id="local-files/missing",
        severity=Severity.ERROR,
        summary="A file that a field names is not in the tree.",
        halyard=(
            "Halyard copies the file when it generates, and ends with a FATAL problem. It does not copy files of a "
            "service that is off, which are reported as info."
        ),
        impact="Nothing can be deployed.",
        fix="Add the file to the layer, correct the path, or name a file that others mount with --mounted.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: prod
        kubeconfigFile: files/prdo
      - name: other
        kubeconfigFile: /home/spinnaker/.hal/files/other
""",
    ),
    Entry(
        id="local-files/content",
        severity=Severity.WARNING,
        summary="A local file is not what its field requires.",
        halyard=(
            "Halyard copies the file. `hal deploy apply` reads the key of a gcs store and ends with an ERROR; its "
            "validator of SAML reads the keystore."
        ),
        impact="The service that reads the file does not start.",
        fix="Use a file of the required kind.",
        example="""\
# config
deploymentConfigurations:
- name: default
  persistentStorage:
    persistentStoreType: gcs
    gcs: {project: p, bucket: b, jsonPath: files/key.json}
# files/key.json
{}
""",
    ),
    Entry(
        id="local-files/too-large",
        severity=Severity.ERROR,
        summary="The files that a service needs, or the generated clouddriver.yml, do not fit into a Secret.",
        halyard=(
            "Halyard creates one Secret from all local files that a service needs, and one from its generated "
            "configuration and its profiles; Kubernetes limits each to 1 MiB. The size of clouddriver.yml is an "
            "estimate, and its finding a warning: providers and artifacts as block YAML, with the defaults of "
            "Halyard's classes and the paths of staged files. For an empty deployment the estimate is 2% low."
        ),
        impact="The service is not deployed.",
        fix="Use dynamic accounts, with the kubeconfigs in their entries.",
    ),
)
