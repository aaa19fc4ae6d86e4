"""Rules on service-settings: addresses, modes, and texts that go into templates."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
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
