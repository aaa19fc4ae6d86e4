{{/*
Connections between components: the port of each, and which calls which. Network policies of both ends and addresses in
configuration files are derived from these two tables only.
*/}}
{{- define "common.ports" -}}
accounts: [8088]
audit-client: [8098]
audit-service: [8097]
autopilot: [8090]
controller: [9003]
dashboard: [8094]
datascience: [5005]
halyard: [8064]
minio: [9000]
oes-db: [5432]
oes-gate: [8084]
oes-redis: [6379]
oes-ui: [8080]
opa: [8181]
openldap: [1389]
platform: [8095]
rabbitmq: [5672]
sapor: [8085]
sapor-gate: [8084]
visibility: [8096]
{{- end -}}

{{/* Each component with those it calls, at their first port or the one named. "spinnaker" means the services that Halyard deploys. */}}
{{- define "common.edges" -}}
accounts: [controller:9003]
audit-client: [oes-db, platform, visibility]
audit-service: [oes-db, platform, audit-client, sapor, autopilot, visibility, dashboard]
autopilot: [oes-db, platform, oes-gate, datascience]
configure: [platform, sapor, sapor-gate]
dashboard: [platform, autopilot, sapor, visibility, audit-client, oes-gate]
datascience: [oes-db, minio, rabbitmq]
halyard: [minio, oes-redis, spinnaker]
oes-gate: [sapor, autopilot, platform, dashboard, visibility, audit-service, audit-client, oes-redis, openldap, spinnaker]
oes-ui: [oes-gate, oes-ui, spinnaker]
opa: [sapor]
platform: [oes-db, oes-redis, openldap, sapor, autopilot, dashboard, visibility, audit-client, oes-gate]
sapor: [oes-db, platform, visibility, audit-service, dashboard, oes-gate, controller:9003, sapor-gate, opa, spinnaker]
sapor-gate: [platform, oes-redis, spinnaker]
spinnaker: [oes-redis, rabbitmq, minio, openldap, audit-service, sapor, controller:9002, oes-gate]
visibility: [oes-db, oes-gate, autopilot, platform]
{{- end -}}

{{/* Servers that may be outside the cluster: the value that locates each, and its port. */}}
{{- define "common.external" -}}
oes-db: {where: {{ .global.database.host | quote }}, port: {{ .global.database.port }}}
oes-redis: {where: {{ .global.redis.host | quote }}, port: {{ .global.redis.port }}}
rabbitmq: {where: {{ .global.rabbitmq.host | quote }}, port: {{ .global.rabbitmq.port }}}
minio: {{ include "common.externalUrl" .global.objectStore.endpoint }}
openldap: {{ include "common.externalUrl" .global.ldap.url }}
opa: {{ include "common.externalUrl" .global.opa.url }}
{{- end -}}

{{- define "common.externalUrl" -}}
{{- if . -}}
{{- $url := urlParse . -}}
{{- if not $url.scheme -}}{{- fail (printf "%s is not an address with a scheme. Write one such as https://HOST:PORT." .) -}}{{- end -}}
{{- $port := get (dict "https" "443" "http" "80" "ldap" "389" "ldaps" "636") $url.scheme -}}
{{- if regexMatch ":[0-9]+$" $url.host -}}{{- $port = last (splitList ":" $url.host) -}}{{- end -}}
{where: {{ . | quote }}, port: {{ $port }}}
{{- else -}}
{where: ""}
{{- end -}}
{{- end -}}

{{- define "common.databaseHost" -}}
{{- .global.database.host | default (include "common.host" (dict "scope" . "to" "oes-db")) -}}
{{- end -}}

{{/* JDBC address of a database: {scope, database}. */}}
{{- define "common.jdbc" -}}
jdbc:postgresql://{{ include "common.databaseHost" .scope }}:{{ .scope.global.database.port }}/{{ .database }}{{ .scope.global.database.options }}
{{- end -}}

{{/* Address of Redis; services read the password from the environment. */}}
{{- define "common.redis" -}}
{{- $host := .global.redis.host | default (include "common.host" (dict "scope" . "to" "oes-redis")) -}}
{{ ternary "rediss" "redis" .global.redis.tls }}://:${REDIS_PASSWORD}@{{ $host }}:{{ .global.redis.port }}
{{- end -}}

{{- define "common.ldapUrl" -}}
{{- .global.ldap.url | default (printf "ldap://%s:389" (include "common.host" (dict "scope" . "to" "openldap"))) -}}
{{- end -}}

{{- define "common.objectStore" -}}
{{- .global.objectStore.endpoint | default (include "common.url" (dict "scope" . "to" "minio")) -}}
{{- end -}}

{{- define "common.login" -}}
{{- .global.login.kind | default (ternary "ldap" "file" .global.trial) -}}
{{- end -}}
