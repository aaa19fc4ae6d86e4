"""Rules on the environment of a deployment: account, namespace, sizes, sidecars, endpoints."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="deployment-environment/account",
        severity=Severity.ERROR,
        summary="The account that Spinnaker is deployed to is unknown or unsuitable.",
        halyard="Halyard looks up accountName among all accounts when it deploys, and ends with a FATAL problem.",
        impact="Nothing can be deployed.",
        fix="Use the name of a Kubernetes account of the halconfig.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment: {accountName: spinaker}
""",
    ),
    Entry(
        id="deployment-environment/endpoints",
        severity=Severity.WARNING,
        summary="Only some of the Redis endpoints of Clouddriver's parts are set.",
        halyard="Halyard's validator of haServices reports an ERROR; `hal deploy apply` does not run it.",
        impact="Parts of Clouddriver use different caches.",
        fix="Set all of them, or none.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    haServices:
      clouddriver:
        enabled: true
        redisMasterEndpoint: redis://:encrypted:redis:password@redis:6379
""",
    ),
    Entry(
        id="deployment-environment/git",
        severity=Severity.WARNING,
        summary="Spinnaker is built from git, and the owners of the repositories are not set.",
        halyard=(
            "Halyard's validator of deploymentEnvironment reports a FATAL problem; `hal deploy apply` does not run it."
        ),
        impact="Cloning the repositories fails.",
        fix="Set originUser and upstreamUser.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment: {type: LocalGit, gitConfig: {upstreamUser: ''}}
""",
    ),
    Entry(
        id="deployment-environment/malformed-endpoint",
        severity=Severity.ERROR,
        summary="A Redis endpoint of high availability is not an address.",
        halyard=(
            "Halyard parses the endpoint with java.net.URI when it generates and ends with a FATAL problem. It passes "
            "one without a scheme on."
        ),
        impact="Nothing can be deployed. Services cannot use an address without a scheme, which is a warning.",
        fix="Write redis://host:port, without spaces.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    haServices:
      clouddriver:
        enabled: true
        redisMasterEndpoint: redis a
        redisSlaveEndpoint: redis://b
        redisSlaveDeckEndpoint: redis://c
""",
    ),
    Entry(
        id="deployment-environment/namespace",
        severity=Severity.ERROR,
        summary="The namespace of Spinnaker has an invalid name.",
        halyard=(
            "Halyard ends with an exception for a space or a control character. It applies other names, which the "
            "Kubernetes API server refuses."
        ),
        impact="Nothing can be deployed.",
        fix="Use lower-case letters, digits and dashes.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    location: Bad Name
""",
    ),
    Entry(
        id="deployment-environment/no-type",
        severity=Severity.WARNING,
        summary="The deployment environment has no type.",
        halyard="Halyard uses LocalDebian by default.",
        impact="Halyard installs Debian packages in its own pod instead of deploying to Kubernetes.",
        fix="Set type: Distributed.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment: {type: null}
""",
    ),
    Entry(
        id="deployment-environment/other-mode-size",
        severity=Severity.WARNING,
        summary="A map of deploymentEnvironment names a service that does not exist in this mode of high availability.",
        halyard="Halyard warns of sizes in `hal config`, not when it deploys. Of other maps it says nothing.",
        impact="The setting has no effect.",
        fix="Size the services that run.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    haServices: {echo: {enabled: true}}
    customSizing:
      spin-echo: {replicas: 2}
      spin-clouddriver-rw: {replicas: 2}
""",
    ),
    Entry(
        id="deployment-environment/pod-field",
        severity=Severity.WARNING,
        summary="An init container, host alias or toleration has a wrong field, or lacks a required one.",
        halyard="Halyard writes init containers, host aliases and tolerations into the pods as they are.",
        impact="Kubernetes refuses the Deployment of the service.",
        fix="Use the fields of the Kubernetes API.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    initContainers:
      spin-gate:
      - {nam: prepare, image: busybox}
""",
    ),
    Entry(
        id="deployment-environment/probe",
        severity=Severity.WARNING,
        summary="Liveness probes are enabled without a delay.",
        halyard=(
            "Halyard's validator of deploymentEnvironment reports a FATAL problem; `hal deploy apply` does not run it."
        ),
        impact="Kubernetes can restart services that are still starting.",
        fix="Set initialDelaySeconds to the start time of the slowest service.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment: {livenessProbeConfig: {enabled: true}}
""",
    ),
    Entry(
        id="deployment-environment/replicas",
        severity=Severity.ERROR,
        summary="The number of replicas is not an integer of 32 bits, or negative.",
        halyard=(
            "Halyard casts the value to an integer and ends with a ClassCastException. It applies a negative number."
        ),
        impact="Nothing can be deployed. Kubernetes refuses a negative number, which is a warning.",
        fix="Write an integer without quotes.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    customSizing:
      spin-gate: {replicas: '2'}
      spin-orca: {replicas: 1.5}
""",
    ),
    Entry(
        id="deployment-environment/unknown-service",
        severity=Severity.WARNING,
        summary="An entry of a map keyed by service does not name a service.",
        halyard=(
            "Halyard looks for spin-<service>, or the name of a container, and ignores other entries of "
            "customSizing, sidecars, initContainers, hostAliases, tolerations and affinity."
        ),
        impact="The setting has no effect.",
        fix="Use spin-<service>, such as spin-clouddriver.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    customSizing:
      spin-clouddriver-r: {replicas: 2}
      gates: {limits: {cpu: 1}}
""",
    ),
    Entry(
        id="deployment-environment/not-read",
        severity=Severity.WARNING,
        summary="A setting is not read on Kubernetes.",
        halyard="Halyard binds the setting and does not use it when it deploys to Kubernetes.",
        impact="The setting has no effect.",
        fix="Remove it.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    size: LARGE
    nodeSelectors: {disk: ssd}
    consul: {enabled: true}
""",
    ),
    Entry(
        id="deployment-environment/not-read-entry",
        severity=Severity.WARNING,
        summary="An entry of a map of deploymentEnvironment is not read.",
        halyard=(
            "Halyard reads replicas, sidecars and init containers only below spin-<service>. It reads requests and "
            "limits below <service> if that entry exists, else below spin-<service>, and no other keys. It reads host "
            "aliases, tolerations and affinity below spin-<service> if that entry exists, else below <service>."
        ),
        impact="The setting has no effect.",
        fix="Move the setting to the entry that Halyard reads.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    customSizing:
      spin-gate: {limits: {memory: 1Gi}}
      gate: {replicas: 2}
      spin-orca: {limits: {memry: 1Gi}, replica: 2}
    initContainers:
      gate: [{name: x, image: y}]
""",
    ),
    Entry(
        id="deployment-environment/resources",
        severity=Severity.ERROR,
        summary="requests or limits of a size is not a mapping of quantities.",
        halyard=(
            "Halyard casts the value to a mapping and ends with a ClassCastException. It applies any text as cpu and "
            "memory."
        ),
        impact="Nothing can be deployed. Kubernetes refuses text that is no quantity, which is a warning.",
        fix="Write cpu and memory below it.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    customSizing:
      spin-gate: {limits: 1Gi}
""",
    ),
    Entry(
        id="deployment-environment/sidecar-image",
        severity=Severity.WARNING,
        summary="A sidecar has no image.",
        halyard="Halyard writes an empty image into the deployment.",
        impact="The pod does not start.",
        fix="Set dockerImage.",
        example="""\
# config
deploymentConfigurations:
- name: default
  deploymentEnvironment:
    sidecars:
      spin-gate: [{name: x}]
""",
    ),
)
