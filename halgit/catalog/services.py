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
        id="profiles/too-large",
        severity=Severity.ERROR,
        summary="The profiles of a directory do not fit into one Kubernetes Secret.",
        halyard="Halyard creates one Secret from all files of a service in a directory; Kubernetes limits it to 1 MiB.",
        impact="The service is not deployed.",
        fix="Move large files to another directory, or to a place from which the service can fetch them.",
    ),
    Entry(
        id="service-settings/no-content",
        severity=Severity.ERROR,
        summary="Service-settings contain only comments.",
        halyard="Halyard reads such a file as null and ends with a NullPointerException; an empty file is valid.",
        impact="Nothing can be deployed.",
        fix="Remove the file, empty it, or write {}.",
        example="""\
# default/service-settings/deck.yml
---
# default/service-settings/gate.yml
# nothing yet
""",
    ),
    Entry(
        id="service-settings/not-an-address",
        severity=Severity.ERROR,
        summary="The address of a service is not a URI.",
        halyard="Halyard parses the address with java.net.URI and ends with a FATAL problem if it is invalid.",
        impact="Nothing can be deployed.",
        fix="Write scheme://host:port, without spaces.",
        example="""\
# default/service-settings/deck.yml
baseUrl: https://{host}
# default/service-settings/gate.yml
overrideBaseUrl: 'https://spinnaker example.com'
""",
    ),
    Entry(
        id="service-settings/unused",
        severity=Severity.WARNING,
        summary="A file of service-settings is not named after a service.",
        halyard="Halyard reads exactly <service>.yml and ignores other files.",
        impact="The setting has no effect.",
        fix="Rename it to <service>.yml, or remove it.",
        example="""\
# defalt/service-settings/gate.yml
env: {A: b}
# default/service-settings/Gate.yml
env: {A: b}
# default/service-settings/spinnaker.yml
env: {A: b}
""",
    ),
    Entry(
        id="service-settings/other-mode",
        severity=Severity.WARNING,
        summary="Service-settings are for the other mode of high availability.",
        halyard=(
            "With high availability each part reads only its own file and does not inherit that of the whole service."
        ),
        impact="Images, environment or annotations do not reach the service.",
        fix="Write the settings of the services that run.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    haServices:
      clouddriver: {enabled: true}
# default/service-settings/clouddriver.yml
env: {A: b}
""",
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
        halyard="Halyard copies the file when it generates, and ends with a FATAL problem.",
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
        id="local-files/outside",
        severity=Severity.INFO,
        summary="A field names a file outside the tree.",
        halyard="Halyard copies the file when it generates, and ends with a FATAL problem if it is missing.",
        impact="halgit cannot check the file.",
        fix="Mount the file into Halyard's pod and name it with --mounted, or keep it in the layer.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: prod
        kubeconfigFile: /mnt/kubeconfigs/prod
      - name: other
        kubeconfigFile: /mnt/kubeconfigs/prod
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
        id="service-settings/breaks-template",
        severity=Severity.ERROR,
        summary="A text of service-settings or of a size breaks a template of Halyard.",
        halyard=(
            "Halyard puts the text without escaping into a Jinja template, inside double quotes, and parses the "
            "result as YAML. A double quote, `{%` or an unknown escape ends the deploy with an exception."
        ),
        impact="The deploy fails after other services were applied.",
        fix='Escape the text, such as \'{\\"default\\": \\"x\\"}\' in single quotes.',
        example="""\
# default/service-settings/gate.yml
kubernetes:
  serviceAnnotations:
    cloud.google.com/backend-config: '{"default": "x"}'
env:
  A: 'C:\\dir'
  B: '{% if x %}'
""",
    ),
    Entry(
        id="service-settings/changed-by-template",
        severity=Severity.WARNING,
        summary="A text of service-settings or of a size is changed by a template of Halyard.",
        halyard=(
            "Halyard puts the text without escaping into a Jinja template, inside double quotes, and parses the "
            "result as YAML: `{{ 1 + 1 }}` becomes 2, `C:\\temp` gets a tab, a newline becomes a space."
        ),
        impact="The service gets another text than the one in the file.",
        fix="Escape the text, or keep it in a profile.",
        example="""\
# default/service-settings/gate.yml
env:
  A: '{{ 1 + 1 }}'
  B: 'C:\\temp'
  C: |
    a
    b
""",
    ),
    Entry(
        id="service-settings/no-scheme",
        severity=Severity.WARNING,
        summary="The address of a service has no scheme.",
        halyard="Halyard passes the address on as it is.",
        impact="The other services cannot use the address.",
        fix="Write http://host:port.",
        example="""\
# default/service-settings/redis.yml
overrideBaseUrl: redis.example.com:6379
skipLifeCycleManagement: true
""",
    ),
    Entry(
        id="service-settings/null",
        severity=Severity.ERROR,
        summary="A setting of a deployed service is null where Halyard requires a value.",
        halyard=(
            "Halyard ends with a NullPointerException for `kubernetes.volumes`, `useExecHealthCheck` and `useTcpProbe`."
        ),
        impact="The deploy fails after other services were applied.",
        fix="Remove the key, or write a value.",
        example="""\
# default/service-settings/gate.yml
kubernetes: {volumes: null}
""",
    ),
    Entry(
        id="service-settings/refused-by-kubernetes",
        severity=Severity.ERROR,
        summary="Kubernetes refuses a value of service-settings.",
        halyard="Halyard applies the value as it is, and the API server refuses it.",
        impact="The deploy fails after other services were applied.",
        fix="Correct the value.",
        example="""\
# default/service-settings/gate.yml
artifactId: ""
port: 0
kubernetes:
  serviceType: Loadbalancer
  volumes: [{id: a}]
""",
    ),
)
