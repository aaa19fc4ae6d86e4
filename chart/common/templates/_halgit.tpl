{{/* What the charts that run halgit have in common: its options as HALGIT_<OPTION>, credentials as files. */}}

{{/* One key of a credential as a file of that name: {scope, credential, key}. */}}
{{- define "common.credentialFile" -}}
{{- include "common.credentialGiven" . -}}
{name: {{ include "common.credentialSecret" . }}, items: [{key: {{ include "common.credentialKey" . }}, path: {{ .key }}}]}
{{- end -}}

{{/* Refuse a git address that holds a password: it would stand in the pod's specification. {url, where} */}}
{{- define "common.noPassword" -}}
{{- if regexMatch "^[a-z0-9+]+://[^/@]*:[^/@]*@" .url -}}
{{- fail (printf "%s: an address holds a password. Leave it out and give global.credentials.git." .where) -}}
{{- end -}}
{{- end -}}

{{- define "common.sshFiles" -}}
{name: {{ . }}, items: [{key: ssh-privatekey, path: ssh-privatekey}, {key: known_hosts, path: known_hosts}]}
{{- end -}}

{{/* How to log in to Vault: {vault, where}. */}}
{{- define "common.vaultLogin" }}
VAULT_ADDRESS: {{ required (printf "%s.address: empty. Give Vault's address." .where) .vault.address }}
VAULT_AUTH: {{ .vault.auth }}
VAULT_ROLE: {{ .vault.role | quote }}
{{- if eq .vault.auth "token" }}
{{- $_ := required (printf "%s.tokenSecret: empty, and auth is token. Name the Secret that holds it under the key token." .where) .vault.tokenSecret }}
VAULT_TOKEN_FILE: /etc/halgit/vault/token
{{- else if not .vault.role }}
{{- fail (printf "%s.role: empty, and auth is kubernetes. Give the role the pod logs in as." .where) }}
{{- end }}
{{- end -}}

{{- define "common.caFile" -}}
{{- if or .global.caBundle.configMap .global.caBundle.secret -}}
/etc/isd/ca/{{ .global.caBundle.key }}
{{- end -}}
{{- end -}}
