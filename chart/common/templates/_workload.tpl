{{/*
The only template of a Deployment, StatefulSet, CronJob, Job or Pod, as spec.kind says. Kubernetes does not let a Job change, so its
name ends with a digest of its specification: a changed Job is a new object.
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
  startingDeadlineSeconds: 3600
  jobTemplate:
    spec: {{- include "common.jobSpec" . | nindent 6 }}
{{- else }}
spec:
  {{- if not .values.autoscaling.enabled }}
  replicas: {{ include "common.replicas" . }}
  {{- end }}
  revisionHistoryLimit: 3
  selector:
    matchLabels: {{- include "common.podSelector" . | nindent 6 }}
  {{- if eq $kind "StatefulSet" }}
  serviceName: {{ .fullname }}-headless
  {{- with .values.strategy }}
  updateStrategy: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- else }}
  strategy: {{- include "common.strategy" . | nindent 4 }}
  {{- end }}
  template: {{- include "common.podTemplate" . | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "common.strategy" -}}
{{- if .values.strategy -}}
{{- toYaml .values.strategy -}}
{{- else if and (or .spec.singleton .spec.recreate) (ne "true" (include "common.severalPods" .)) -}}
type: Recreate
{{- else -}}
type: RollingUpdate
rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
{{- end -}}
{{- end -}}

{{- define "common.jobSpec" -}}
backoffLimit: {{ .spec.backoffLimit | default 6 }}
activeDeadlineSeconds: {{ .spec.activeDeadlineSeconds }}
ttlSecondsAfterFinished: 86400
template: {{- include "common.podTemplate" . | nindent 2 }}
{{- end -}}

{{/* Labels of a workload's pods that test pods do not have. */}}
{{- define "common.podSelector" -}}
{{ include "common.selector" . }}
app.kubernetes.io/component: {{ .component | default "server" }}
{{- end -}}

{{/* Number of pods of a workload. Fails for more than one pod of a component that holds state. */}}
{{- define "common.replicas" -}}
{{- $replicas := .values.replicas -}}
{{- if has .spec.kind (list "CronJob" "Job" "Pod") -}}1
{{- else if .spec.singleton -}}
{{- if or (gt (int (default 1 $replicas)) 1) .values.autoscaling.enabled -}}
{{- fail (printf "%s.%s: %s holds state in one place and runs as one pod. Remove this value." .name (ternary "autoscaling" "replicas" .values.autoscaling.enabled) .name) -}}
{{- end -}}
{{- if kindIs "invalid" $replicas -}}1{{- else -}}{{ $replicas }}{{- end -}}
{{- else -}}
{{- if kindIs "invalid" $replicas -}}{{ .global.replicas }}{{- else -}}{{ $replicas }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* "true" where a workload may have more than one pod. */}}
{{- define "common.severalPods" -}}
{{- $single := has .spec.kind (list "CronJob" "Job" "Pod") -}}
{{- $scaled := and .values.autoscaling.enabled (gt (int .values.autoscaling.maxReplicas) 1) -}}
{{- ternary "true" "" (and (not $single) (or $scaled (gt (include "common.replicas" . | int) 1))) -}}
{{- end -}}

