{{/* Operator settings of halgit from the values: HALGIT_<OPTION>, and Secrets as files under /etc/halgit. */}}

{{/* The schemes of the sources: https, ssh, s3, vault. */}}
{{- define "halyard.schemes" -}}
{{- $found := dict -}}
{{- range .values.source.repositories -}}
{{- if hasPrefix "https://" . }}{{- $_ := set $found "https" true -}}
{{- else if hasPrefix "s3://" . }}{{- $_ := set $found "s3" true -}}
{{- else if hasPrefix "vault://" . }}{{- $_ := set $found "vault" true -}}
{{- else if or (hasPrefix "ssh://" .) (regexMatch "^[^/:]+@[^/:]+:" .) }}{{- $_ := set $found "ssh" true -}}
{{- else }}{{- fail (printf "halyard.source.repositories: %s is not an https, ssh, s3 or vault address. A directory of the pod cannot be a source." .) -}}
{{- end -}}
{{- include "common.noPassword" (dict "url" . "where" "halyard.source.repositories") -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{- define "halyard.refusals" -}}
{{- $source := .values.source -}}
{{- if not $source.repositories -}}
{{- fail "halyard.source.repositories: required, because there is no usable default. Set the address of your configuration repository (halgit init creates one), or set global.spinnaker.install to false." -}}
{{- end -}}
{{- if and (gt (len $source.repositories) 1) (or $source.ref $source.path) -}}
{{- fail "halyard.source: ref and path are for one repository. With several, write \"ADDRESS?ref=REF&path=DIR\" for each." -}}
{{- end -}}
{{- $schemes := include "halyard.schemes" . | fromYaml -}}
{{- if and $schemes.ssh (not .values.credentials.sshSecret) -}}
{{- fail "halyard.credentials.sshSecret: required for a source over SSH. Set the name of a Secret with ssh-privatekey and known_hosts." -}}
{{- end -}}
{{- if and $schemes.vault (not .values.credentials.vault.address) -}}
{{- fail "halyard.credentials.vault.address: required for a source in Vault. Set Vault's address." -}}
{{- end -}}
{{- if and (eq $source.variant "ssh") (eq .global.spinnaker.dialect "opsmx") (not .values.credentials.sshSecret) -}}
{{- fail "halyard.source.variant: ssh requires halyard.credentials.sshSecret. Set it, or set variant to token." -}}
{{- end -}}
{{- range $name, $_ := ternary dict .values.parameters (eq .global.spinnaker.dialect "halgit") -}}
{{- if has $name (list "AWS_SECRET_ACCESS_KEY" "GIT_SSH_KEY" "GIT_TOKEN" "JIRA_BASE64_USR_PASSWD" "KEY" "SERVICENOW_BASE64_USR_PASSWD") -}}
{{- fail (printf "halyard.parameters.%s: this is a secret, and the pod's specification would show it. Set halyard.secretParameters.%s instead." $name $name) -}}
{{- end -}}
{{- end -}}
{{- with .values.mtls -}}
{{- if and .enabled (not .existingSecret) (not (and .certManager.issuer .certManager.passwordSecret)) -}}
{{- fail "halyard.mtls: enabled without certificates. Set existingSecret, or certManager.issuer and certManager.passwordSecret." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "halyard.environment" -}}
{{- range $name, $value := include "halyard.options" . | fromYaml }}
{{- if ne (toString $value) "" }}
- {name: HALGIT_{{ $name }}, value: {{ $value | toString | toJson }}}
{{- end }}
{{- end }}
{{- range $name, $value := include "halyard.parameters" . | fromYaml }}
- {name: {{ $name }}, value: {{ $value | toString | toJson }}}
{{- end }}
{{- if .values.credentials.git }}
{{- $git := dict "scope" . "credential" "git" "key" "username" }}
- name: HALGIT_GIT_USER
  valueFrom: {secretKeyRef: {name: {{ include "common.credentialSecret" $git }}, key: {{ include "common.credentialKey" $git }}}}
{{- end }}
{{- if .values.credentials.awsSecret }}
- {name: AWS_SHARED_CREDENTIALS_FILE, value: /etc/halgit/aws/credentials}
{{- end }}
- {name: HOME, value: /tmp}
{{- end -}}

{{- define "halyard.options" -}}
{{- $schemes := include "halyard.schemes" . | fromYaml -}}
{{- with .values.source }}
REPO: {{ join "\n" .repositories | toJson }}
REF: {{ .ref | quote }}
PATH: {{ .path | quote }}
OVERLAY: {{ .overlay | quote }}
DIALECT: {{ $.global.spinnaker.dialect | quote }}
VARIANT: {{ ternary .variant "" (eq $.global.spinnaker.dialect "opsmx") | quote }}
TIMEOUT: {{ .timeoutSeconds | int }}
LOCKED: {{ ternary "1" "" .locked | quote }}
VERIFY_SIGNATURES: {{ ternary "/etc/halgit/signers/signers" "" (ne .signersConfigMap "") | quote }}
{{- if or .submodules .submoduleHosts }}
SUBMODULES: "1"
SUBMODULE_HOST: {{ join "\n" .submoduleHosts | toJson }}
{{- end }}
{{- end }}
OUT: /home/spinnaker/.hal
HAL_HOME: /home/spinnaker/.hal
DAEMON_CONFIG: /opt/halyard/config
HALYARD_ADDRESS: 0.0.0.0
SECRETS: {{ .values.secrets.mode }}
FAIL_ON: {{ .values.render.failOn }}
NO_VALIDATE: {{ ternary "" "1" .values.render.validate | quote }}
ALLOW_REFERENCE: {{ include "halyard.allowedReferences" . | fromJsonArray | join "\n" | toJson }}
LOG_FORMAT: json
{{- if .values.credentials.git }}
GIT_TOKEN_FILE: /etc/halgit/git/token
{{- end }}
{{- if .values.credentials.sshSecret }}
SSH_KEY_FILE: /etc/halgit/ssh/ssh-privatekey
KNOWN_HOSTS_FILE: /etc/halgit/ssh/known_hosts
{{- end }}
S3_ENDPOINT: {{ .values.credentials.s3.endpoint | quote }}
S3_REGION: {{ .values.credentials.s3.region | quote }}
{{- if .values.credentials.vault.address }}
{{- include "common.vaultLogin" (dict "vault" .values.credentials.vault "where" "halyard.credentials.vault") }}
{{- end }}
CA_FILE: {{ include "common.caFile" . | quote }}
{{- range $option, $value := .values.render.options }}
{{ $option | upper | replace "-" "_" }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/*
Patterns of the references that halgit may read. Roles are not enough: the account of the pod may read every Secret of the namespace
where it deploys Spinnaker there.
*/}}
{{- define "halyard.allowedReferences" -}}
{{- $patterns := .values.secrets.allowReferences | default (list "vault://*" "s3://*" "secrets-manager://*" "gcs://*" "google-secrets-manager://*" "noop*") -}}
{{- range include "halyard.readableSecrets" . | fromJsonArray -}}
{{- $patterns = concat $patterns (list (printf "k8s://%s" .) (printf "k8s://%s#*" .)) -}}
{{- end -}}
{{- toJson $patterns -}}
{{- end -}}

