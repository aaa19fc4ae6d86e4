{{/* What the umbrella knows of its parts. */}}

{{/* Whether a part that trials bring is installed: {scope, part}. */}}
{{- define "isd.has" -}}
{{- $own := get .scope.root.Values .part | default dict -}}
{{- if hasKey $own "enabled" }}{{ ternary "true" "" $own.enabled }}{{ else }}{{ ternary "true" "" .scope.global.trial }}{{ end -}}
{{- end -}}

{{/* Name of a part's objects: {scope, part}. */}}
{{- define "isd.name" -}}
{{- (get .scope.root.Values .part | default dict).fullnameOverride | default (printf "%s-%s" .scope.root.Release.Name .part) -}}
{{- end -}}

{{/*
Public points: name -> host, service, port, namespace; passthrough where TLS ends in the component. A point whose host is empty
is not there: the user interface then leads to Deck and the gate below its own host.
*/}}
{{- define "isd.points" -}}
{{- $own := .root.Release.Namespace -}}
{{- $spinnaker := include "common.spinnakerNamespace" . -}}
{{- $rows := dict
      "ui" (dict "service" (include "isd.name" (dict "scope" . "part" "oes-ui")) "port" 8080 "namespace" $own "on" true)
      "oesGate" (dict "service" (include "isd.name" (dict "scope" . "part" "oes-gate")) "port" 8084 "namespace" $own "on" true)
      "deck" (dict "service" "spin-deck" "port" 9000 "namespace" $spinnaker "on" true)
      "gate" (dict "service" "spin-gate" "port" 8084 "namespace" $spinnaker "on" (not .global.commonGate))
      "controller" (dict "service" (printf "%s-agent" (include "isd.name" (dict "scope" . "part" "controller"))) "port" (include "isd.agentPort" . | int) "namespace" $own "on" .global.controller.enabled "passthrough" true) -}}
{{- range $name, $row := $rows }}
{{- $host := get $.global.hosts $name }}
{{- if and $row.on $host }}
{{ $name }}: {{ merge (dict "host" $host "name" (kebabcase $name)) (omit $row "on") | toJson }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "isd.agentPort" -}}
{{- ((.root.Values.controller.agent | default dict).service | default dict).port | default 9001 -}}
{{- end -}}

{{/* Secret with the certificate of a point: {scope, point}; empty where none is named. */}}
{{- define "isd.tlsSecret" -}}
{{- with .scope.values.exposure.tls -}}
{{- if .secretName }}{{ .secretName }}{{ else if .issuer }}{{ printf "%s-%s-tls" $.scope.root.Release.Name $.point.name }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* Combinations that cannot work, in words. */}}
{{- define "isd.refusals" -}}
{{- $hosts := .global.hosts -}}
{{- $exposure := .values.exposure -}}
{{- if and (ne $exposure.kind "none") (not $hosts.ui) -}}
{{- fail "global.hosts.ui: empty. Give the public name of the user interface, or set exposure.kind to none." -}}
{{- end -}}
{{- if and .global.commonGate $hosts.gate -}}
{{- fail "global.hosts.gate: given, and global.commonGate is on, so Spinnaker's own Gate has no host. Leave it empty, or turn commonGate off." -}}
{{- end -}}
{{- if and (not .global.commonGate) (not $hosts.gate) (ne $exposure.kind "none") -}}
{{- fail "global.hosts.gate: empty, and global.commonGate is off, so Deck would find no gate. Give the public name of Spinnaker's Gate, or turn commonGate on." -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $name, $host := $hosts -}}
{{- if and $host (hasKey $seen $host) -}}
{{- fail (printf "global.hosts.%s: %s is the host of %s too. Give each its own name, or leave this one empty." $name $host (get $seen $host)) -}}
{{- end -}}
{{- if $host }}{{- $_ := set $seen $host $name -}}{{- end -}}
{{- end -}}
{{- range $part, $_ := include "common.ports" . | fromYaml -}}
{{- $name := include "isd.name" (dict "scope" $ "part" $part) -}}
{{- if and (get $.root.Values $part | default dict).fullnameOverride (ne $name (include "common.host" (dict "scope" $ "to" $part))) -}}
{{- fail (printf "%s.fullnameOverride: given, and the others still call it %s. Set global.addresses.%s to %s too, or leave it empty." $part (include "common.host" (dict "scope" $ "to" $part)) $part $name) -}}
{{- end -}}
{{- end -}}
{{- include "isd.exposureRefusals" . -}}
{{- include "isd.serverRefusals" . -}}
{{- include "isd.configureRefusals" . -}}
{{- end -}}

