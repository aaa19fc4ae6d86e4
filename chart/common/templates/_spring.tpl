{{/*
Component of a Spring service: {scope, port, directory, file, text, credentials}. Optional: path (of health), metrics (false: none),
predecessor (name of its service), files, mounts, volumes, exposed, env, bootstrap. Credentials are never in files: Spring reads
"${NAME}" from the environment. Health and metrics are on the management port, which network policies open to Prometheus only.
*/}}
{{- define "common.spring" -}}
{{- $scope := .scope -}}
{{- $management := ternary 0 (int $scope.global.managementPort) (eq .metrics false) -}}
{{- range append (.extraPorts | default list) (dict "port" .port) -}}
{{- if eq $management (int .port) -}}{{- fail (printf "global.managementPort: %s has another use of port %d. Set another one." $scope.name $management) -}}{{- end -}}
{{- end -}}
{{- $probed := ternary "metrics" "http" (gt $management 0) -}}
{{- $env := .env | default list -}}
{{- if $management }}{{- $env = append $env (dict "name" "MANAGEMENT_SERVER_PORT" "value" (toString $management)) -}}{{- end -}}
{{- $extra := .extraPorts | default list -}}
{{- if $management }}{{- $extra = append $extra (dict "name" "metrics" "port" $management) -}}{{- end -}}
{{- $vault := eq $scope.global.secretStore.kind "vault" -}}
{{- $files := dict (printf "%s/%s" .directory .file) .text (printf "%s/bootstrap.yml" .directory) (.bootstrap | default (include "common.bootstrap" $scope)) -}}
{{- range $path, $text := .files }}{{- $_ := set $files $path $text -}}{{- end -}}
kind: Deployment
secretStore: true
container:
  java: true
  credentials: {{ concat .credentials (list "encryption") (ternary (list "vault") list $vault) | uniq | toJson }}
  ports: {{ concat (list (dict "name" "http" "port" .port)) $extra | toJson }}
  probe: {path: {{ .path | default "/mgmt/health" }}, port: {{ $probed }}, live: {port: http}}
  env: {{ toJson $env }}
  mounts: {{ .mounts | default list | toJson }}
  writable: [/var/log, /opsmx/logs]
  resources: {requests: {cpu: 250m, memory: 1Gi}, limits: {memory: 2Gi}}
files: {{ $files | toJson }}
volumes: {{ .volumes | default list | toJson }}
services:
  - ports:
      - {name: http, port: {{ .port }}}
      {{- range $extra }}
      - {name: {{ .name }}, port: {{ .port }}}
      {{- end }}
      {{- range .servicePorts }}
      - {name: {{ .name }}, port: {{ .port }}, target: {{ .target }}}
      {{- end }}
    predecessorNames: [{{ .predecessor }}]
{{- if ne .metrics false }}
metrics: {port: {{ $probed }}, number: {{ $management | default .port }}, path: /mgmt/prometheus}
{{- end }}
{{- with .exposed }}
exposed: {{ toJson . }}
{{- end }}
{{- with .outside }}
outside: {{ toJson . }}
{{- end }}
{{- end -}}

{{/* bootstrap.yml of the services: the key of stored credentials, and Vault where it is the secret store. */}}
{{- define "common.bootstrap" -}}
{{- $vault := eq .global.secretStore.kind "vault" -}}
spring:
  cloud:
    vault:
      enabled: {{ $vault }}
      kv:
        enabled: {{ $vault }}
      generic:
        enabled: false
      {{- if $vault }}
      uri: {{ .global.secretStore.address }}
      enterprise: {{ .global.secretStore.enterprise }}
      {{- with .global.secretStore.namespace }}
      namespace: {{ . }}
      {{- end }}
      token: ${VAULT_TOKEN}
      {{- end }}
jasypt:
  encryptor:
    password: ${ENCRYPT_KEY}
datasource:
  secretManagement:
    source: {{ .global.secretStore.kind }}
{{- end -}}

{{/* spring.datasource of a database: {scope, database}. In Vault mode the service reads it there. */}}
{{- define "common.datasource" -}}
url: {{ include "common.jdbc" . }}
username: ${DB_USERNAME}
password: ${DB_PASSWORD}
{{- end -}}

