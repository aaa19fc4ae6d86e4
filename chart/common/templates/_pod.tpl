{{/*
The pod of every workload. spec (of the scope) holds:
  container       the main container: command, args, env, credentials, ports, probe, mounts, lifecycle, writable, java, token
  containers      further containers, each with a name and an image
  initContainers  likewise
  files           path in the main container -> text; they make the config map
  volumes         volumes as in a pod
The component's values are merged over it; users' own containers are copied as they are.
*/}}
{{- define "common.podTemplate" -}}
{{- $annotations := deepCopy .values.podAnnotations -}}
{{- with .spec.files }}{{- $_ := set $annotations "checksum/config" (toJson . | sha256sum) -}}{{- end -}}
{{- $credentials := include "common.podCredentials" . | fromJsonArray -}}
{{- with include "common.credentialGenerations" (dict "scope" . "credentials" $credentials) -}}
{{- $_ := set $annotations "isd/credential-generations" . -}}
{{- end -}}
{{- $reserved := include "common.podSelector" . | fromYaml -}}
{{- $_ := set $reserved "app.kubernetes.io/part-of" "isd" -}}
{{- $spec := include "common.podSpec" . -}}
{{- with include "common.secretVersions" (dict "scope" . "spec" $spec) -}}{{- $_ := set $annotations "checksum/secrets" . -}}{{- end -}}
metadata:
  labels: {{- toYaml (merge $reserved (deepCopy .values.podLabels) .values.labels .global.labels) | nindent 4 }}
  {{- with merge $annotations .global.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec: {{- $spec | nindent 2 }}
{{- end -}}

{{/*
Digest of the versions of the Secrets that a pod reads and that changed since its workload was created, for an annotation that replaces
the pod when one changes: {scope, spec}. Empty without a cluster, for jobs, and for Secrets that the release itself creates, whose values
are counted in another annotation. Times of Kubernetes are in one form, so that they compare as text.
*/}}
{{- define "common.secretVersions" -}}
{{- $scope := .scope -}}
{{- $kind := $scope.spec.kind | default "Deployment" -}}
{{- $versions := list -}}
{{- if and $scope.global.lookup.secrets (has $kind (list "Deployment" "StatefulSet")) -}}
{{- $created := dig "metadata" "creationTimestamp" "" (lookup "apps/v1" $kind $scope.root.Release.Namespace $scope.fullname) -}}
{{- range ternary (include "common.secretNames" (.spec | fromYaml) | splitList "\n" | sortAlpha) list (ne $created "") -}}
{{- $secret := ternary dict (lookup "v1" "Secret" $scope.root.Release.Namespace (. | default "none")) (empty .) -}}
{{- if and $secret (ne (dig "metadata" "annotations" "meta.helm.sh/release-name" "" $secret) $scope.root.Release.Name) -}}
{{- $times := list $secret.metadata.creationTimestamp -}}
{{- range $secret.metadata.managedFields -}}{{- $times = append $times (.time | default "") -}}{{- end -}}
{{- if gt (last (sortAlpha $times)) $created -}}{{- $versions = append $versions (printf "%s %s" . $secret.metadata.resourceVersion) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $versions }}{{ join "\n" $versions | sha256sum }}{{- end -}}
{{- end -}}

{{/* Names of the Secrets that a pod specification reads, a line each. */}}
{{- define "common.secretNames" -}}
{{- $names := list -}}
{{- range .volumes | default list -}}
{{- $names = append $names ((.secret | default dict).secretName) -}}
{{- range (.projected | default dict).sources -}}{{- $names = append $names ((.secret | default dict).name) -}}{{- end -}}
{{- end -}}
{{- range concat .containers (.initContainers | default list) -}}
{{- range .env | default list -}}{{- $names = append $names (((.valueFrom | default dict).secretKeyRef | default dict).name) -}}{{- end -}}
{{- range .envFrom | default list -}}{{- $names = append $names ((.secretRef | default dict).name) -}}{{- end -}}
{{- end -}}
{{- $names | compact | uniq | join "\n" -}}
{{- end -}}

{{/* Names of all credentials that the containers of a pod read, as JSON. */}}
{{- define "common.podCredentials" -}}
{{- $found := .spec.credentials | default list -}}
{{- range concat (list .spec.container) (.spec.containers | default list) (.spec.initContainers | default list) -}}
{{- $found = concat $found (.credentials | default list) -}}
{{- end -}}
{{- $found | uniq | sortAlpha | toJson -}}
{{- end -}}

{{- define "common.podSpec" -}}
{{- $scope := . -}}
{{- $main := merge (dict "name" (.spec.container.name | default .name) "main" true) .spec.container -}}
{{- $all := concat (list $main) (.spec.containers | default list) (.spec.initContainers | default list) -}}
{{- include "common.refuseDuplicates" (dict "scope" . "main" $main "containers" $all) -}}
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
securityContext: {{- include "common.podSecurityContext" . | nindent 2 }}
terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
{{- if or .values.initContainers .spec.initContainers }}
initContainers:
  {{- with .values.initContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- range .spec.initContainers }}
  - {{ include "common.container" (dict "scope" $scope "container" .) | indent 4 | trim }}
  {{- end }}
{{- end }}
containers:
  - {{ include "common.container" (dict "scope" . "container" $main) | indent 4 | trim }}
  {{- range .spec.containers }}
  - {{ include "common.container" (dict "scope" $scope "container" .) | indent 4 | trim }}
  {{- end }}
  {{- with .values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumes: {{- include "common.volumes" (dict "scope" . "containers" $all) | trim | nindent 2 }}
{{- include "common.placement" . }}
{{- end -}}

{{/* Fail for two containers of one name, and for two mounts at one path of the main container, as the API would: {scope, main, containers}. */}}
{{- define "common.refuseDuplicates" -}}
{{- $values := .scope.values -}}
{{- $seen := dict -}}
{{- range .containers }}{{- $_ := set $seen .name true -}}{{- end -}}
{{- range $key := list "initContainers" "extraContainers" -}}
{{- range get $values $key -}}
{{- if hasKey $seen .name -}}{{- fail (printf "%s.%s: there is already a container with the name %s. Use another name." $.scope.name $key .name) -}}{{- end -}}
{{- $_ := set $seen .name true -}}
{{- end -}}
{{- end -}}
{{- if $values.extraVolumeMounts -}}
{{- $paths := dict -}}
{{- range include "common.mounts" (dict "scope" .scope "container" .main) | fromYamlArray -}}
{{- if hasKey $paths .mountPath -}}{{- fail (printf "%s.extraVolumeMounts: something is already mounted at %s. Use another path." $.scope.name .mountPath) -}}{{- end -}}
{{- $_ := set $paths .mountPath true -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Defaults merged with the values; a null removes the key. */}}
{{- define "common.podSecurityContext" -}}
{{- $context := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- if not .global.podSecurity.assignedUser -}}
{{- $user := .global.podSecurity.runAsUser | int -}}
{{- $context = merge $context (dict "runAsUser" $user "runAsGroup" $user "fsGroup" $user "fsGroupChangePolicy" "OnRootMismatch") -}}
{{- end -}}
{{- include "common.overridden" (dict "defaults" $context "values" .values.podSecurityContext) -}}
{{- end -}}

{{- define "common.containerSecurityContext" -}}
{{- $context := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- include "common.overridden" (dict "defaults" $context "values" (ternary .scope.values.securityContext dict (hasKey .container "main"))) -}}
{{- end -}}

{{/* YAML of defaults with values merged over them, without the keys whose value is null: {defaults, values}. */}}
{{- define "common.overridden" -}}
{{- $merged := mergeOverwrite (deepCopy .defaults) (deepCopy .values) -}}
{{- $kept := dict -}}
{{- range $key, $value := $merged -}}
{{- if and (not (kindIs "invalid" $value)) (not (and (hasKey $.values $key) (kindIs "invalid" (get $.values $key)))) -}}{{- $_ := set $kept $key $value -}}{{- end -}}
{{- end -}}
{{- toYaml $kept -}}
{{- end -}}

{{- define "common.container" -}}
{{- $scope := .scope -}}
{{- $container := .container -}}
{{- $main := hasKey $container "main" -}}
{{- $image := $container.image | default $scope.values.image -}}
name: {{ $container.name }}
image: {{ include "common.image" (dict "scope" $scope "image" $image) }}
imagePullPolicy: {{ $image.pullPolicy | default $scope.global.image.pullPolicy }}
{{- range $key := list "command" "args" "lifecycle" }}
{{- with ternary (get $scope.values $key | default (get $container $key)) (get $container $key) $main }}
{{ $key }}: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with include "common.environment" . | trim }}
env: {{- . | nindent 2 }}
{{- end }}
{{- if and $main $scope.values.envFrom }}
envFrom: {{- toYaml $scope.values.envFrom | nindent 2 }}
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
{{- include "common.probes" (dict "values" $scope.values.probes "probe" . "main" $main) | trim | nindent 0 }}
{{- end }}
{{- end }}
resources: {{- include "common.resources" . | nindent 2 }}
securityContext: {{- include "common.containerSecurityContext" . | nindent 2 }}
terminationMessagePath: /dev/termination-log
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts: {{- include "common.mounts" . | trim | nindent 2 }}
{{- end -}}

{{/* Resources of a container: its own defaults, then those of halgit's image or the component's value. */}}
{{- define "common.resources" -}}
{{- $storage := dict "requests" (dict "ephemeral-storage" "50Mi") "limits" (dict "ephemeral-storage" "2Gi") -}}
{{- $values := dict -}}
{{- if eq (.container.image | toJson) (.scope.global.halgit | toJson) -}}{{- $values = .scope.global.halgit.resources -}}{{- end -}}
{{- if hasKey .container "main" -}}{{- $values = mergeOverwrite (deepCopy $values) (deepCopy .scope.values.resources) -}}{{- end -}}
{{- $merged := mergeOverwrite $storage (deepCopy (.container.resources | default dict)) (deepCopy $values) -}}
{{- $where := ternary (printf "%s.resources" .scope.name) (printf "global.halgit.resources (container %s)" .container.name) (hasKey .container "main") -}}
{{- range $resource, $limit := $merged.limits -}}
{{- $request := get $merged.requests $resource -}}
{{- if and $request $limit (gt (include "common.number" $request | float64) (include "common.number" $limit | float64)) -}}
{{- fail (printf "%s: the request of %s, %v, is more than the limit %v. Set requests.%s too." $where $resource $request $limit $resource) -}}
{{- end -}}
{{- end -}}
{{- toYaml $merged -}}
{{- end -}}

{{/* Environment of a container, each name once; the later of two is used. */}}
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

{{/* Hosts that are reached without a proxy: the values', the Kubernetes API, and the services of the cluster by every name they are called. */}}
{{- define "common.noProxy" -}}
{{- $hosts := without (splitList "," .global.proxy.noProxy) "" -}}
{{- $hosts = concat $hosts (list "localhost" "127.0.0.1" "::1" "kubernetes" "kubernetes.default" "$(KUBERNETES_SERVICE_HOST)" ".svc" (printf ".svc.%s" .global.clusterDomain) (printf ".%s" .root.Release.Namespace)) -}}
{{- $spinnaker := include "common.spinnakerNamespace" . -}}
{{- if ne $spinnaker .root.Release.Namespace -}}{{- $hosts = append $hosts (printf ".%s" $spinnaker) -}}{{- end -}}
{{- range $name, $_ := include "common.ports" . | fromYaml -}}{{- $hosts = append $hosts (include "common.host" (dict "scope" $ "to" $name)) -}}{{- end -}}
{{- range splitList " " "clouddriver clouddriver-caching clouddriver-ro clouddriver-ro-deck clouddriver-rw deck echo echo-scheduler echo-worker fiat front50 gate igor kayenta orca redis rosco" -}}
{{- $hosts = append $hosts (printf "spin-%s" .) -}}
{{- end -}}
{{- $hosts | uniq | join "," -}}
{{- end -}}

{{/* Proxies, CA certificates and the Java trust store. */}}
{{- define "common.outsideEnv" -}}
{{- $global := .scope.global -}}
{{- $java := list -}}
{{- $noProxy := include "common.noProxy" .scope -}}
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

{{/*
Startup, readiness and liveness probes: {values, probe, main}. probe has a way ({path, port}, {port} or {command}), and may have
another under live: a component that cannot reach its database is not ready, but is not restarted for it.
*/}}
{{- define "common.probes" -}}
{{- $period := int .values.periodSeconds -}}
{{- $turns := max 1 (div (int .values.startupSeconds) $period) -}}
{{- $live := .probe.live | default .probe -}}
{{- range $name, $row := dict "startup" (list .probe $turns) "readiness" (list .probe 3) "liveness" (list $live 6) }}
{{- $own := ternary (get $.values $name) dict $.main }}
{{- if $own }}
{{ $name }}Probe: {{- toYaml $own | nindent 2 }}
{{- else if not (and (eq $name "liveness") (eq (toString $.probe.live) "none")) }}
{{ $name }}Probe:
  {{- include "common.probeHandler" (first $row) | nindent 2 }}
  periodSeconds: {{ $period }}
  timeoutSeconds: {{ $.values.timeoutSeconds }}
  failureThreshold: {{ last $row }}
  successThreshold: 1
{{- end }}
{{- end }}
{{- end -}}

{{- define "common.probeHandler" -}}
{{- if .command -}}
exec: {{- toYaml (dict "command" .command) | nindent 2 }}
{{- else if .path -}}
httpGet: {{- toYaml (dict "path" .path "port" .port "scheme" (.scheme | default "HTTP")) | nindent 2 }}
{{- else -}}
tcpSocket: {{- toYaml (dict "port" .port) | nindent 2 }}
{{- end -}}
{{- end -}}
