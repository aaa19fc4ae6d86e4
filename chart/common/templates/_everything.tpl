{{/* All objects of a component: {root}, and also: the name of a template with further ones. */}}
{{- define "common.everything" -}}
{{- $scope := dict "root" .root -}}
{{- include "common.prepare" $scope -}}
{{- if .root.Chart.IsRoot -}}{{- include "common.credentialSecrets" $scope -}}{{- end -}}
{{- include "common.objects" $scope -}}
{{- with .also -}}{{- include . $scope -}}{{- end -}}
{{- include "common.extraObjects" $scope -}}
{{- include "common.test" $scope -}}
{{- end -}}

{{- define "common.objects" -}}
{{- include "common.serviceAccount" . -}}
{{- include "common.configMap" . -}}
{{- include "common.claims" . -}}
{{- include "common.workload" . -}}
{{- include "common.services" . -}}
{{- include "common.podDisruptionBudget" . -}}
{{- include "common.autoscaler" . -}}
{{- include "common.networkPolicy" . -}}
{{- include "common.serviceMonitor" . -}}
{{- end -}}

{{/* The objects of the value extraObjects, with template expressions resolved. */}}
{{- define "common.extraObjects" -}}
{{- range .values.extraObjects }}
---
{{ tpl (toYaml .) $.root }}
{{- end }}
{{- end -}}

{{/* Pod of "helm test": connects to every port of every service of the component, but for the headless one. */}}
{{- define "common.test" -}}
{{- $targets := list }}
{{- range $service := .spec.services }}
{{- range $service.ports }}{{- $targets = append $targets (printf "%s%s:%v" $.fullname (default "" $service.name) .port) }}{{- end }}
{{- end }}
{{- if and .global.tests.enabled $targets }}
{{- $spec := dict "kind" "Pod" "restartPolicy" "Never"
      "annotations" (dict "helm.sh/hook" "test" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded")
      "container" (dict "name" "connect" "image" $.global.halgit "command" (list "python3" "-c" (include "common.testProgram" $)) "args" $targets
        "resources" (dict "requests" (dict "cpu" "10m" "memory" "32Mi") "limits" (dict "memory" "64Mi"))) }}
{{- $defaults := deepCopy $.root.Values.common }}
{{- $values := mustMergeOverwrite $defaults (pick $.values "serviceAccount" "nodeSelector" "tolerations" "affinity" "priorityClassName" "runtimeClassName" "dnsPolicy" "dnsConfig" "hostAliases" "annotations" "labels" "podLabels" "networkPolicy") }}
{{- $test := omit $ "spec" "values" "suffix" "component" }}
{{- range $key, $value := dict "spec" $spec "values" $values "suffix" "-test" "component" "test" }}{{- $_ := set $test $key $value }}{{- end }}
{{- include "common.workload" $test }}
{{- end }}
{{- end -}}

{{- define "common.testProgram" -}}
import socket, sys
for target in sys.argv[1:]:
    host, port = target.rsplit(":", 1)
    socket.create_connection((host, int(port)), 10).close()
    print(target, "answers")
{{- end -}}

{{/* Fail for values that cannot work. Unknown keys of global are refused at the root only: a parent chart may have its own. */}}
{{- define "common.refusals" -}}
{{- include "common.renamedValues" . -}}
{{- if .root.Chart.IsRoot -}}
{{- $known := keys (include "common.globalKeys" . | fromYaml) -}}
{{- range $key, $_ := .global -}}
{{- if not (has $key $known) -}}
{{- fail (printf "global.%s is not a value of this chart. Known: %s." $key (join ", " (sortAlpha $known))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $credential := .global.credentials -}}
{{- if gt (len (compact (list $credential.existingSecret (ternary "values" "" (not (empty $credential.values))) (ternary "generate" "" (default false $credential.generate))))) 1 -}}
{{- fail (printf "global.credentials.%s: more than one of existingSecret, values and generate is set. Keep one." $name) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .global.secretStore.kind "vault") (not .global.secretStore.address) -}}
{{- fail "global.secretStore.address: required with kind vault. Set Vault's address, or set kind to db." -}}
{{- end -}}
{{- if and .global.caBundle.configMap .global.caBundle.secret -}}
{{- fail "global.caBundle: both configMap and secret are set. Keep one." -}}
{{- end -}}
{{- range $where, $labels := dict (printf "%s.labels" .name) .values.labels (printf "%s.podLabels" .name) .values.podLabels "global.labels" .global.labels -}}
{{- range $label := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" -}}
{{- if hasKey $labels $label -}}
{{- fail (printf "%s: %s is part of selectors, which Kubernetes does not let differ from the pods' labels. Use another label." $where $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The keys of global. A test compares this list with common/values.yaml. */}}
{{- define "common.globalKeys" -}}
addresses: true
affinity: true
annotations: true
caBundle: true
clusterDomain: true
commonGate: true
controller: true
credentials: true
database: true
halgit: true
hosts: true
image: true
labels: true
ldap: true
login: true
lookup: true
managementPort: true
networkPolicy: true
nodeSelector: true
objectStore: true
opa: true
podSecurity: true
predecessorNames: true
priorityClassName: true
proxy: true
rabbitmq: true
redis: true
replicas: true
saporGate: true
secretStore: true
serviceMonitor: true
spinnaker: true
storageClassName: true
tests: true
tls: true
tolerations: true
trial: true
trustStore: true
umbrella: true
{{- end -}}
