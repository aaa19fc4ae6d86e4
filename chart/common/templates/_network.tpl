{{/*
The network policy of a component: both ends of every edge of "common.edges", DNS, and what spec names:
  exposed    ports that the public reaches        outside    ports of servers outside the cluster
  apiServer  whether it calls the Kubernetes API  metrics    the port that Prometheus reads
  callers    peers that may reach its first port, beside the edges
  callerPorts  ports that all pods of the namespace and Spinnaker reach      targets  egress rules of its own
*/}}
{{- define "common.networkPolicy" -}}
{{- if .global.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "common.metadata" . }}
spec:
  podSelector:
    matchLabels: {{- include "common.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress: {{- include "common.ingressRules" . | trim | nindent 4 }}
  egress: {{- include "common.egressRules" . | trim | nindent 4 }}
{{- if and .spec.apiServer .global.networkPolicy.apiServer.cilium }}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
{{ include "common.metadata" (merge (dict "suffix" (printf "%s-api-server" (default "" .suffix))) .) }}
spec:
  endpointSelector:
    matchLabels: {{- include "common.selector" . | nindent 6 }}
  egress:
    - toEntities: [kube-apiserver]
{{- end }}
{{- end }}
{{- end -}}

{{- define "common.ingressRules" -}}
{{- $scope := . -}}
{{- $me := .peerName | default .name -}}
{{- $ports := include "common.ports" . | fromYaml -}}
- from:
    - podSelector:
        matchLabels: {{- include "common.selector" . | nindent 10 }}
{{- range $caller, $called := include "common.edges" . | fromYaml }}
{{- range $edge := $called }}
{{- $to := splitList ":" $edge }}
{{- if and (eq (first $to) $me) (ne $caller $me) }}
- from:
    - {{ include "common.peer" (dict "scope" $scope "to" $caller) | trim | indent 6 | trim }}
  ports: {{ include "common.policyPorts" (list (last $to | atoi | default (first (get $ports $me)))) }}
{{- end }}
{{- end }}
{{- end }}
{{- with .spec.callers }}
- from: {{- toYaml . | nindent 4 }}
  ports: {{ include "common.policyPorts" (list (first (get $ports $me))) }}
{{- end }}
{{- with .spec.callerPorts }}
- from:
    - podSelector: {}
    - {{ include "common.peer" (dict "scope" $scope "to" "spinnaker") | trim | indent 6 | trim }}
  ports: {{ include "common.policyPorts" . }}
{{- end }}
{{- with .spec.exposed }}
- {{- with $scope.global.networkPolicy.ingressFrom }}
  from: {{- toYaml . | nindent 4 }}
  {{- end }}
  ports: {{ include "common.policyPorts" . }}
{{- end }}
{{- if and .spec.metrics .global.serviceMonitor.enabled }}
- from: {{- toYaml .global.networkPolicy.monitoringFrom | nindent 4 }}
  ports: {{ include "common.policyPorts" (list .spec.metrics.number) }}
{{- end }}
{{- with .values.networkPolicy.ingress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "common.egressRules" -}}
{{- $scope := . -}}
{{- $me := .peerName | default .name -}}
{{- $ports := include "common.ports" . | fromYaml -}}
{{- $policy := .global.networkPolicy -}}
- to:
    - podSelector:
        matchLabels: {{- include "common.selector" . | nindent 10 }}
- ports: {{ include "common.dnsPorts" . }}
{{- $external := include "common.external" . | fromYaml }}
{{- range $edge := get (include "common.edges" . | fromYaml) $me | default list }}
{{- $to := first (splitList ":" $edge) }}
{{- $port := last (splitList ":" $edge) | atoi | default (first (get $ports $to | default list)) }}
{{- $server := get $external $to | default dict }}
{{- if eq $to $me }}
{{- else if $server.where }}
- to: {{ include "common.blocks" $policy.externalCidrs }}
  ports: {{ include "common.policyPorts" (list $server.port) }}
{{- else }}
- to:
    - {{ include "common.peer" (dict "scope" $scope "to" $to) | trim | indent 6 | trim }}
  {{- with $port }}
  ports: {{ include "common.policyPorts" (list .) }}
  {{- end }}
{{- end }}
{{- end }}
{{- if and .spec.apiServer (not $policy.apiServer.cilium) }}
- to: {{ include "common.blocks" $policy.apiServer.cidrs }}
  ports: {{ include "common.policyPorts" $policy.apiServer.ports }}
{{- end }}
{{- with include "common.outsidePorts" . | fromJsonArray }}
- to: {{ include "common.blocks" $policy.externalCidrs }}
  ports: {{ include "common.policyPorts" . }}
{{- end }}
{{- with .spec.targets }}
{{ toYaml . }}
{{- end }}
{{- with .values.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "common.dnsPorts" -}}
{{- $ports := list -}}
{{- range $port := .global.networkPolicy.dnsPorts -}}
{{- range $protocol := list "UDP" "TCP" -}}{{- $ports = append $ports (dict "port" (int $port) "protocol" $protocol) -}}{{- end -}}
{{- end -}}
{{- toJson $ports -}}
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

{{/* The usual ports outside the cluster and those in addresses: {usual, addresses}. */}}
{{- define "common.outsideOf" -}}
{{- $ports := .usual -}}
{{- range .addresses -}}
{{- $port := regexFind "^[a-z0-9+]+://[^/?]*:[0-9]+" . | splitList ":" | last -}}
{{- if $port -}}{{- $ports = append $ports (int $port) -}}{{- end -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}

{{/* Ports outside the cluster: the component's own, the secret store's and, where there are any, the proxies'. */}}
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
