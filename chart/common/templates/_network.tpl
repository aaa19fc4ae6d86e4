{{/*
The network policy of a component: both ends of every edge of "common.edges", DNS, and what spec names:
  exposed    ports the public reaches        outside    ports of servers outside the cluster
  apiServer  whether it calls Kubernetes     metrics    the port Prometheus reads
*/}}
{{- define "common.networkPolicy" -}}
{{- if .global.networkPolicy.enabled }}
{{- $scope := . }}
{{- $me := .peerName | default .name }}
{{- $ports := include "common.ports" . | fromYaml }}
{{- $edges := include "common.edges" . | fromYaml }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "common.metadata" . }}
spec:
  podSelector:
    matchLabels: {{- include "common.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector:
            matchLabels: {{- include "common.selector" . | nindent 14 }}
    {{- range $caller, $called := $edges }}
    {{- range $edge := $called }}
    {{- $to := splitList ":" $edge }}
    {{- if and (eq (first $to) $me) (ne $caller $me) }}
    - from:
        - {{ include "common.peer" (dict "scope" $scope "to" $caller) | trim | indent 10 | trim }}
      ports: {{ include "common.policyPorts" (list (last $to | atoi | default (first (get $ports $me)))) }}
    {{- end }}
    {{- end }}
    {{- end }}
    {{- with .spec.exposed }}
    - {{- with $scope.global.networkPolicy.ingressFrom }}
      from: {{- toYaml . | nindent 8 }}
      {{- end }}
      ports: {{ include "common.policyPorts" . }}
    {{- end }}
    {{- if and .spec.metrics .global.serviceMonitor.enabled }}
    - from: {{- toYaml .global.networkPolicy.monitoringFrom | nindent 8 }}
      ports: {{ include "common.policyPorts" (list .spec.metrics.number) }}
    {{- end }}
    {{- with .values.networkPolicy.ingress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  egress:
    - to:
        - podSelector:
            matchLabels: {{- include "common.selector" . | nindent 14 }}
    - ports:
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
    {{- $external := include "common.external" . | fromYaml }}
    {{- range $edge := get $edges $me | default list }}
    {{- $to := first (splitList ":" $edge) }}
    {{- $port := last (splitList ":" $edge) | atoi | default (first (get $ports $to | default list)) }}
    {{- $server := get $external $to | default dict }}
    {{- if eq $to $me }}
    {{- else if $server.where }}
    - to: {{ include "common.blocks" $scope.global.networkPolicy.externalCidrs }}
      ports: {{ include "common.policyPorts" (list $server.port) }}
    {{- else }}
    - to:
        - {{ include "common.peer" (dict "scope" $scope "to" $to) | trim | indent 10 | trim }}
      {{- with $port }}
      ports: {{ include "common.policyPorts" (list .) }}
      {{- end }}
    {{- end }}
    {{- end }}
    {{- if .spec.apiServer }}
    - to: {{ include "common.blocks" .global.networkPolicy.apiServerCidrs }}
      ports: {{ include "common.policyPorts" (list 443 6443) }}
    {{- end }}
    {{- with include "common.outsidePorts" . | fromJsonArray }}
    - to: {{ include "common.blocks" $scope.global.networkPolicy.externalCidrs }}
      ports: {{ include "common.policyPorts" . }}
    {{- end }}
    {{- with .values.networkPolicy.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* A peer of a network policy: the pods of one component. {scope, to} */}}
{{- define "common.peer" -}}
{{- if eq .to "spinnaker" -}}
{{- if ne (include "common.spinnakerNamespace" .scope) .scope.root.Release.Namespace -}}
namespaceSelector:
  matchLabels:
    kubernetes.io/metadata.name: {{ include "common.spinnakerNamespace" .scope }}
{{ end -}}
podSelector:
  matchLabels:
    app: spin
{{- else if hasKey .scope.global.addresses .to -}}
namespaceSelector: {}
podSelector:
  matchLabels:
    app.kubernetes.io/name: {{ .to }}
{{- else -}}
podSelector:
  matchLabels:
    app.kubernetes.io/name: {{ .to }}
    app.kubernetes.io/instance: {{ .scope.root.Release.Name }}
{{- end -}}
{{- end -}}

{{- define "common.policyPorts" -}}
{{- $ports := list -}}
{{- range . }}{{- $ports = append $ports (dict "port" (int .) "protocol" "TCP") }}{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{- define "common.blocks" -}}
{{- $blocks := list -}}
{{- range . }}{{- $blocks = append $blocks (dict "ipBlock" (dict "cidr" .)) }}{{- end -}}
{{- toJson $blocks -}}
{{- end -}}

{{/* Ports outside the cluster that addresses name, beside the usual ones: {usual, addresses}. */}}
{{- define "common.outsideOf" -}}
{{- $ports := .usual -}}
{{- range .addresses -}}
{{- $port := regexFind "^[a-z0-9+]+://[^/?]*:[0-9]+" . | splitList ":" | last -}}
{{- if $port -}}{{- $ports = append $ports (int $port) -}}{{- end -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}

{{/* Ports outside the cluster: the component's own, the secret store's, and the proxies' where it goes out. */}}
{{- define "common.outsidePorts" -}}
{{- $ports := .spec.outside | default list -}}
{{- if and .spec.secretStore (eq .global.secretStore.kind "vault") -}}
{{- $ports = append $ports (include "common.externalUrl" .global.secretStore.address | fromYaml).port -}}
{{- end -}}
{{- if $ports -}}
{{- range list .global.proxy.http .global.proxy.https -}}
{{- if . -}}{{- $ports = append $ports (include "common.externalUrl" . | fromYaml).port -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- $numbers := list -}}
{{- range $ports }}{{- $numbers = append $numbers (int .) }}{{- end -}}
{{- $numbers | uniq | toJson -}}
{{- end -}}
