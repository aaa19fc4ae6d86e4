{{/*
One pod for every workload. spec (of the scope) holds:
  container       the main container: command, args, env, credentials, ports, probe, mounts, lifecycle, writable, java, token
  containers      further containers, each with a name and an image
  initContainers  likewise
  files           path in the main container -> text; they make the config map
  volumes         volumes as in a pod
*/}}
{{- define "common.podTemplate" -}}
{{- $scope := . -}}
metadata:
  labels:
    {{- include "common.podSelector" . | nindent 4 }}
    app.kubernetes.io/part-of: isd
    {{- with .global.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- $annotations := deepCopy .values.podAnnotations }}
  {{- with .spec.files }}
  {{- $_ := set $annotations "checksum/config" (toJson . | sha256sum) }}
  {{- end }}
  {{- with $annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec: {{- include "common.podSpec" . | nindent 2 }}
{{- end -}}

{{- define "common.podSpec" -}}
{{- $scope := . -}}
{{- $main := merge (dict "name" (.spec.container.name | default .name) "main" true) .spec.container -}}
{{- $all := concat (list $main) (.spec.containers | default list) (.spec.initContainers | default list) -}}
serviceAccountName: {{ .spec.serviceAccountName | default (include "common.serviceAccountName" .) }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .spec.restartPolicy }}
restartPolicy: {{ . }}
{{- end }}
{{- with .global.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- if not .global.podSecurity.assignedUser }}
  runAsUser: {{ .global.podSecurity.runAsUser }}
  runAsGroup: {{ .global.podSecurity.runAsUser }}
  fsGroup: {{ .global.podSecurity.runAsUser }}
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
{{- with .spec.initContainers }}
initContainers:
  {{- range . }}
  - {{ include "common.container" (dict "scope" $scope "container" .) | indent 4 | trim }}
  {{- end }}
{{- end }}
containers:
  - {{ include "common.container" (dict "scope" . "container" $main) | indent 4 | trim }}
  {{- range .spec.containers }}
  - {{ include "common.container" (dict "scope" $scope "container" .) | indent 4 | trim }}
  {{- end }}
volumes: {{- include "common.volumes" (dict "scope" . "containers" $all) | trim | nindent 2 }}
{{- include "common.placement" . }}
{{- end -}}

{{- define "common.container" -}}
{{- $scope := .scope -}}
{{- $container := .container -}}
{{- $image := $container.image | default $scope.values.image -}}
name: {{ $container.name }}
image: {{ include "common.image" (dict "scope" $scope "image" $image) }}
imagePullPolicy: {{ $scope.global.image.pullPolicy }}
{{- range $key := list "command" "args" "lifecycle" }}
{{- with get $container $key }}
{{ $key }}: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with include "common.environment" . | trim }}
env: {{- . | nindent 2 }}
{{- end }}
{{- with $container.ports }}
ports:
  {{- range . }}
  - name: {{ .name }}
    containerPort: {{ .port }}
    protocol: TCP
  {{- end }}
{{- end }}
{{- if $scope.values.probes.enabled }}
{{- with $container.probe }}
{{- include "common.probes" (dict "values" $scope.values.probes "probe" .) | trim | nindent 0 }}
{{- end }}
{{- end }}
{{- with ternary ($scope.values.resources | default $container.resources) $container.resources (hasKey $container "main") }}
resources: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts: {{- include "common.mounts" . | trim | nindent 2 }}
{{- end -}}

