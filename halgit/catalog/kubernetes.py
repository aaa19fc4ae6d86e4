"""Rules on Kubernetes accounts and their kubeconfigs."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="kubernetes/cache-threads",
        severity=Severity.ERROR,
        summary="cacheThreads of a Kubernetes account is negative.",
        halyard=(
            "`hal deploy apply` validates every account, including those of disabled providers, and ends with an ERROR."
        ),
        impact="Nothing can be deployed.",
        fix="Write 1 or more, or remove the key.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: spinnaker
        cacheThreads: '-1'
""",
    ),
    Entry(
        id="kubernetes/custom-resource-not-cached",
        severity=Severity.WARNING,
        summary="kinds or omitKinds of an account exclude one of its custom resources.",
        halyard="Halyard warns. Clouddriver does not cache the kind.",
        impact="The resource is not visible in Spinnaker.",
        fix="Make kinds, omitKinds and customResources agree.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: spinnaker
        kinds: [pod]
        customResources: [{kubernetesKind: A.example.com}]
      - name: other
        serviceAccount: true
        omitKinds: [A.example.com]
        customResources: [{kubernetesKind: A.example.com}]
""",
    ),
    Entry(
        id="kubernetes/custom-resource-without-kind",
        severity=Severity.ERROR,
        summary="A custom resource of a Kubernetes account has no kubernetesKind.",
        halyard=(
            "`hal deploy apply` validates every account, including those of disabled providers, and ends with an ERROR."
        ),
        impact="Nothing can be deployed.",
        fix="Add kubernetesKind, such as Certificate.cert-manager.io.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: spinnaker
        customResources: [{versioned: true}]
""",
    ),
    Entry(
        id="kubernetes/kinds-and-omit-kinds",
        severity=Severity.ERROR,
        summary="A Kubernetes account has both kinds and omitKinds.",
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
    kubernetes:
      accounts:
      - name: spinnaker
        kinds: [pod]
        omitKinds: [job]
""",
    ),
    Entry(
        id="kubernetes/kubeconfig",
        severity=Severity.ERROR,
        summary="A kubeconfig lacks something its account requires.",
        halyard=(
            "Halyard reads the context and its user when it generates Clouddriver's configuration, and ends with a "
            "FATAL problem if they are missing. It does not report an unknown context, which is a warning here."
        ),
        impact="Nothing can be deployed, or every call of kubectl for the account fails.",
        fix="Correct the context or the kubeconfig.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - {name: prod, kubeconfigFile: files/prod, context: three}
# files/prod
clusters: [{name: c, cluster: {server: 'https://k8s.example.com'}}]
users: [{name: u, user: {token: not-a-token}}]
contexts: [{name: one, context: {cluster: c, user: u}}]
current-context: one
""",
    ),
    Entry(
        id="kubernetes/kubeconfig-file",
        severity=Severity.WARNING,
        summary="A kubeconfig names a file that Clouddriver's pod does not have.",
        halyard="Halyard copies the kubeconfig, and not the files that it names. kubectl looks for a relative path "
        "beside the copy.",
        impact="Clouddriver cannot use the account.",
        fix="Embed the data: `kubectl config view --raw --flatten`.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      enabled: true
      accounts: [{name: spinnaker, kubeconfigFile: files/kubeconfig}]
# files/kubeconfig
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: 'https://k.example', certificate-authority: ca.crt}}]
users: [{name: a, user: {token: encrypted:k8s!n:prod!k:token}}]
""",
    ),
    Entry(
        id="kubernetes/namespace-name",
        severity=Severity.WARNING,
        summary="A Kubernetes account names a namespace that cannot exist.",
        halyard="Halyard does not check it. Kubernetes refuses such names.",
        impact="Clouddriver finds nothing in the namespace.",
        fix="Use lower-case letters, digits and dashes, at most 63.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - {name: spinnaker, serviceAccount: true, namespaces: [My_Namespace]}
""",
    ),
    Entry(
        id="kubernetes/namespaces-and-omit-namespaces",
        severity=Severity.ERROR,
        summary="A Kubernetes account has both namespaces and omitNamespaces.",
        halyard="Halyard does not check it. Clouddriver refuses such an account when it starts.",
        impact="Clouddriver does not start, or starts without the account.",
        fix="Keep one of them.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: spinnaker
        namespaces: [a]
        omitNamespaces: [b]
""",
    ),
    Entry(
        id="kubernetes/no-kubeconfig",
        severity=Severity.WARNING,
        summary="A Kubernetes account has neither a kubeconfig nor serviceAccount.",
        halyard="Halyard uses .kube/config in the home of its daemon, and ends with a FATAL problem if there is none.",
        impact="A rendered tree does not contain that file.",
        fix="Set kubeconfigFile, or serviceAccount: true for the cluster that Spinnaker runs in.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: prod
        kubeconfigFile: ''
""",
    ),
    Entry(
        id="kubernetes/version-1",
        severity=Severity.WARNING,
        summary="A Kubernetes account has providerVersion V1.",
        halyard="Halyard warns that the provider was removed, and writes the account as V2.",
        impact="The account does not behave as intended.",
        fix="Remove providerVersion and the settings of V1.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: spinnaker
        providerVersion: V1
        dockerRegistries: []
        kinds: [pod]
        onlySpinnakerManaged: true
""",
    ),
)
