{{/*
Credentials: the environment variable of each key; fixed has keys that are not random. With generated, the bootstrap job creates the
Secret where a pod of the release reads it: users lists the components that do.
*/}}
{{- define "common.credentialTable" -}}
database: {generated: true, keys: {username: DB_USERNAME, password: DB_PASSWORD}, fixed: {username: postgres}, users: [audit-client, audit-service, autopilot, datascience, oes-db, platform, sapor, visibility]}
redis: {generated: true, keys: {password: REDIS_PASSWORD}, users: [oes-gate, oes-redis, platform, sapor-gate]}
rabbitmq: {generated: true, keys: {username: RABBITMQ_USERNAME, password: RABBITMQ_PASSWORD}, fixed: {username: isd}, users: [datascience, rabbitmq]}
objectStore: {generated: true, keys: {accessKey: OBJECT_STORE_ACCESS_KEY, secretKey: OBJECT_STORE_SECRET_KEY}, fixed: {accessKey: isd}, users: [datascience, minio]}
ldap: {generated: true, keys: {password: LDAP_MANAGER_PASSWORD}, users: [openldap]}
login: {generated: true, keys: {username: LOGIN_USERNAME, password: LOGIN_PASSWORD}, fixed: {username: admin}}
encryption: {generated: true, keys: {key: ENCRYPT_KEY}, users: [accounts, audit-client, audit-service, autopilot, dashboard, halyard, oes-gate, platform, sapor, sapor-gate, visibility]}
saporGate: {generated: true, keys: {username: SAPOR_GATE_USERNAME, password: SAPOR_GATE_PASSWORD}, fixed: {username: admin}, users: [sapor-gate]}
git: {generated: false, keys: {username: GIT_USERNAME, token: GIT_TOKEN}}
vault: {generated: false, keys: {token: VAULT_TOKEN}}
saml: {generated: false, keys: {password: SAML_KEYSTORE_PASSWORD}}
oauth2: {generated: false, keys: {clientId: OAUTH2_CLIENT_ID, clientSecret: OAUTH2_CLIENT_SECRET}}
{{- end -}}

{{/* Name of the Secret of a credential: {scope, credential}. */}}
{{- define "common.credentialSecret" -}}
{{- $credential := get .scope.global.credentials .credential -}}
{{- $credential.existingSecret | default (printf "%s-%s" .scope.root.Release.Name (kebabcase .credential)) -}}
{{- end -}}

{{/* Key of a credential in its Secret: {scope, credential, key}. */}}
{{- define "common.credentialKey" -}}
{{- $credential := get .scope.global.credentials .credential -}}
{{- get ($credential.keys | default dict) .key | default .key -}}
{{- end -}}

{{/* Fail for a credential that has no source: {scope, credential}. */}}
{{- define "common.requireCredential" -}}
{{- $credential := get .scope.global.credentials .credential -}}
{{- $row := get (include "common.credentialTable" . | fromYaml) .credential -}}
{{- if not (or $row.generated $credential.existingSecret $credential.values) -}}
{{- fail (printf "global.credentials.%s: required by %s and never generated. Set existingSecret or values." .credential .scope.name) -}}
{{- end -}}
{{- end -}}

{{/* Environment of a list of credentials: {scope, credentials}. */}}
{{- define "common.credentialEnv" -}}
{{- $table := include "common.credentialTable" . | fromYaml -}}
{{- range .credentials -}}
{{- $credential := . -}}
{{- $row := get $table $credential -}}
{{- $call := dict "scope" $.scope "credential" $credential -}}
{{- include "common.requireCredential" $call -}}
{{- range $key, $name := $row.keys }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "common.credentialSecret" $call }}
      key: {{ include "common.credentialKey" (merge (dict "key" $key) $call) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Secrets of credentials that have values. Rendered once: by the umbrella, or by a component that is installed alone. */}}
{{- define "common.credentialSecrets" -}}
{{- range $name, $_ := include "common.credentialTable" . | fromYaml -}}
{{- $call := dict "scope" $ "credential" $name -}}
{{- with include "common.credentialData" $call | fromJson }}
---
apiVersion: v1
kind: Secret
{{ include "common.metadata" (merge (dict "objectName" (include "common.credentialSecret" $call) "component" "credential" "annotations" (dict "isd/generation" (include "common.credentialGeneration" $call))) $) }}
type: Opaque
stringData:
  {{- range $key, $value := . }}
  {{ $key }}: {{ $value | quote }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Content of the Secret of a credential that has values, as JSON; empty for another: {scope, credential}. */}}
{{- define "common.credentialData" -}}
{{- $credential := get .scope.global.credentials .credential -}}
{{- $row := get (include "common.credentialTable" . | fromYaml) .credential -}}
{{- $data := dict -}}
{{- if $credential.values -}}
{{- range $key, $_ := $row.keys -}}
{{- $value := get $credential.values $key | default (get ($row.fixed | default dict) $key) -}}
{{- if not $value -}}
{{- fail (printf "global.credentials.%s.values: %s is missing. Set it, or set existingSecret." $.credential $key) -}}
{{- end -}}
{{- $_ := set $data (include "common.credentialKey" (merge (dict "key" $key) $)) (toString $value) -}}
{{- end -}}
{{- end -}}
{{- toJson $data -}}
{{- end -}}

{{/*
Number of the contents that the Secret of a credential with values has had: {scope, credential}. It is in an annotation of the Secret and of
the pods that read it, so that they are replaced when it changes. A digest in its place would let a reader test guesses. Without a cluster: 1.
*/}}
{{- define "common.credentialGeneration" -}}
{{- $secret := dict -}}
{{- if .scope.global.lookup.secrets -}}
{{- $secret = lookup "v1" "Secret" .scope.root.Release.Namespace (include "common.credentialSecret" .) -}}
{{- end -}}
{{- $generation := dig "metadata" "annotations" "isd/generation" "1" ($secret | default dict) | int -}}
{{- $new := include "common.credentialData" . | fromJson -}}
{{- $old := dict -}}
{{- range $key, $value := ($secret | default dict).data -}}
{{- if hasKey $new $key -}}{{- $_ := set $old $key (b64dec $value) -}}{{- end -}}
{{- end -}}
{{- $changed := and $secret (ne (toJson $old) (toJson $new)) -}}
{{- ternary (add1 $generation) $generation (not (not $changed)) -}}
{{- end -}}

{{/* Generations of the credentials with values that a pod reads, for an annotation: {scope, credentials}. */}}
{{- define "common.credentialGenerations" -}}
{{- $rows := list -}}
{{- range .credentials -}}
{{- $call := dict "scope" $.scope "credential" . -}}
{{- if (get $.scope.global.credentials .).values -}}
{{- $rows = append $rows (printf "%s %s" . (include "common.credentialGeneration" $call)) -}}
{{- end -}}
{{- end -}}
{{- join ", " $rows -}}
{{- end -}}

{{/* Name of a Secret of the controller: {scope, which}; which is ca, control, service-auth or trust. */}}
{{- define "common.controllerSecret" -}}
{{- $default := printf "%s-controller-%s" .scope.root.Release.Name .which -}}
{{- if and (eq .which "trust") (eq "true" (include "common.predecessorNames" .scope)) -}}{{- $default = "oes-cacerts" -}}{{- end -}}
{{- get .scope.global.controller (printf "%sSecret" (camelcase (replace "-" "_" .which) | untitle)) | default $default -}}
{{- end -}}
