{{/* Configuration that oes-gate and sapor-gate share. */}}
{{- define "common.platformOfGate" -}}
baseUrl: {{ include "common.url" (dict "scope" . "to" "platform") }}
userGroupApiPath: /platformservice/v1/users/{username}/usergroups/importAndCache
enabled: true
{{- end -}}

{{- define "common.behindProxy" -}}
httpsServerPort: X-Forwarded-Port
internalProxies: .*
protocolHeader: X-Forwarded-Proto
remoteIpHeader: X-Forwarded-For
{{- end -}}

{{/* Addresses of the Spinnaker services; in the high-availability layout Echo is two services and Clouddriver four. */}}
{{- define "common.spinnakerServices" -}}
{{- $split := .global.spinnaker.highAvailability -}}
{{- $rows := dict "front50" (list "front50" 8080) "igor" (list "igor" 8088) "orca" (list "orca" 8083) "rosco" (list "rosco" 8087)
      "fiat" (list "fiat" 7003) "kayenta" (list "kayenta" 8090)
      "clouddriver" (list (ternary "clouddriver-rw" "clouddriver" $split) 7002)
      "echo" (list (ternary "echo-worker" "echo" $split) 8089) -}}
{{- if $split -}}
{{- range $key, $name := dict "clouddriverCaching" "clouddriver-caching" "clouddriverRo" "clouddriver-ro" "clouddriverRoDeck" "clouddriver-ro-deck" "clouddriverRw" "clouddriver-rw" -}}
{{- $_ := set $rows $key (list $name 7002) -}}
{{- end -}}
{{- range $key, $name := dict "echoScheduler" "echo-scheduler" "echoWorker" "echo-worker" -}}
{{- $_ := set $rows $key (list $name 8089) -}}
{{- end -}}
{{- end -}}
{{- $off := dict "fiat" (not .global.spinnaker.permissions) "kayenta" (not .global.spinnaker.canary) -}}
{{- range $key, $row := $rows }}
{{ $key }}:
  host: 0.0.0.0
  port: {{ last $row }}
  baseUrl: {{ include "common.spinnakerUrl" (dict "scope" $ "to" (first $row) "port" (last $row)) }}
  enabled: {{ not (get $off $key) }}
{{- end }}
redis:
  host: 0.0.0.0
  port: {{ .global.redis.port }}
  baseUrl: {{ include "common.redis" . }}
  enabled: true
{{- range $key, $row := dict "deck" (list "ui" 9000) "gate" (list "oesGate" 8084) }}
{{- with include "common.publicUrl" (dict "scope" $ "host" (first $row)) }}
{{ $key }}:
  host: 0.0.0.0
  port: {{ last $row }}
  baseUrl: {{ . }}
  enabled: true
{{- end }}
{{- end }}
{{- end -}}
