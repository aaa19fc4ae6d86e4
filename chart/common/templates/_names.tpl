{{/*
A scope travels through all templates: root (Helm's own values), name (of the chart), values (the chart's over the shared
ones), global, fullname, and spec (what the chart's "<name>.component" template says of its workload).
*/}}
{{- define "common.prepare" -}}
{{- include "common.scope" . -}}
{{- $_ := set . "spec" (include "common.parsed" (dict "what" .name "text" (include (printf "%s.component" .name) .)) | fromJson) -}}
{{- end -}}

{{- define "common.scope" -}}
{{- $root := .root -}}
{{- $_ := set . "values" (mustMergeOverwrite (deepCopy $root.Values.common) (omit $root.Values "common" "global")) -}}
{{- $_ := set . "global" $root.Values.common.global -}}
{{- $_ := set . "name" (default $root.Chart.Name .name) -}}
{{- $_ := set . "fullname" (include "common.fullname" .) -}}
{{- include "common.refusals" . -}}
{{- end -}}

{{/* YAML text as JSON, or a refusal where it is no mapping. */}}
{{- define "common.parsed" -}}
{{- $parsed := .text | fromYaml -}}
{{- if hasKey $parsed "Error" -}}{{- fail (printf "%s: the made text is not YAML: %s" .what $parsed.Error) -}}{{- end -}}
{{- toJson $parsed -}}
{{- end -}}

{{/* Never cut off: others call a component by this name, and two might be cut to one. What Kubernetes adds must fit behind it. */}}
{{- define "common.fullname" -}}
{{- $name := default (printf "%s-%s" .root.Release.Name .name) .values.fullnameOverride -}}
{{- if gt (len $name) 52 -}}
{{- fail (printf "%s: the name %s is longer than 52 characters. Take a shorter name for the release%s." .name $name (ternary " or in fullnameOverride" "" (ne "" (toString .values.fullnameOverride)))) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/* Host name of another component: {scope, to}. */}}
{{- define "common.host" -}}
{{- $default := printf "%s-%s" .scope.root.Release.Name .to -}}
{{- get .scope.global.addresses .to | default $default -}}
{{- end -}}

{{/* http address of another component: {scope, to}; its first port. */}}
{{- define "common.url" -}}
{{- $ports := include "common.ports" . | fromYaml -}}
http://{{ include "common.host" . }}:{{ first (get $ports .to) }}
{{- end -}}

{{/* Namespace of the Spinnaker services. */}}
{{- define "common.spinnakerNamespace" -}}
{{- default .root.Release.Namespace .global.spinnaker.namespace -}}
{{- end -}}

{{/* http address of a Spinnaker service: {scope, to, port}. */}}
{{- define "common.spinnakerUrl" -}}
{{- $namespace := include "common.spinnakerNamespace" .scope -}}
{{- if eq $namespace .scope.root.Release.Namespace -}}
http://spin-{{ .to }}:{{ .port }}
{{- else -}}
http://spin-{{ .to }}.{{ $namespace }}:{{ .port }}
{{- end -}}
{{- end -}}

{{/* Public address of a host of global.hosts: {scope, host}. */}}
{{- define "common.publicUrl" -}}
{{- $host := get .scope.global.hosts .host -}}
{{- if $host -}}
{{ ternary "https" "http" .scope.global.tls.enabled }}://{{ $host }}
{{- end -}}
{{- end -}}

{{- define "common.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{/* Labels of every object; component tells the workload's pods from those of tests, label an object's own part. */}}
{{- define "common.labels" -}}
{{ include "common.selector" . }}
app.kubernetes.io/component: {{ .label | default .component | default "server" }}
app.kubernetes.io/part-of: isd
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Chart.AppVersion }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .global.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Metadata of an object: a scope; suffix, annotations and component are the
object's own, hook (annotations too) its workload's. */}}
{{- define "common.metadata" -}}
metadata:
  name: {{ .objectName | default (printf "%s%s" .fullname (default "" .suffix)) }}
  namespace: {{ .objectNamespace | default .root.Release.Namespace }}
  labels: {{- include "common.labels" . | nindent 4 }}
  {{- with merge (deepCopy (.annotations | default dict)) (.hook | default dict) }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "common.serviceAccountName" -}}
{{- if .values.serviceAccount.create -}}
{{ default .fullname .values.serviceAccount.name }}
{{- else -}}
{{ .values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{/* Reference of an image: {scope, image}; image has registry, repository, tag, digest. */}}
{{- define "common.image" -}}
{{- $registry := default .image.registry .scope.global.image.registry -}}
{{- $name := ternary (printf "%s/%s" $registry .image.repository) .image.repository (ne $registry "") -}}
{{- if .image.digest -}}
{{ $name }}@{{ .image.digest }}
{{- else -}}
{{ $name }}:{{ default .scope.root.Chart.AppVersion .image.tag }}
{{- end -}}
{{- end -}}