{{/*
Secrets of the namespace that references may name: those of the values, and the generated ones of which global.credentials says, with
generate, that an opsmx repository refers to them.
*/}}
{{- define "halyard.readableSecrets" -}}
{{- $names := .values.secrets.kubernetes -}}
{{- range $name, $credential := ternary .global.credentials dict (eq .global.spinnaker.dialect "opsmx") -}}
{{- if $credential.generate -}}{{- $names = append $names (include "common.credentialSecret" (dict "scope" $ "credential" $name)) -}}{{- end -}}
{{- end -}}
{{- $names | uniq | toJson -}}
{{- end -}}

{{/* HALGIT_PARAM_*: parameters of the values, those in Secrets as files, and the tokens of the opsmx dialect that the chart knows. */}}
{{- define "halyard.parameters" -}}
{{- $parameters := dict -}}
{{- if eq .global.spinnaker.dialect "opsmx" }}{{- $parameters = include "halyard.tokens" . | fromYaml -}}{{- end -}}
{{- range $name, $value := .values.parameters }}{{- $_ := unset $parameters (printf "%s_FILE" (include "halyard.variable" $name)) -}}{{- $_ := set $parameters (include "halyard.variable" $name) $value -}}{{- end -}}
{{- range $name, $_ := .values.secretParameters }}
{{- $_ := unset $parameters (include "halyard.variable" $name) }}
{{- $_ := set $parameters (printf "%s_FILE" (include "halyard.variable" $name)) (printf "/etc/halgit/%s/value" (include "halyard.folder" $name)) }}
{{- end -}}
{{- toYaml $parameters -}}
{{- end -}}

