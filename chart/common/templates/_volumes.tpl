{{/* Paths a container writes to beside its volumes. */}}
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
{{- range $scope.spec.claims }}
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

{{/* Key of a file in the config map: its base name; the files of a component have different ones. */}}
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
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}
{{- with $scope.spec.volumes }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- with $scope.values.extraVolumes }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{/* Where pods run: node choice, and spread over nodes and zones. */}}
{{- define "common.placement" -}}
{{- $selector := mustMerge (deepCopy .values.nodeSelector) .global.nodeSelector -}}
{{- with $selector }}
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
{{- if gt (include "common.replicas" . | int) 1 }}
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
