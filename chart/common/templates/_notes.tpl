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