{{- define "isd.exposureRefusals" -}}
{{- $exposure := .values.exposure -}}
{{- $agent := (.root.Values.controller.agent | default dict).service | default dict -}}
{{- if and (eq $exposure.kind "ingress") .global.controller.enabled (not $exposure.ingress.passthroughAnnotations) (ne (default "ClusterIP" $agent.type) "LoadBalancer") -}}
{{- fail "exposure.kind: an Ingress ends TLS, and agents must reach the controller by TLS that ends there. Set controller.agent.service.type to LoadBalancer, give exposure.ingress.passthroughAnnotations, or take kind gateway or istio." -}}
{{- end -}}
{{- if and (eq $exposure.kind "gateway") (not $exposure.gateway.create) (not $exposure.gateway.name) -}}
{{- fail "exposure.gateway.name: empty, and create is off. Name the Gateway the routes belong to, or set create." -}}
{{- end -}}
{{- if and (eq $exposure.kind "gateway") $exposure.gateway.create (not $exposure.gateway.className) -}}
{{- fail "exposure.gateway.className: empty, and create is on. Give the class of the Gateway." -}}
{{- end -}}
{{- $makes := or (and (eq $exposure.kind "gateway") $exposure.gateway.create) (and (eq $exposure.kind "istio") (not $exposure.istio.gateway)) -}}
{{- if and $makes .global.tls.enabled (not $exposure.tls.secretName) (not $exposure.tls.issuer) -}}
{{- fail (printf "exposure.tls: kind is %s, https is on, and there is no certificate. Give secretName or issuer, or turn global.tls.enabled off." $exposure.kind) -}}
{{- end -}}
{{- end -}}

{{- define "isd.configureRefusals" -}}
{{- $own := .root.Values.configure -}}
{{- if and $own.enabled $own.accountsRepository -}}
{{- if not .global.saporGate.enabled -}}
{{- fail "configure.accountsRepository: given, and global.saporGate is off, so no Spinnaker is registered it could belong to. Turn global.saporGate.enabled on, or leave it empty." -}}
{{- end -}}
{{- include "common.noPassword" (dict "url" $own.accountsRepository "where" "configure.accountsRepository") -}}
{{- if not (hasPrefix "https://" $own.accountsRepository) -}}
{{- fail (printf "configure.accountsRepository: %s is no https address, and sapor reaches no other. Write https://HOST/ORGANIZATION/REPOSITORY.git." $own.accountsRepository) -}}
{{- end -}}
{{- if and (not $own.gitProvider) (not (regexMatch "github|gitlab|bitbucket" (urlParse $own.accountsRepository).host)) -}}
{{- fail "configure.gitProvider: empty, and the host of accountsRepository does not tell what it is. Give github, gitlab or bitbucket." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "isd.serverRefusals" -}}
{{- $needs := list
      (dict "part" "oes-db" "value" "global.database.host" "given" .global.database.host "credential" "database" "on" (get .root.Values "oes-db").enabled "always" true)
      (dict "part" "oes-redis" "value" "global.redis.host" "given" .global.redis.host "credential" "redis" "on" (get .root.Values "oes-redis").enabled "always" true)
      (dict "part" "rabbitmq" "value" "global.rabbitmq.host" "given" .global.rabbitmq.host "credential" "rabbitmq" "on" (eq "true" (include "isd.has" (dict "scope" . "part" "rabbitmq"))))
      (dict "part" "minio" "value" "global.objectStore.endpoint" "given" .global.objectStore.endpoint "credential" "objectStore" "on" (eq "true" (include "isd.has" (dict "scope" . "part" "minio"))))
      (dict "part" "openldap" "value" "global.ldap.url" "given" .global.ldap.url "credential" "ldap" "on" (eq "true" (include "isd.has" (dict "scope" . "part" "openldap"))) "always" (eq "ldap" (include "common.login" .))) -}}
{{- range $needs -}}
{{- $credential := get $.global.credentials .credential -}}
{{- if and .always (not .on) (not .given) -}}
{{- fail (printf "%s: empty, and the release's own %s is off. Give it, or turn %s.enabled on." .value .part .part) -}}
{{- end -}}
{{- if and .on .given -}}
{{- fail (printf "%s: given, and the release's own %s is on too. Turn %s.enabled off, or leave it empty." .value .part .part) -}}
{{- end -}}
{{- if and .given (not $credential.existingSecret) (not $credential.values) -}}
{{- fail (printf "global.credentials.%s: empty, and %s is given, whose server knows no random password. Give existingSecret or values." .credential .value) -}}
{{- end -}}
{{- end -}}
{{- if and .global.opa.url (eq "true" (include "isd.has" (dict "scope" . "part" "opa"))) -}}
{{- fail "global.opa.url: given, and the release's own opa is on too. Turn opa.enabled off, or leave it empty." -}}
{{- end -}}
{{- end -}}
