{{/* All objects of a component: {root}, and also: the name of a template with further ones. */}}
{{- define "common.everything" -}}
{{- $scope := dict "root" .root -}}
{{- include "common.prepare" $scope -}}
{{- if .root.Chart.IsRoot -}}{{- include "common.credentialSecrets" $scope -}}{{- end -}}
{{- include "common.objects" $scope -}}
{{- with .also -}}{{- include . $scope -}}{{- end -}}
{{- include "common.test" $scope -}}
{{- end -}}

{{- define "common.objects" -}}
{{- include "common.serviceAccount" . -}}
{{- include "common.configMap" . -}}
{{- include "common.workload" . -}}
{{- include "common.services" . -}}
{{- include "common.disruptionBudget" . -}}
{{- include "common.networkPolicy" . -}}
{{- include "common.serviceMonitor" . -}}
{{- end -}}

{{/* Pod of "helm test": connects to every port of the component's first service. */}}
{{- define "common.test" -}}
{{- with first (.spec.services | default (list dict)) }}
{{- $targets := list }}
{{- range .ports }}{{- $targets = append $targets (printf "%s:%v" $.fullname .port) }}{{- end }}
{{- $spec := dict "kind" "Pod" "restartPolicy" "Never"
      "annotations" (dict "helm.sh/hook" "test" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded")
      "container" (dict "name" "connect" "image" $.global.halgit "command" (list "python3" "-c" (include "common.testProgram" $)) "args" $targets
        "resources" (dict "requests" (dict "cpu" "10m" "memory" "32Mi") "limits" (dict "memory" "64Mi"))) }}
{{- $values := omit $.values "resources" }}
{{- range list "extraVolumes" "extraVolumeMounts" "extraEnv" "writablePaths" }}{{- $_ := set $values . list }}{{- end }}
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

{{/* Values that cannot be: said in words. Keys of global nobody reads are misspelt, where nobody else can read them. */}}
{{- define "common.refusals" -}}
{{- if .root.Chart.IsRoot -}}
{{- $known := keys (include "common.globalKeys" . | fromYaml) -}}
{{- range $key, $_ := .global -}}
{{- if not (has $key $known) -}}
{{- fail (printf "global.%s is not a value of this chart. It has: %s." $key (join ", " (sortAlpha $known))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $given := .global.credentials -}}
{{- if and $given.existingSecret $given.values -}}
{{- fail (printf "global.credentials.%s: both existingSecret and values are given. Keep one." $name) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .global.secretStore.kind "vault") (not .global.secretStore.address) -}}
{{- fail "global.secretStore: kind is vault and address is empty. Give Vault's address, or take kind db." -}}
{{- end -}}
{{- if and .global.caBundle.configMap .global.caBundle.secret -}}
{{- fail "global.caBundle: both configMap and secret are given. Keep one." -}}
{{- end -}}
{{- end -}}

{{/* The keys of global. The test of the charts holds this list to common/values.yaml. */}}
{{- define "common.globalKeys" -}}
addresses: true
affinity: true
caBundle: true
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
tls: true
tolerations: true
trial: true
trustStore: true
{{- end -}}