{{- define "common.autoscaler" -}}
{{- if .values.autoscaling.enabled }}
{{- $scaling := .values.autoscaling }}
{{- $_ := include "common.replicas" . }}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) }}
{{- fail (printf "%s.autoscaling: minReplicas %d is more than maxReplicas %d. Raise maxReplicas." .name (int $scaling.minReplicas) (int $scaling.maxReplicas)) }}
{{- end }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
{{ include "common.metadata" . }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: {{ .spec.kind | default "Deployment" }}
    name: {{ .fullname }}
  minReplicas: {{ $scaling.minReplicas }}
  maxReplicas: {{ $scaling.maxReplicas }}
  metrics:
    {{- if not (or $scaling.targetCPUUtilizationPercentage $scaling.targetMemoryUtilizationPercentage) }}
    {{- fail (printf "%s.autoscaling: no target is set. Set targetCPUUtilizationPercentage or targetMemoryUtilizationPercentage." .name) }}
    {{- end }}
    {{- range $resource, $target := dict "cpu" $scaling.targetCPUUtilizationPercentage "memory" $scaling.targetMemoryUtilizationPercentage }}
    {{- with $target }}
    - type: Resource
      resource:
        name: {{ $resource }}
        target: {type: Utilization, averageUtilization: {{ . }}}
    {{- end }}
    {{- end }}
  {{- with $scaling.behavior }}
  behavior: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
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

{{/* A YAML file: the chart's content with the value "config" merged over it: {scope, content}. */}}
{{- define "common.configYaml" -}}
{{- $content := include "common.parsed" (dict "what" .scope.name "text" .content) | fromJson -}}
{{- toYaml (mustMergeOverwrite $content (deepCopy .scope.values.config)) -}}
{{- end -}}

{{/* A properties file: the chart's content with the value "config" (keys with dots) merged over it: {scope, content}. */}}
{{- define "common.configProperties" -}}
{{- $content := include "common.parsed" (dict "what" .scope.name "text" .content) | fromJson -}}
{{- range $key, $value := mustMergeOverwrite $content (deepCopy .scope.values.config) }}
{{ $key }}={{ $value }}
{{- end }}
{{- end -}}

{{- define "common.services" -}}
{{- $scope := . -}}
{{- range $service := .spec.services }}
{{- include "common.service" (merge (dict "service" $service) $scope) }}
{{- if eq "true" (include "common.predecessorNames" $scope) }}
{{- range $service.predecessorNames }}
{{- include "common.service" (merge (dict "objectName" . "label" "predecessor" "service" (merge (dict "type" "ClusterIP" "annotations" dict) $service)) $scope) }}
{{- end }}
{{- end }}
{{- end }}
{{- if eq (toString .spec.kind) "StatefulSet" }}
{{- include "common.service" (merge (dict "label" "headless" "service" (dict "name" "-headless" "headless" true "ports" (first .spec.services).ports)) .) }}
{{- end }}
{{- end -}}

{{/* One service: {name (suffix), ports, type, settings}; settings are the values of its type, as those of "service". */}}
{{- define "common.service" }}
{{- $settings := ternary (dict "type" "ClusterIP") (.service.settings | default .values.service) (default false .service.headless) }}
{{- $type := .service.type | default $settings.type }}
---
apiVersion: v1
kind: Service
{{ include "common.metadata" (merge (dict "suffix" .service.name "annotations" (ternary dict ($settings.annotations | default dict) (hasKey .service "type"))) .) }}
spec:
  type: {{ $type }}
  {{- if .service.headless }}
  clusterIP: None
  publishNotReadyAddresses: true
  {{- end }}
  {{- if eq $type "LoadBalancer" }}
  {{- with $settings.loadBalancerClass }}
  loadBalancerClass: {{ . }}
  {{- end }}
  {{- with $settings.loadBalancerSourceRanges }}
  loadBalancerSourceRanges: {{ toJson . }}
  {{- end }}
  {{- else if or $settings.loadBalancerClass $settings.loadBalancerSourceRanges }}
  {{- if not (hasKey .service "type") }}
  {{- fail (printf "%s.service: loadBalancerClass and loadBalancerSourceRanges need type LoadBalancer, and the type is %s." .name $type) }}
  {{- end }}
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
{{- fail (printf "%s.serviceAccount.name: required with create false. Set the name of the account that the pods use." .name) -}}
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

{{/* A role bound to one account: {rules, account}. With clusterWide it is a ClusterRole; objectNamespace is the role's namespace. */}}
{{- define "common.role" }}
{{- $prefix := ternary "Cluster" "" (default false .clusterWide) }}
{{- $metadata := include "common.metadata" . }}
{{- if .clusterWide }}{{- $metadata = regexReplaceAll "\n  namespace: [^\n]*" $metadata "" }}{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}Role
{{ $metadata }}
rules: {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}RoleBinding
{{ $metadata }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $prefix }}Role
  name: {{ .objectName | default (printf "%s%s" .fullname (default "" .suffix)) }}
subjects:
  - kind: ServiceAccount
    name: {{ .account }}
    namespace: {{ .accountNamespace | default .root.Release.Namespace }}
{{- end -}}

{{- define "common.podDisruptionBudget" -}}
{{- if and .values.podDisruptionBudget.enabled (eq "true" (include "common.severalPods" .)) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "common.metadata" . }}
spec:
  maxUnavailable: {{ .values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels: {{- include "common.podSelector" . | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "common.serviceMonitor" -}}
{{- with .spec.metrics }}
{{- if $.global.serviceMonitor.enabled }}
{{- $labels := merge (deepCopy $.global.serviceMonitor.labels) $.values.labels }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
{{ include "common.metadata" (merge (dict "values" (merge (dict "labels" $labels) $.values)) $) }}
spec:
  selector:
    matchLabels:
      {{- include "common.podSelector" $ | nindent 6 }}
  endpoints:
    - port: {{ .port }}
      path: {{ .path }}
      interval: {{ $.global.serviceMonitor.interval }}
{{- end }}
{{- end }}
{{- end -}}
