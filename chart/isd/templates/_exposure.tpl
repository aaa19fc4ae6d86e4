{{/* The public addresses by Ingress. */}}
{{- define "isd.ingress" -}}
{{- $exposure := .values.exposure -}}
{{- range .points }}
{{- if or (not .passthrough) $exposure.ingress.passthroughAnnotations }}
{{- $annotations := deepCopy (ternary $exposure.ingress.passthroughAnnotations $exposure.ingress.annotations (default false .passthrough)) }}
{{- if and $exposure.tls.issuer (not .passthrough) (not $exposure.tls.secretName) }}
{{- $_ := set $annotations (ternary "cert-manager.io/cluster-issuer" "cert-manager.io/issuer" (eq $exposure.tls.issuerKind "ClusterIssuer")) $exposure.tls.issuer }}
{{- end }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
{{ include "common.metadata" (merge (dict "objectName" (printf "%s-%s" $.root.Release.Name .name) "objectNamespace" .namespace "annotations" $annotations "component" "exposure") $) }}
spec:
  {{- with $exposure.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if and $.global.tls.enabled (not .passthrough) }}
  tls:
    - hosts: [{{ .host }}]
      {{- with include "isd.tlsSecret" (dict "scope" $ "point" .) }}
      secretName: {{ . }}
      {{- end }}
  {{- end }}
  rules:
    - host: {{ .host }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ .service }}
                port: {number: {{ .port }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* The public addresses by the Gateway API: one route each, the Gateway where it is to be created, and a redirect from http to https. */}}
{{- define "isd.gateway" -}}
{{- $gateway := .values.exposure.gateway -}}
{{- $name := $gateway.name | default .fullname -}}
{{- $namespace := $gateway.namespace | default .root.Release.Namespace -}}
{{- if $gateway.create }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
{{ include "common.metadata" (merge (dict "objectName" $name "objectNamespace" $namespace "component" "exposure" "annotations" (include "isd.issuerAnnotation" . | fromYaml)) .) }}
spec:
  gatewayClassName: {{ $gateway.className }}
  listeners:
    {{- range .points }}
    - name: {{ .name }}
      hostname: {{ .host }}
      allowedRoutes: {namespaces: {from: {{ ternary "Same" "All" (eq .namespace $namespace) }}}}
      {{- if .passthrough }}
      protocol: TLS
      port: {{ $gateway.passthroughPort }}
      tls: {mode: Passthrough}
      {{- else if $.global.tls.enabled }}
      protocol: HTTPS
      port: 443
      tls:
        mode: Terminate
        certificateRefs: [{group: "", kind: Secret, name: {{ include "isd.tlsSecret" (dict "scope" $ "point" .) }}}]
      {{- else }}
      protocol: HTTP
      port: 80
      {{- end }}
    {{- end }}
    {{- if .global.tls.enabled }}
    - name: http
      protocol: HTTP
      port: 80
      allowedRoutes: {namespaces: {from: {{ ternary "Same" "All" (eq .root.Release.Namespace $namespace) }}}}
    {{- end }}
{{- end }}
{{- if and .global.tls.enabled (or $gateway.create $gateway.httpSectionName) }}
{{- $hosts := list }}
{{- range .points }}{{ if not .passthrough }}{{ $hosts = append $hosts .host }}{{ end }}{{ end }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
{{ include "common.metadata" (merge (dict "objectName" (printf "%s-redirect" .root.Release.Name) "component" "exposure") .) }}
spec:
  parentRefs:
    - {group: gateway.networking.k8s.io, kind: Gateway, name: {{ $name }}, namespace: {{ $namespace }}, sectionName: {{ $gateway.create | ternary "http" $gateway.httpSectionName }}}
  hostnames: {{ toJson $hosts }}
  rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]
{{- end }}
{{- range .points }}
---
apiVersion: gateway.networking.k8s.io/{{ ternary $gateway.tlsRouteVersion "v1" (default false .passthrough) }}
kind: {{ ternary "TLSRoute" "HTTPRoute" (default false .passthrough) }}
{{ include "common.metadata" (merge (dict "objectName" (printf "%s-%s" $.root.Release.Name .name) "objectNamespace" .namespace "component" "exposure") $) }}
spec:
  parentRefs:
    - group: gateway.networking.k8s.io
      kind: Gateway
      name: {{ $name }}
      namespace: {{ $namespace }}
      {{- with ternary .name (ternary $gateway.passthroughSectionName $gateway.sectionName (default false .passthrough)) $gateway.create }}
      sectionName: {{ . }}
      {{- end }}
  hostnames: [{{ .host }}]
  rules:
    - backendRefs: [{group: "", kind: Service, name: {{ .service }}, port: {{ .port }}, weight: 1}]
      {{- if not .passthrough }}
      matches: [{path: {type: PathPrefix, value: /}}]
      {{- end }}
{{- end }}
{{- end -}}

{{- define "isd.issuerAnnotation" -}}
{{- with .values.exposure.tls -}}
{{- if and .issuer (not .secretName) -}}
{{ ternary "cert-manager.io/cluster-issuer" "cert-manager.io/issuer" (eq .issuerKind "ClusterIssuer") }}: {{ .issuer }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The public addresses by Istio: a Gateway where none is named, and one VirtualService each. Istio reads certificates in its gateway's namespace. */}}
{{- define "isd.istio" -}}
{{- $istio := .values.exposure.istio -}}
{{- if not $istio.gateway }}
---
apiVersion: networking.istio.io/v1
kind: Gateway
{{ include "common.metadata" (merge (dict "component" "exposure") .) }}
spec:
  selector: {{- toYaml $istio.selector | nindent 4 }}
  servers:
    {{- range .points }}
    - hosts: [{{ printf "%s/%s" .namespace .host | quote }}]
      {{- if .passthrough }}
      port: {number: {{ $istio.passthroughPort }}, name: tls-{{ .name }}, protocol: TLS}
      tls: {mode: PASSTHROUGH}
      {{- else if $.global.tls.enabled }}
      port: {number: 443, name: https-{{ .name }}, protocol: HTTPS}
      tls: {mode: SIMPLE, credentialName: {{ include "isd.tlsSecret" (dict "scope" $ "point" .) }}}
    - hosts: [{{ printf "%s/%s" .namespace .host | quote }}]
      port: {number: 80, name: http-{{ .name }}, protocol: HTTP}
      tls: {httpsRedirect: true}
      {{- else }}
      port: {number: 80, name: http-{{ .name }}, protocol: HTTP}
      {{- end }}
    {{- end }}
{{- end }}
{{- range .points }}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
{{ include "common.metadata" (merge (dict "objectName" (printf "%s-%s" $.root.Release.Name .name) "objectNamespace" .namespace "component" "exposure") $) }}
spec:
  hosts: [{{ .host }}]
  gateways: [{{ $istio.gateway | default (printf "%s/%s" $.root.Release.Namespace $.fullname) }}]
  {{- if .passthrough }}
  tls:
    - match: [{port: {{ $istio.passthroughPort }}, sniHosts: [{{ .host }}]}]
      route: [{destination: {host: {{ .service }}, port: {number: {{ .port }}}}}]
  {{- else }}
  http:
    - route: [{destination: {host: {{ .service }}, port: {number: {{ .port }}}}}]
  {{- end }}
{{- end }}
{{- if and .values.exposure.tls.issuer (not .values.exposure.tls.secretName) (not $istio.gateway) .global.tls.enabled }}
{{- range .points }}
{{- if not .passthrough }}
---
apiVersion: cert-manager.io/v1
kind: Certificate
{{ include "common.metadata" (merge (dict "objectName" (printf "%s-%s" $.root.Release.Name .name) "objectNamespace" $istio.gatewayNamespace "component" "exposure") $) }}
spec:
  secretName: {{ include "isd.tlsSecret" (dict "scope" $ "point" .) }}
  dnsNames: [{{ .host }}]
  issuerRef: {kind: {{ $.values.exposure.tls.issuerKind }}, name: {{ $.values.exposure.tls.issuer }}}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
