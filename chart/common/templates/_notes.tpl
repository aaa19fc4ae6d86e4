{{/* What "helm install" prints for a component: its addresses and how to test it. Never a credential. */}}
{{- define "common.notes" -}}
{{- $scope := dict "root" . -}}
{{- include "common.prepare" $scope -}}
{{ .Chart.Name }} {{ .Chart.AppVersion }} is being installed as {{ $scope.fullname }} in namespace {{ .Release.Namespace }}.
{{- range $scope.spec.services }}
{{- $service := . }}
{{- range .ports }}
  {{ .name }}: {{ $scope.fullname }}{{ default "" $service.name }}:{{ .port }}
{{- end }}
{{- end }}
{{- if $scope.global.tests.enabled }}
Test it: helm test {{ .Release.Name }} --namespace {{ .Release.Namespace }}
{{- end }}
{{- end -}}

{{/*
A warning where the namespace of Spinnaker enforces the Pod Security Standard "restricted", which the pods that Halyard creates do not
meet. Empty without a cluster.
*/}}
{{- define "common.podSecurityWarning" -}}
{{- $name := include "common.spinnakerNamespace" . -}}
{{- $namespace := dict -}}
{{- if .global.lookup.namespace -}}{{- $namespace = lookup "v1" "Namespace" "" $name -}}{{- end -}}
{{- if eq (dig "metadata" "labels" "pod-security.kubernetes.io/enforce" "" $namespace) "restricted" }}

WARNING: namespace {{ $name }} enforces the Pod Security Standard "restricted". The pods that Halyard creates do not meet it and will
be refused. Set another label there (kubectl label namespace {{ $name }} pod-security.kubernetes.io/enforce=baseline --overwrite),
or give Spinnaker a namespace of its own with global.spinnaker.namespace.
{{- end }}
{{- end -}}
