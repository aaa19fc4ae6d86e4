{{/* Paths that a container writes to, beside its volumes. */}}
{{- define "common.writable" -}}
{{- $paths := concat (list "/tmp") (.container.writable | default list) -}}
{{- if .container.main -}}{{- $paths = concat $paths .scope.values.writablePaths -}}{{- end -}}
{{- $paths | uniq | toJson -}}
{{- end -}}

{{- define "common.mounts" -}}
{{- $scope := .scope -}}
{{- $container := .container -}}
{{- range include "common.writable" . | fromJsonArray }}
- name: {{ include "common.writableName" (dict "container" $container "path" .) }}
  mountPath: {{ . }}
{{- end }}
{{- if $container.main }}
{{- range $path, $_ := $scope.spec.files }}
- name: config
  mountPath: {{ $path }}
  subPath: {{ include "common.fileKey" $path }}
  readOnly: true
{{- end }}
{{- with $scope.spec.claim }}
- name: {{ .name }}
  mountPath: {{ .path }}
{{- end }}
{{- end }}
{{- if or $scope.global.caBundle.configMap $scope.global.caBundle.secret }}
- {name: isd-ca, mountPath: /etc/isd/ca, readOnly: true}
{{- end }}
{{- if and $container.java $scope.global.trustStore.secret }}
- {name: isd-trust, mountPath: /etc/isd/trust, readOnly: true}
{{- end }}
{{- if $container.token }}
- {name: api-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}
{{- with $container.mounts }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- if $container.main }}
{{- with $scope.values.extraVolumeMounts }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Name of the emptyDir of a writable path; each container has its own. */}}
{{- define "common.writableName" -}}
{{- printf "%s%s" .container.name (.path | replace "/" "-" | replace "." "-" | replace "_" "-" | lower) | trunc 60 | trimSuffix "-" -}}
{{- end -}}

{{/* Key of a file in the config map: its base name, which is unique within a component. */}}
{{- define "common.fileKey" -}}
{{- base . -}}
{{- end -}}

{{- define "common.volumes" -}}
{{- $scope := .scope -}}
{{- $java := false -}}
{{- $token := false -}}
{{- range $container := .containers }}
{{- $java = or $java $container.java -}}
{{- $token = or $token $container.token -}}
{{- range include "common.writable" (dict "scope" $scope "container" $container) | fromJsonArray }}
- name: {{ include "common.writableName" (dict "container" $container "path" .) }}
  emptyDir: {}
{{- end }}
{{- end }}
{{- if $scope.spec.files }}
- name: config
  configMap:
    name: {{ $scope.fullname }}{{ $scope.suffix }}
    defaultMode: 0444
{{- end }}
{{- with $scope.global.caBundle }}
{{- if .configMap }}
- name: isd-ca
  configMap:
    name: {{ .configMap }}
{{- else if .secret }}
- name: isd-ca
  secret:
    secretName: {{ .secret }}
    items: [{key: {{ .key }}, path: {{ .key }}}]
{{- end }}
{{- end }}
{{- with $scope.global.trustStore }}
{{- if and $java .secret }}
- name: isd-trust
  secret:
    secretName: {{ .secret }}
    items: [{key: {{ .key }}, path: {{ .key }}}]
{{- end }}
{{- end }}
{{- if $token }}
- name: api-token
  projected:
    defaultMode: 0444
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]}
{{- end }}
{{- with $scope.spec.claim }}
- name: {{ .name }}
  {{- if $scope.values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "common.claimName" $scope }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- end }}
{{- with $scope.spec.volumes }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- include "common.extraVolumes" (dict "scope" $scope "containers" .containers) }}
{{- end -}}