{{/* The variable of a parameter: its name in upper snake case. */}}
{{- define "halyard.variable" -}}
HALGIT_PARAM_{{ . | replace "-" "_" | snakecase | upper }}
{{- end -}}

{{- define "halyard.folder" -}}
parameter-{{ . | replace "_" "-" | lower }}
{{- end -}}

{{/* Tokens of the opsmx dialect whose value is known from the release. */}}
{{- define "halyard.tokens" -}}
{{- $protocol := ternary "https" "http" .global.tls.enabled -}}
HALGIT_PARAM_SPINNAKER_NAMESPACE: {{ include "common.spinnakerNamespace" . | quote }}
HALGIT_PARAM_RELEASE_NAME: {{ .root.Release.Name | quote }}
HALGIT_PARAM_PROTOCOL: {{ $protocol | quote }}
{{- with .global.hosts.deck | default (ternary (printf "%s/deck" .global.hosts.ui) "" (ne .global.hosts.ui "")) }}
HALGIT_PARAM_OVERRIDE_DECK_URL: {{ . | quote }}
{{- end }}
{{- with ternary .global.hosts.oesGate .global.hosts.gate .global.commonGate | default (ternary (printf "%s/gate" .global.hosts.ui) "" (ne .global.hosts.ui "")) }}
HALGIT_PARAM_OVERRIDE_API_URL: {{ . | quote }}
{{- end }}
HALGIT_PARAM_DYNAMIC_ACCOUNTS_REPO: {{ first (splitList "?" (first .values.source.repositories)) | quote }}
HALGIT_PARAM_DYN_ACCNT_CONFG_PATH: /
{{- with .values.source.ref }}
HALGIT_PARAM_BRANCH: {{ . | quote }}
{{- end }}
HALGIT_PARAM_KEY_FILE: /etc/halgit/encryption/key
{{- if .values.credentials.git }}
HALGIT_PARAM_GIT_USER_FILE: /etc/halgit/git/username
HALGIT_PARAM_GIT_TOKEN_FILE: /etc/halgit/git/token
{{- end }}
{{- if eq .values.source.variant "s3" }}
{{- range .values.source.repositories }}
{{- if hasPrefix "s3://" . }}
HALGIT_PARAM_AWS_S3_BUCKET: {{ (urlParse .).host | quote }}
{{- end }}
{{- end }}
{{- with .values.credentials.s3.region }}
HALGIT_PARAM_AWS_S3_REGION: {{ . | quote }}
{{- end }}
{{- end }}
{{- if eq .values.source.variant "ssh" }}
HALGIT_PARAM_GIT_SSH_KEY_FILE: /etc/halgit/ssh/ssh-privatekey
{{- end }}
{{- end -}}

{{/* Secrets that are mounted as files: folder -> name and items. */}}
{{- define "halyard.secrets" -}}
{{- $scope := . -}}
{{- if .values.credentials.git }}
{{- $git := dict "scope" . "credential" "git" }}
{{- include "common.requireCredential" $git }}
git:
  name: {{ include "common.credentialSecret" $git }}
  items:
    {{- range list "username" "token" }}
    - {key: {{ include "common.credentialKey" (merge (dict "key" .) $git) }}, path: {{ . }}}
    {{- end }}
{{- end }}
{{- with .values.credentials.sshSecret }}
ssh: {{ include "common.sshFiles" . }}
{{- end }}
{{- with .values.credentials.awsSecret }}
aws: {name: {{ . }}, items: [{key: credentials, path: credentials}]}
{{- end }}
{{- with .values.credentials.vault }}
{{- if and .address (eq .auth "token") }}
vault: {name: {{ .tokenSecret }}, items: [{key: token, path: token}]}
{{- end }}
{{- end }}
{{- if eq .global.spinnaker.dialect "opsmx" }}
encryption: {{ include "common.credentialFile" (dict "scope" . "credential" "encryption" "key" "key") }}
{{- end }}
{{- range $name, $secret := .values.secretParameters }}
{{ include "halyard.folder" $name }}: {name: {{ $secret.secret }}, items: [{key: {{ $secret.key }}, path: value}]}
{{- end }}
{{- end -}}