{{/* Messages of the services' error codes. The services fill in {0}, {1} and {2}. */}}
{{- define "common.errorCodes" -}}
{{- range $code, $text := include "common.errorCodeTable" . | fromYaml }}
standardErrorCodesMapping.{{ $code }} = {{ $code }} : {{ $text }}
{{- end }}
{{- end -}}

{{- define "common.errorCodeTable" -}}
ISD-IsEmpty-400-01: "{0}: {1} is required."
ISD-IsNull-400-02: "{0}: {1} must not be null."
ISD-MustBeAlphanumericName-400-03: "{0}: {1} may contain only letters and digits."
ISD-ExceedsMaxStringLength-400-04: "{0}: {1} is longer than {2} characters."
ISD-NotConfigured-400-05: "{0}: {1} is not configured."
ISD-PolicyNotProvided-400-06: "{0}: an automated gate requires a policy."
ISD-EmptyKeyOrValueInJson-400-07: "{0}: the JSON has no {1}."
ISD-UnableToParseJSON-400-08: "{0}: the text is not valid JSON."
ISD-MustBeANumber-400-09: "{0}: {1} must be a number, and is {2}."
ISD-Unauthorized-401-01: "{0}: {1} is not permitted to do this. {2}"
ISD-Unauthorized-401-02: "{0}: {1} does not belong to a user group."
ISD-NotAdmin-401-03: "{0}: {1} is not an administrator."
ISD-IsNotFound-404-01: "{0}: {1} {2} was not found."
ISD-NoData-404-02: "{0}: {1} has no data."
ISD-DoesNotExist-404-03: "{0}: {1} does not exist. {2}"
ISD-AlreadyExists-409-01: "{0}: {1} {2} already exists."
ISD-FailedToDelete-412-01: "{0}: {1} is in use and was not deleted."
ISD-FailedToDeletePolicy-412-02: "{0}: a {1} gate uses this policy; it was not deleted."
ISD-FailedToUpdate-412-03: "{0}: {1} is in use and was not changed."
ISD-InvalidURL-422-01: "{0}: the {1} URL is invalid."
ISD-ConnectionOrAuthenticationFailed-422-02: "{0}: {1} is unreachable or refused the login (status {2})."
ISD-InvalidCredentials-422-03: "{0}: {1} refused the credentials."
ISD-InvalidEndpoint-422-04: "{0}: the {1} endpoint is invalid."
ISD-InvalidEndpointOrCredentials-422-05: "{0}: the {1} endpoint or the credentials are invalid."
ISD-UsernameOrPasswordIsBlank-422-06: "{0}: user name and password must be set together."
ISD-UnknownDatasource-422-07: "{0}: data source type {1} is unknown."
ISD-InvalidProvider-422-08: "{0}: provider {1} is unknown."
ISD-InvalidPath-422-09: "{0}: the {1} path is invalid."
ISD-UnableToAddStage-424-01: "{0}: the stage was not added to {1}."
ISD-UnableToDelete-424-02: "{0}: {1} is being analyzed and was not deleted."
ISD-ShouldBeNumber-500-01: "{0}: {1} must be a number."
ISD-ShouldBePositiveNumber-500-02: "{0}: {1} must be greater than zero."
ISD-UnableToFetch-500-03: "{0}: {1} was not read from the database. Try again later."
ISD-UnableToCreate-500-04: "{0}: {1} was not created."
ISD-UnableToDelete-500-05: "{0}: {1} was not deleted."
ISD-UnableToUpdate-500-06: "{0}: {1} was not updated."
{{- end -}}

{{/* Health and metrics under /mgmt, as the probes and the service monitor expect them. */}}
{{- define "common.management" -}}
endpoints:
  web:
    base-path: /mgmt
    exposure:
      include: health,info,metrics,prometheus
health:
  elasticsearch:
    enabled: false
  ldap:
    enabled: false
{{- end -}}

{{/* LDAP settings of the gate and platform. */}}
{{- define "common.ldapSettings" -}}
url: {{ include "common.ldapUrl" . }}
managerDn: {{ .global.ldap.managerDn | quote }}
managerPassword: ${LDAP_MANAGER_PASSWORD}
groupSearchBase: {{ .global.ldap.groupSearchBase | quote }}
groupSearchFilter: {{ .global.ldap.groupSearchFilter | quote }}
userDnPattern: {{ .global.ldap.userDnPattern | quote }}
{{- end -}}