{{/* The volumes of the values. Two volumes of one name are refused, as the API would. */}}
{{- define "common.extraVolumes" -}}
{{- $seen := dict -}}
{{- $scope := .scope -}}
{{- range list "config" "isd-ca" "isd-trust" "api-token" -}}{{- $_ := set $seen . true -}}{{- end -}}
{{- range $container := .containers -}}
{{- range include "common.writable" (dict "scope" $scope "container" $container) | fromJsonArray -}}
{{- $_ := set $seen (include "common.writableName" (dict "container" $container "path" .)) true -}}
{{- end -}}
{{- end -}}
{{- range .scope.spec.volumes -}}{{- $_ := set $seen .name true -}}{{- end -}}
{{- with .scope.spec.claim -}}{{- $_ := set $seen .name true -}}{{- end -}}
{{- range .scope.values.extraVolumes }}
{{- if hasKey $seen .name }}
{{- fail (printf "%s.extraVolumes: there is already a volume with the name %s. Use another name." $.scope.name .name) }}
{{- end }}
{{- $_ := set $seen .name true }}
- {{ toYaml . | indent 2 | trim }}
{{- end }}
{{- end -}}

{{/* Where pods run, and how they find other hosts. */}}
{{- define "common.placement" -}}
{{- with mustMerge (deepCopy .values.nodeSelector) .global.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat .global.tolerations .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity | default .global.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName | default .global.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .values.dnsConfig }}
dnsConfig: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.hostAliases }}
hostAliases: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .values.topologySpreadConstraints }}
topologySpreadConstraints: {{- toYaml .values.topologySpreadConstraints | nindent 2 }}
{{- else if eq "true" (include "common.severalPods" .) }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "common.podSelector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Name of the persistent volume claim of a component. */}}
{{- define "common.claimName" -}}
{{- .values.persistence.existingClaim | default (printf "%s-%s" .fullname .spec.claim.name) -}}
{{- end -}}

{{/*
The claim of a component that holds state. It is an object of its own, not a template of the StatefulSet, because Kubernetes lets a
claim grow but no template change; Helm keeps it when the release is uninstalled.
*/}}
{{- define "common.claims" -}}
{{- if .spec.claim }}
{{- $persistence := .values.persistence }}
{{- if and $persistence.enabled (not $persistence.existingClaim) }}
{{- include "common.refuseClaimChange" . }}
---
apiVersion: v1
kind: PersistentVolumeClaim
{{ include "common.metadata" (merge (dict "objectName" (include "common.claimName" .) "annotations" (merge (dict "helm.sh/resource-policy" "keep") $persistence.annotations)) .) }}
spec:
  accessModes: {{ toJson $persistence.accessModes }}
  {{- with $persistence.storageClassName | default .global.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  volumeMode: Filesystem
  resources:
    requests:
      storage: {{ $persistence.size }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Fail for a change that Kubernetes refuses of a claim that exists: a smaller size, or another storage class. */}}
{{- define "common.refuseClaimChange" -}}
{{- if .global.lookup.volumes -}}
{{- $name := include "common.claimName" . -}}
{{- $spec := (lookup "v1" "PersistentVolumeClaim" .root.Release.Namespace $name).spec | default dict -}}
{{- $class := .values.persistence.storageClassName | default .global.storageClassName -}}
{{- if and $class $spec.storageClassName (ne $class $spec.storageClassName) -}}
{{- fail (printf "%s.persistence.storageClassName: claim %s has class %s, which Kubernetes does not let change. Set that class, or move the data to another claim and set persistence.existingClaim." .name $name $spec.storageClassName) -}}
{{- end -}}
{{- $old := dig "resources" "requests" "storage" "0" $spec -}}
{{- if lt (include "common.number" .values.persistence.size | float64) (include "common.number" $old | float64) -}}
{{- fail (printf "%s.persistence.size: claim %s has %s, and Kubernetes does not let it shrink to %s. Set at least %s, or move the data to another claim and set persistence.existingClaim." .name $name $old .values.persistence.size $old) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A quantity such as 8Gi or 250m as a number. */}}
{{- define "common.number" -}}
{{- $number := regexFind "^[0-9.]+" (toString .) | float64 -}}
{{- $factors := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 -}}
{{- mulf $number (get $factors (regexFind "[A-Za-z]+$" (toString .)) | default 1) | printf "%f" -}}
{{- end -}}
