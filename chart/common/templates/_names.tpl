{{/*
Names, labels and addresses. A scope is passed through all templates: root (Helm's own values), name (of the chart), values
(the chart's merged over the shared ones), global, fullname, and spec (the workload as the chart's "<name>.component"
template describes it).
*/}}
{{- define "common.prepare" -}}
{{- include "common.scope" . -}}
{{- $_ := set . "spec" (include "common.parsed" (dict "what" .name "text" (include (printf "%s.component" .name) .)) | fromJson) -}}
{{- end -}}

{{/* Set values, global, name and fullname of a scope. `own` has the values of a job of the umbrella. */}}
{{- define "common.scope" -}}
{{- $root := .root -}}
{{- $own := omit (.own | default $root.Values) "common" "global" -}}
{{- $_ := set . "values" (mustMergeOverwrite (deepCopy $root.Values.common) $own) -}}
{{- $_ := set . "global" $root.Values.common.global -}}
{{- $_ := set . "name" (default $root.Chart.Name .name) -}}
{{- include "common.releaseName" . -}}
{{- $_ := set . "fullname" (include "common.fullname" .) -}}
{{- include "common.refusals" . -}}
{{- end -}}

{{/* YAML text as JSON. Fails where the text is not a mapping. */}}
{{- define "common.parsed" -}}
{{- $parsed := .text | fromYaml -}}
{{- if hasKey $parsed "Error" -}}{{- fail (printf "%s: the generated text is not YAML: %s" .what $parsed.Error) -}}{{- end -}}
{{- toJson $parsed -}}
{{- end -}}

{{/* Services are named after the release, and a Service's name is a DNS-1035 label. */}}
{{- define "common.releaseName" -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" .root.Release.Name) -}}
{{- fail (printf "The release name %s cannot begin the name of a Service: use lower-case letters, digits and hyphens, and begin with a letter." .root.Release.Name) -}}
{{- end -}}
{{- end -}}

{{/* Name of a component's objects. Not truncated, because two truncated names may be equal; Kubernetes appends up to 11 characters. */}}
{{- define "common.fullname" -}}
{{- $name := default (printf "%s-%s" .root.Release.Name .name) .values.fullnameOverride -}}
{{- if gt (len $name) 52 -}}
{{- fail (printf "%s: the name %s is longer than 52 characters. Use a shorter name for the release%s." .name $name (ternary " or in fullnameOverride" "" (ne "" (toString .values.fullnameOverride)))) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/* Host name of another component: {scope, to}. */}}
{{- define "common.host" -}}
{{- $default := printf "%s-%s" .scope.root.Release.Name .to -}}
{{- get .scope.global.addresses .to | default $default -}}
{{- end -}}

{{/* Host name of another component that any namespace resolves and no search domain is needed for: {scope, to}. */}}
{{- define "common.fullHost" -}}
{{- $host := include "common.host" . -}}
{{- if contains "." $host -}}{{ $host }}{{- else -}}
{{ $host }}.{{ .scope.root.Release.Namespace }}.svc.{{ .scope.global.clusterDomain }}
{{- end -}}
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

{{/* "true" where services have the predecessor's names too. */}}
{{- define "common.predecessorNames" -}}
{{- if kindIs "invalid" .global.predecessorNames -}}
{{- ternary "true" "" (and .global.spinnaker.install (eq .global.spinnaker.dialect "opsmx")) -}}
{{- else -}}
{{- ternary "true" "" .global.predecessorNames -}}
{{- end -}}
{{- end -}}

{{- define "common.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{/* Labels of every object. component distinguishes a workload's pods from those of tests; label is an object's own part. */}}
{{- define "common.labels" -}}
{{- $reserved := include "common.reservedLabels" . | fromYaml -}}
{{- toYaml (merge $reserved (deepCopy .values.labels) .global.labels) -}}
{{- end -}}

{{- define "common.reservedLabels" -}}
{{ include "common.selector" . }}
app.kubernetes.io/component: {{ .label | default .component | default "server" }}
app.kubernetes.io/part-of: isd
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Chart.AppVersion }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Metadata of an object of a scope. suffix, annotations and component are the object's own, hook its workload's annotations. */}}
{{- define "common.metadata" -}}
{{- $annotations := deepCopy (.annotations | default dict) -}}
{{- range list .hook .values.annotations .global.annotations -}}{{- $annotations = merge $annotations (. | default dict) -}}{{- end -}}
metadata:
  name: {{ .objectName | default (printf "%s%s" .fullname (default "" .suffix)) }}
  namespace: {{ .objectNamespace | default .root.Release.Namespace }}
  labels: {{- include "common.labels" . | trim | nindent 4 }}
  {{- with $annotations }}
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
{{- $name := ternary (printf "%s/%s" $registry .image.repository) .image.repository (ne (toString $registry) "") -}}
{{- if .image.digest -}}
{{ $name }}@{{ .image.digest }}
{{- else -}}
{{ $name }}:{{ default .scope.root.Chart.AppVersion .image.tag }}
{{- end -}}
{{- end -}}
