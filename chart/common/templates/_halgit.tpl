{{/* Shared by the charts that run halgit: options are HALGIT_<OPTION> variables, credentials are files. */}}

{{/* One key of a credential as a file of that name: {scope, credential, key}. */}}
{{- define "common.credentialFile" -}}
{{- include "common.requireCredential" . -}}
{name: {{ include "common.credentialSecret" . }}, items: [{key: {{ include "common.credentialKey" . }}, path: {{ .key }}}]}
{{- end -}}

{{/* Fail for a git address with a password, which the pod's specification would show: {url, where}. */}}
{{- define "common.noPassword" -}}
{{- if regexMatch "^[a-z0-9+]+://[^/@]*:[^/@]*@" .url -}}
{{- fail (printf "%s: an address contains a password. Remove it and set global.credentials.git." .where) -}}
{{- end -}}
{{- end -}}

{{- define "common.sshFiles" -}}
{name: {{ . }}, items: [{key: ssh-privatekey, path: ssh-privatekey}, {key: known_hosts, path: known_hosts}]}
{{- end -}}

{{/* Options of the Vault login: {vault, where}. */}}
{{- define "common.vaultLogin" }}
VAULT_ADDRESS: {{ required (printf "%s.address: required. Set Vault's address." .where) .vault.address }}
VAULT_AUTH: {{ .vault.auth }}
VAULT_ROLE: {{ .vault.role | quote }}
{{- if eq .vault.auth "token" }}
{{- $_ := required (printf "%s.tokenSecret: required with auth token. Set the name of a Secret with the key token." .where) .vault.tokenSecret }}
VAULT_TOKEN_FILE: /etc/halgit/vault/token
{{- else if not .vault.role }}
{{- fail (printf "%s.role: required with auth kubernetes. Set the role that the pod logs in with." .where) }}
{{- end }}
{{- end -}}

{{- define "common.caFile" -}}
{{- if or .global.caBundle.configMap .global.caBundle.secret -}}
/etc/isd/ca/{{ .global.caBundle.key }}
{{- end -}}
{{- end -}}
