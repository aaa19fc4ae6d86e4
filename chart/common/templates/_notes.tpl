{{/* What "helm install" says of a component: where it answers and how it is tried. Never a credential. */}}
{{- define "common.notes" -}}
{{- $scope := dict "root" . -}}
{{- include "common.prepare" $scope -}}
{{ .Chart.Name }} {{ .Chart.AppVersion }} is on its way, as {{ $scope.fullname }} in {{ .Release.Namespace }}.
{{- range $scope.spec.services }}
{{- $service := . }}
{{- range .ports }}
  {{ .name }}: {{ $scope.fullname }}{{ $service.name }}:{{ .port }}
{{- end }}
{{- end }}
Try it: helm test {{ .Release.Name }} --namespace {{ .Release.Namespace }}
{{- end -}}