{{/* Environment of a container, each name once; the later of two wins. */}}
{{- define "common.environment" -}}
{{- $scope := .scope -}}
{{- $container := .container -}}
{{- $list := list -}}
{{- with $container.credentials -}}
{{- $list = concat $list (include "common.credentialEnv" (dict "scope" $scope "credentials" .) | fromYamlArray) -}}
{{- end -}}
{{- $list = concat $list (include "common.outsideEnv" . | fromYamlArray) ($container.env | default list) -}}
{{- if $container.main -}}{{- $list = concat $list $scope.values.extraEnv -}}{{- end -}}
{{- $last := dict -}}
{{- range $list }}{{- $_ := set $last .name . -}}{{- end -}}
{{- $seen := dict -}}
{{- range $list }}
{{- if not (hasKey $seen .name) }}
{{- $_ := set $seen .name true }}
- {{ toYaml (get $last .name) | indent 2 | trim }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Proxies, certificate authorities and the Java trust store. */}}
{{- define "common.outsideEnv" -}}
{{- $global := .scope.global -}}
{{- $java := list -}}
{{- $own := list "localhost" "127.0.0.1" ".svc" ".cluster.local" -}}
{{- range $name, $_ := include "common.ports" . | fromYaml }}{{- $own = append $own (include "common.host" (dict "scope" $.scope "to" $name)) -}}{{- end -}}
{{- $noProxy := join "," (concat (without (splitList "," $global.proxy.noProxy) "") $own) -}}
{{- range $protocol := list "http" "https" -}}
{{- with get $global.proxy $protocol }}
- {name: {{ upper $protocol }}_PROXY, value: {{ . | quote }}}
- {name: {{ $protocol }}_proxy, value: {{ . | quote }}}
{{- $host := splitList ":" (urlParse .).host -}}
{{- $java = append $java (printf "-D%s.proxyHost=%s" $protocol (first $host)) -}}
{{- if gt (len $host) 1 -}}{{- $java = append $java (printf "-D%s.proxyPort=%s" $protocol (last $host)) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if or $global.proxy.http $global.proxy.https }}
- {name: NO_PROXY, value: {{ $noProxy | quote }}}
- {name: no_proxy, value: {{ $noProxy | quote }}}
{{- $java = append $java (printf "-Dhttp.nonProxyHosts=%s" ($noProxy | replace ",." ",*." | replace "," "|")) -}}
{{- end }}
{{- if or $global.caBundle.configMap $global.caBundle.secret }}
{{- range list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" }}
- {name: {{ . }}, value: {{ printf "/etc/isd/ca/%s" $global.caBundle.key }}}
{{- end }}
{{- end }}
{{- if .container.java }}
{{- with $global.trustStore }}
{{- if .secret -}}
{{- $java = append $java (printf "-Djavax.net.ssl.trustStore=/etc/isd/trust/%s" .key) -}}
{{- if .passwordKey -}}
{{- $java = append $java "-Djavax.net.ssl.trustStorePassword=$(TRUST_STORE_PASSWORD)" }}
- {name: TRUST_STORE_PASSWORD, valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .passwordKey }}}}}
{{- end }}
{{- end }}
{{- end }}
{{- with $java }}
- {name: JAVA_TOOL_OPTIONS, value: {{ join " " . | quote }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* Startup, readiness and liveness of one probe: {path, port}, {port} or {command}. */}}
{{- define "common.probes" -}}
{{- $how := dict -}}
{{- if .probe.command -}}
{{- $how = dict "exec" (dict "command" .probe.command) -}}
{{- else if .probe.path -}}
{{- $how = dict "httpGet" (dict "path" .probe.path "port" .probe.port "scheme" (.probe.scheme | default "HTTP")) -}}
{{- else -}}
{{- $how = dict "tcpSocket" (dict "port" .probe.port) -}}
{{- end -}}
{{- $period := int .values.periodSeconds -}}
{{- $turns := max 1 (div (int .values.startupSeconds) $period) -}}
{{- range $name, $failures := dict "startupProbe" $turns "readinessProbe" 3 "livenessProbe" 6 }}
{{ $name }}:
  {{- toYaml $how | nindent 2 }}
  periodSeconds: {{ $period }}
  timeoutSeconds: {{ $.values.timeoutSeconds }}
  failureThreshold: {{ $failures }}
{{- end }}
{{- end -}}
