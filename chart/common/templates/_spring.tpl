{{/*
Component of a Spring service: {scope, port, directory, file, text, credentials} and, where they differ, path (of health),
metrics (false: none), predecessor (name of its service), files, mounts, volumes, exposed, env. Credentials are never in files: Spring
reads "${NAME}" from the environment.
*/}}
{{- define "common.spring" -}}
{{- $scope := .scope -}}
{{- $vault := eq $scope.global.secretStore.kind "vault" -}}
{{- $files := dict (printf "%s/%s" .directory .file) .text (printf "%s/bootstrap.yml" .directory) (include "common.bootstrap" $scope) -}}
{{- range $path, $text := .files }}{{- $_ := set $files $path $text -}}{{- end -}}
kind: Deployment
secretStore: true
container:
  java: true
  credentials: {{ concat .credentials (list "encryption") (ternary (list "vault") list $vault) | uniq | toJson }}
  ports: [{name: http, port: {{ .port }}}{{ range .extraPorts }}, {name: {{ .name }}, port: {{ .port }}}{{ end }}]
  probe: {path: {{ .path | default "/mgmt/health" }}, port: http}
  env: {{ .env | default list | toJson }}
  mounts: {{ .mounts | default list | toJson }}
  writable: [/var/log, /opsmx/logs]
  resources: {requests: {cpu: 250m, memory: 1Gi}, limits: {memory: 2Gi}}
files: {{ $files | toJson }}
volumes: {{ .volumes | default list | toJson }}
services:
  - ports:
      - {name: http, port: {{ .port }}}
      {{- range .extraPorts }}
      - {name: {{ .name }}, port: {{ .port }}}
      {{- end }}
      {{- range .servicePorts }}
      - {name: {{ .name }}, port: {{ .port }}, target: {{ .target }}}
      {{- end }}
    predecessorNames: [{{ .predecessor }}]
{{- if ne .metrics false }}
metrics: {port: http, number: {{ .port }}, path: /mgmt/prometheus}
{{- end }}
{{- with .exposed }}
exposed: {{ toJson . }}
{{- end }}
{{- with .outside }}
outside: {{ toJson . }}
{{- end }}
{{- end -}}

{{/* bootstrap.yml of the services: the key of stored credentials, and Vault where they are kept there. */}}
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

{{/* Texts of the services' error codes. {0}, {1} and {2} are filled in by the services. */}}
{{- define "common.errorCodes" -}}
{{- range $code, $text := include "common.errorCodeTable" . | fromYaml }}
standardErrorCodesMapping.{{ $code }} = {{ $code }} : {{ $text }}
{{- end }}
{{- end -}}

{{- define "common.errorCodeTable" -}}
ISD-IsEmpty-400-01: "{0}: {1} is missing. Fill it in."
ISD-IsNull-400-02: "{0}: {1} has no value. Give one."
ISD-MustBeAlphanumericName-400-03: "{0}: {1} may hold letters and digits only."
ISD-ExceedsMaxStringLength-400-04: "{0}: {1} is longer than {2} characters."
ISD-NotConfigured-400-05: "{0}: set up {1} first."
ISD-PolicyNotProvided-400-06: "{0}: an automated gate needs a policy."
ISD-EmptyKeyOrValueInJson-400-07: "{0}: the JSON lacks {1}."
ISD-UnableToParseJSON-400-08: "{0}: this is not JSON."
ISD-MustBeANumber-400-09: "{0}: {1} is {2}, which is no number."
ISD-Unauthorized-401-01: "{0}: {1} may not do this. {2}"
ISD-Unauthorized-401-02: "{0}: {1} is in no user group."
ISD-NotAdmin-401-03: "{0}: only administrators may do this, and {1} is none."
ISD-IsNotFound-404-01: "{0}: there is no {1} {2}."
ISD-NoData-404-02: "{0}: {1} has no data."
ISD-DoesNotExist-404-03: "{0}: {1} is not there. {2}"
ISD-AlreadyExists-409-01: "{0}: {1} {2} is there already."
ISD-FailedToDelete-412-01: "{0}: {1} is in use and stays."
ISD-FailedToDeletePolicy-412-02: "{0}: a {1} gate uses this policy; it stays."
ISD-FailedToUpdate-412-03: "{0}: {1} is in use and cannot change."
ISD-InvalidURL-422-01: "{0}: the {1} address is not valid."
ISD-ConnectionOrAuthenticationFailed-422-02: "{0}: {1} cannot be reached or refuses the login (status {2})."
ISD-InvalidCredentials-422-03: "{0}: {1} refuses these credentials."
ISD-InvalidEndpoint-422-04: "{0}: the {1} endpoint is not valid."
ISD-InvalidEndpointOrCredentials-422-05: "{0}: the {1} endpoint or the credentials are wrong."
ISD-UsernameOrPasswordIsBlank-422-06: "{0}: give both user name and password, or neither."
ISD-UnknownDatasource-422-07: "{0}: data sources of kind {1} are not known here."
ISD-InvalidProvider-422-08: "{0}: {1} is no provider known here."
ISD-InvalidPath-422-09: "{0}: the {1} path is not valid."
ISD-UnableToAddStage-424-01: "{0}: the stage could not be added to {1}."
ISD-UnableToDelete-424-02: "{0}: {1} is being analysed and stays."
ISD-ShouldBeNumber-500-01: "{0}: {1} is no number."
ISD-ShouldBePositiveNumber-500-02: "{0}: {1} is not above zero."
ISD-UnableToFetch-500-03: "{0}: {1} could not be read from the database. Try again later."
ISD-UnableToCreate-500-04: "{0}: {1} could not be made."
ISD-UnableToDelete-500-05: "{0}: {1} could not be deleted."
ISD-UnableToUpdate-500-06: "{0}: {1} could not be changed."
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

{{/* How LDAP is asked; the same for the gate and platform. */}}
{{- define "common.ldapSettings" -}}
url: {{ include "common.ldapUrl" . }}
managerDn: {{ .global.ldap.managerDn | quote }}
managerPassword: ${LDAP_MANAGER_PASSWORD}
groupSearchBase: {{ .global.ldap.groupSearchBase | quote }}
groupSearchFilter: {{ .global.ldap.groupSearchFilter | quote }}
userDnPattern: {{ .global.ldap.userDnPattern | quote }}
{{- end -}}
