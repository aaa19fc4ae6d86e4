{{/*
The one workload: Deployment, StatefulSet, CronJob, Job or Pod, as spec.kind says. A Job cannot be changed: one whose
specification differs has another name, so that applying it anew makes it and does not fail.
*/}}
{{- define "common.workload" -}}
{{- $kind := .spec.kind | default "Deployment" -}}
{{- $apiVersion := get (dict "Pod" "v1" "Job" "batch/v1" "CronJob" "batch/v1") $kind | default "apps/v1" -}}
{{- $digest := dict -}}
{{- if eq $kind "Job" }}{{- $digest = dict "suffix" (include "common.jobSpec" . | sha256sum | trunc 8 | printf "-%s") -}}{{- end }}
---
apiVersion: {{ $apiVersion }}
kind: {{ $kind }}
{{ include "common.metadata" (merge (dict "annotations" .spec.annotations) $digest .) }}
{{- if eq $kind "Pod" }}
spec: {{- include "common.podSpec" . | nindent 2 }}
{{- else if eq $kind "Job" }}
spec: {{- include "common.jobSpec" . | nindent 2 }}
{{- else if eq $kind "CronJob" }}
spec:
  schedule: {{ .spec.schedule | quote }}
  concurrencyPolicy: Forbid
  jobTemplate:
    spec: {{- include "common.jobSpec" . | nindent 6 }}
{{- else }}
spec:
  replicas: {{ include "common.replicas" . }}
  revisionHistoryLimit: 3
  selector:
    matchLabels: {{- include "common.podSelector" . | nindent 6 }}
  {{- if eq $kind "StatefulSet" }}
  serviceName: {{ .fullname }}
  {{- else if .spec.singleton }}
  strategy:
    type: Recreate
  {{- else }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  {{- end }}
  template: {{- include "common.podTemplate" . | nindent 4 }}
  {{- with .spec.claims }}
  volumeClaimTemplates:
    {{- range . }}
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: {{ .name }}
        labels: {{- include "common.podSelector" $ | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $.global.storageClassName }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ .size }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "common.jobSpec" -}}
backoffLimit: {{ .spec.backoffLimit | default 6 }}
activeDeadlineSeconds: {{ .spec.activeDeadlineSeconds }}
ttlSecondsAfterFinished: 86400
template: {{- include "common.podTemplate" . | nindent 2 }}
{{- end -}}

{{/* Labels that pods of the workload have and pods of tests have not. */}}
{{- define "common.podSelector" -}}
{{ include "common.selector" . }}
app.kubernetes.io/component: {{ .component | default "server" }}
{{- end -}}

{{- define "common.replicas" -}}
{{- if has .spec.kind (list "CronJob" "Job" "Pod") -}}1
{{- else if .spec.singleton -}}
{{- if gt (int (default 1 .values.replicas)) 1 -}}
{{- fail (printf "%s.replicas: %s holds state in one place and runs once. Set it to 1 or leave it." .name .name) -}}
{{- end -}}
{{- if kindIs "invalid" .values.replicas -}}1{{- else -}}{{ .values.replicas }}{{- end -}}
{{- else -}}
{{- if kindIs "invalid" .values.replicas -}}{{ .global.replicas }}{{- else -}}{{ .values.replicas }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* The config map of spec.files. */}}
{{- define "common.configMap" -}}
{{- with .spec.files }}
---
apiVersion: v1
kind: ConfigMap
{{ include "common.metadata" $ }}
data:
  {{- range $path, $text := . }}
  {{ include "common.fileKey" $path }}: |
    {{- $text | trim | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A YAML file: what the chart makes, and the chart's value "config" over it. {scope, made} */}}
{{- define "common.configYaml" -}}
{{- $made := include "common.parsed" (dict "what" .scope.name "text" .made) | fromJson -}}
{{- toYaml (mustMergeOverwrite $made (deepCopy .scope.values.config)) -}}
{{- end -}}

{{- define "common.services" -}}
{{- $scope := . -}}
{{- range $service := .spec.services }}
{{- include "common.service" (merge (dict "service" $service) $scope) }}
{{- if $scope.global.predecessorNames }}
{{- range $service.predecessorNames }}
{{- include "common.service" (merge (dict "objectName" . "label" "predecessor" "service" (omit $service "headless")) $scope) }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* One service: {name (suffix), ports, type, headless, annotations}. */}}
{{- define "common.service" }}
---
apiVersion: v1
kind: Service
{{ include "common.metadata" (merge (dict "suffix" .service.name "annotations" (.service.annotations | default .values.service.annotations)) .) }}
spec:
  type: {{ .service.type | default .values.service.type }}
  {{- if .service.headless }}
  clusterIP: None
  {{- end }}
  selector: {{- include "common.podSelector" . | nindent 4 }}
  ports:
    {{- range .service.ports }}
    - name: {{ .name }}
      port: {{ .port }}
      targetPort: {{ .target | default .name }}
      protocol: TCP
    {{- end }}
{{- end -}}

{{- define "common.serviceAccount" -}}
{{- if and (not .values.serviceAccount.create) (not .values.serviceAccount.name) -}}
{{- fail (printf "%s.serviceAccount: create is off and name is empty. Name the account the pods run under." .name) -}}
{{- end -}}
{{- if .values.serviceAccount.create }}
---
apiVersion: v1
kind: ServiceAccount
{{ include "common.metadata" (merge (dict "objectName" (include "common.serviceAccountName" .) "annotations" .values.serviceAccount.annotations) .) }}
automountServiceAccountToken: false
{{- end }}
{{- with .spec.rules }}
{{- include "common.role" (merge (dict "rules" . "account" (include "common.serviceAccountName" $)) $) }}
{{- end }}
{{- end -}}

{{/* A role in the release's namespace, bound to one account: rules, account. */}}
{{- define "common.role" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
{{ include "common.metadata" . }}
rules: {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
{{ include "common.metadata" . }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .objectName | default (printf "%s%s" .fullname (default "" .suffix)) }}
subjects:
  - kind: ServiceAccount
    name: {{ .account }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}

{{- define "common.disruptionBudget" -}}
{{- if and .values.disruptionBudget.enabled (gt (include "common.replicas" . | int) 1) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "common.metadata" . }}
spec:
  maxUnavailable: {{ .values.disruptionBudget.maxUnavailable }}
  selector:
    matchLabels: {{- include "common.podSelector" . | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "common.serviceMonitor" -}}
{{- with .spec.metrics }}
{{- if $.global.serviceMonitor.enabled }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
{{ include "common.metadata" $ | replace "\n  labels:" (printf "\n  labels:%s" (include "common.monitorLabels" $)) }}
spec:
  selector:
    matchLabels: {{- include "common.podSelector" $ | nindent 6 }}
  endpoints:
    - port: {{ .port }}
      path: {{ .path }}
      interval: {{ $.global.serviceMonitor.interval }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "common.monitorLabels" -}}
{{- with .global.serviceMonitor.labels -}}
{{- toYaml . | nindent 4 -}}
{{- end -}}
{{- end -}}

{{/* A properties file: what the chart makes, and the chart's value "config" (keys with dots) over it. {scope, made} */}}
{{- define "common.configProperties" -}}
{{- $made := include "common.parsed" (dict "what" .scope.name "text" .made) | fromJson -}}
{{- range $key, $value := mustMergeOverwrite $made (deepCopy .scope.values.config) }}
{{ $key }}={{ $value }}
{{- end }}
{{- end -}}
