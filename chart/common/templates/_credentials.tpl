{{/* Credentials: the environment variable of each key. Made at random by the bootstrap job where "made" is true. */}}
{{- define "common.credentialTable" -}}
database: {made: true, keys: {username: DB_USERNAME, password: DB_PASSWORD}, fixed: {username: postgres}}
redis: {made: true, keys: {password: REDIS_PASSWORD}}
rabbitmq: {made: true, keys: {username: RABBITMQ_USERNAME, password: RABBITMQ_PASSWORD}, fixed: {username: isd}}
objectStore: {made: true, keys: {accessKey: OBJECT_STORE_ACCESS_KEY, secretKey: OBJECT_STORE_SECRET_KEY}, fixed: {accessKey: isd}}
ldap: {made: true, keys: {password: LDAP_MANAGER_PASSWORD}}
ldapConfig: {made: true, keys: {password: LDAP_CONFIG_PASSWORD}}
encryption: {made: true, keys: {key: ENCRYPT_KEY}}
saporGate: {made: true, keys: {username: SAPOR_GATE_USERNAME, password: SAPOR_GATE_PASSWORD}, fixed: {username: admin}}
git: {made: false, keys: {username: GIT_USERNAME, token: GIT_TOKEN}}
vault: {made: false, keys: {token: VAULT_TOKEN}}
saml: {made: false, keys: {password: SAML_KEYSTORE_PASSWORD}}
oauth2: {made: false, keys: {clientId: OAUTH2_CLIENT_ID, clientSecret: OAUTH2_CLIENT_SECRET}}
{{- end -}}

{{/* Name of the Secret of a credential: {scope, credential}. */}}
{{- define "common.credentialSecret" -}}
{{- $given := get .scope.global.credentials .credential -}}
{{- $given.existingSecret | default (printf "%s-%s" .scope.root.Release.Name (kebabcase .credential)) -}}
{{- end -}}

{{/* Key of a credential in its Secret: {scope, credential, key}. */}}
{{- define "common.credentialKey" -}}
{{- $given := get .scope.global.credentials .credential -}}
{{- get ($given.keys | default dict) .key | default .key -}}
{{- end -}}

{{/* Refuse a credential that nothing can bring: {scope, credential}. */}}
{{- define "common.credentialGiven" -}}
{{- $given := get .scope.global.credentials .credential -}}
{{- $row := get (include "common.credentialTable" . | fromYaml) .credential -}}
{{- if not (or $row.made $given.existingSecret $given.values) -}}
{{- fail (printf "global.credentials.%s: %s needs it, and it is never made at random. Give existingSecret or values." .credential .scope.name) -}}
{{- end -}}
{{- end -}}

{{/* Environment of a list of credentials: {scope, credentials}. */}}
{{- define "common.credentialEnv" -}}
{{- $table := include "common.credentialTable" . | fromYaml -}}
{{- range .credentials -}}
{{- $credential := . -}}
{{- $row := get $table $credential -}}
{{- $call := dict "scope" $.scope "credential" $credential -}}
{{- include "common.credentialGiven" $call -}}
{{- range $key, $name := $row.keys }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "common.credentialSecret" $call }}
      key: {{ include "common.credentialKey" (merge (dict "key" $key) $call) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Secrets for credentials given as values. Made once: by the umbrella, or by a component that is installed alone. */}}
{{- define "common.credentialSecrets" -}}
{{- range $credential, $row := include "common.credentialTable" . | fromYaml -}}
{{- $given := get $.global.credentials $credential -}}
{{- if $given.values }}
---
apiVersion: v1
kind: Secret
{{ include "common.metadata" (merge (dict "objectName" (include "common.credentialSecret" (dict "scope" $ "credential" $credential)) "component" "credential") $) }}
type: Opaque
stringData:
  {{- range $key, $_ := $row.keys }}
  {{- $value := get $given.values $key | default (get ($row.fixed | default dict) $key) }}
  {{- if not $value }}
  {{- fail (printf "global.credentials.%s.values: %s is missing. Give it, or name an existingSecret." $credential $key) }}
  {{- end }}
  {{ include "common.credentialKey" (dict "scope" $ "credential" $credential "key" $key) }}: {{ $value | quote }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Name of a Secret of the controller: {scope, which}; which is ca, control, service-auth or trust. */}}
{{- define "common.controllerSecret" -}}
{{- get .scope.global.controller (printf "%sSecret" (camelcase (replace "-" "_" .which) | untitle)) | default (printf "%s-controller-%s" .scope.root.Release.Name .which) -}}
{{- end -}}
