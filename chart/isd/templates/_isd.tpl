{{/* Components of the umbrella, its public addresses, and values that cannot work together. */}}

{{/* "true" where a component is installed: {scope, part}. Those that trials install follow global.trial without a value of their own. */}}
{{- define "isd.has" -}}
{{- $own := get .scope.root.Values .part | default dict -}}
{{- $switch := dict "halyard" .scope.global.spinnaker.install "controller" .scope.global.controller.enabled "sapor-gate" .scope.global.saporGate.enabled -}}
{{- if hasKey $switch .part }}{{ ternary "true" "" (get $switch .part) }}
{{- else if hasKey $own "enabled" }}{{ ternary "true" "" $own.enabled }}{{ else }}{{ ternary "true" "" .scope.global.trial }}{{ end -}}
{{- end -}}

{{/* Name of a part's objects: {scope, part}. */}}
{{- define "isd.name" -}}
{{- (get .scope.root.Values .part | default dict).fullnameOverride | default (printf "%s-%s" .scope.root.Release.Name .part) -}}
{{- end -}}

{{/*
Public addresses: name -> host, service, port, namespace; passthrough where TLS ends in the component. Without a host there is no
address: the user interface then serves Deck and the gate below its own host.
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

{{/* Secret with the certificate of a public address: {scope, point}; empty where none is named. */}}
{{- define "isd.tlsSecret" -}}
{{- with .scope.values.exposure.tls -}}
{{- if .secretName }}{{ .secretName }}{{ else if .issuer }}{{ printf "%s-%s-tls" $.scope.root.Release.Name $.point.name }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* Fail for values that cannot work together. */}}
{{- define "isd.refusals" -}}
{{- $hosts := .global.hosts -}}
{{- $exposure := .values.exposure -}}
{{- if and (ne $exposure.kind "none") (not $hosts.ui) -}}
{{- fail "global.hosts.ui: required. Set the public name of the user interface, or set exposure.kind to none." -}}
{{- end -}}
{{- if and .global.commonGate $hosts.gate -}}
{{- fail "global.hosts.gate: not used with global.commonGate. Remove it, or set commonGate to false." -}}
{{- end -}}
{{- if and (not .global.commonGate) (not $hosts.gate) (ne $exposure.kind "none") -}}
{{- fail "global.hosts.gate: required without global.commonGate, because Deck calls it. Set the public name of Spinnaker's Gate, or set commonGate to true." -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $name, $host := $hosts -}}
{{- if and $host (hasKey $seen $host) -}}
{{- fail (printf "global.hosts.%s: %s is also the host of %s. Set another name, or remove this one." $name $host (get $seen $host)) -}}
{{- end -}}
{{- if $host }}{{- $_ := set $seen $host $name -}}{{- end -}}
{{- end -}}
{{- range $part, $_ := include "common.ports" . | fromYaml -}}
{{- $name := include "isd.name" (dict "scope" $ "part" $part) -}}
{{- if and (get $.root.Values $part | default dict).fullnameOverride (ne $name (include "common.host" (dict "scope" $ "to" $part))) -}}
{{- fail (printf "%s.fullnameOverride: the other components still call it %s. Set global.addresses.%s to %s, or remove it." $part (include "common.host" (dict "scope" $ "to" $part)) $part $name) -}}
{{- end -}}
{{- end -}}
{{- include "isd.exposureRefusals" . -}}
{{- include "isd.serverRefusals" . -}}
{{- include "isd.configureRefusals" . -}}
{{- include "isd.dialectRefusals" . -}}
{{- end -}}

{{/*
A repository of the opsmx dialect addresses ISD's services by short names and holds their passwords as text: random ones would not
match. With generate: true the operator says that it refers to the generated Secrets instead.
*/}}
{{- define "isd.dialectRefusals" -}}
{{- if and .global.spinnaker.install (eq .global.spinnaker.dialect "opsmx") -}}
{{- if ne (include "common.spinnakerNamespace" .) .root.Release.Namespace -}}
{{- fail "global.spinnaker.namespace: with dialect opsmx Spinnaker runs in the release's namespace, because its configuration calls ISD's services by short names. Remove it, or set global.spinnaker.dialect to halgit." -}}
{{- end -}}
{{- range $part, $credential := dict "oes-redis" "redis" "rabbitmq" "rabbitmq" "minio" "objectStore" "openldap" "ldap" -}}
{{- $set := get $.global.credentials $credential -}}
{{- if and (eq "true" (include "isd.has" (dict "scope" $ "part" $part))) (not (or $set.existingSecret $set.values $set.generate)) -}}
{{- fail (printf "global.credentials.%s: required with dialect opsmx, whose configuration contains the password of %s. Set existingSecret or values to that password, or set generate to true where the configuration refers to the Secret %s." $credential $part (include "common.credentialSecret" (dict "scope" $ "credential" $credential))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "isd.exposureRefusals" -}}
{{- $exposure := .values.exposure -}}
{{- $agent := (.root.Values.controller.agent | default dict).service | default dict -}}
{{- if and (eq $exposure.kind "ingress") .global.controller.enabled (not $exposure.ingress.passthroughAnnotations) (ne (default "ClusterIP" $agent.type) "LoadBalancer") -}}
{{- fail "exposure.kind: an Ingress ends TLS, but agents need TLS that ends in the controller. Set controller.agent.service.type to LoadBalancer, set exposure.ingress.passthroughAnnotations, or set kind to gateway or istio." -}}
{{- end -}}
{{- if and (eq $exposure.kind "gateway") (not $exposure.gateway.create) (not $exposure.gateway.name) -}}
{{- fail "exposure.gateway.name: required without create. Set the name of the Gateway, or set create to true." -}}
{{- end -}}
{{- if and (eq $exposure.kind "gateway") $exposure.gateway.create (not $exposure.gateway.className) -}}
{{- fail "exposure.gateway.className: required with create. Set the class of the Gateway." -}}
{{- end -}}
{{- if and .global.controller.enabled (has $exposure.kind (list "ingress" "gateway" "istio")) -}}
{{- $advertised := (.root.Values.controller.agent | default dict).advertisePort | default (include "isd.agentPort" .) | int -}}
{{- $port := get (dict "gateway" $exposure.gateway.passthroughPort "istio" $exposure.istio.passthroughPort "ingress" (ternary 443 (include "isd.agentPort" . | int) (gt (len $exposure.ingress.passthroughAnnotations) 0))) $exposure.kind | int -}}
{{- if ne $advertised $port -}}
{{- fail (printf "controller.agent.advertisePort: agents would connect to port %d, and %s exposes port %d. Set it to %d." $advertised $exposure.kind $port $port) -}}
{{- end -}}
{{- end -}}
{{- $makes := or (and (eq $exposure.kind "gateway") $exposure.gateway.create) (and (eq $exposure.kind "istio") (not $exposure.istio.gateway)) -}}
{{- if and $makes .global.tls.enabled (not $exposure.tls.secretName) (not $exposure.tls.issuer) -}}
{{- fail (printf "exposure.tls: kind %s with https requires a certificate. Set secretName or issuer, or set global.tls.enabled to false." $exposure.kind) -}}
{{- end -}}
{{- end -}}

{{- define "isd.configureRefusals" -}}
{{- $own := .root.Values.configure -}}
{{- if and $own.enabled $own.accountsRepository -}}
{{- if not .global.saporGate.enabled -}}
{{- fail "configure.accountsRepository: requires global.saporGate.enabled, which registers the Spinnaker that it belongs to. Set that to true, or remove this value." -}}
{{- end -}}
{{- include "common.noPassword" (dict "url" $own.accountsRepository "where" "configure.accountsRepository") -}}
{{- if not (hasPrefix "https://" $own.accountsRepository) -}}
{{- fail (printf "configure.accountsRepository: %s is not an https address, the only kind that sapor supports. Write https://HOST/ORGANIZATION/REPOSITORY.git." $own.accountsRepository) -}}
{{- end -}}
{{- if and (not $own.gitProvider) (not (regexMatch "github|gitlab|bitbucket" (urlParse $own.accountsRepository).host)) -}}
{{- fail "configure.gitProvider: required, because the host of accountsRepository does not show the provider. Set github, gitlab or bitbucket." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "isd.serverRefusals" -}}
{{- $needs := list
      (dict "part" "oes-db" "value" "global.database.host" "address" .global.database.host "credential" "database" "on" (get .root.Values "oes-db").enabled "always" true)
      (dict "part" "oes-redis" "value" "global.redis.host" "address" .global.redis.host "credential" "redis" "on" (get .root.Values "oes-redis").enabled "always" true)
      (dict "part" "rabbitmq" "value" "global.rabbitmq.host" "address" .global.rabbitmq.host "credential" "rabbitmq" "on" (eq "true" (include "isd.has" (dict "scope" . "part" "rabbitmq"))))
      (dict "part" "minio" "value" "global.objectStore.endpoint" "address" .global.objectStore.endpoint "credential" "objectStore" "on" (eq "true" (include "isd.has" (dict "scope" . "part" "minio"))))
      (dict "part" "openldap" "value" "global.ldap.url" "address" .global.ldap.url "credential" "ldap" "on" (eq "true" (include "isd.has" (dict "scope" . "part" "openldap"))) "always" (eq "ldap" (include "common.login" .))) -}}
{{- range $needs -}}
{{- $credential := get $.global.credentials .credential -}}
{{- if and .always (not .on) (not .address) -}}
{{- fail (printf "%s: required without the release's own %s. Set it, or set %s.enabled to true." .value .part .part) -}}
{{- end -}}
{{- if and .on .address -}}
{{- fail (printf "%s: set although the release's own %s is enabled. Set %s.enabled to false, or remove this value." .value .part .part) -}}
{{- end -}}
{{- if and .address (not $credential.existingSecret) (not $credential.values) -}}
{{- fail (printf "global.credentials.%s: required with %s, because an external server does not know a generated password. Set existingSecret or values." .credential .value) -}}
{{- end -}}
{{- end -}}
{{- if and .global.opa.url (eq "true" (include "isd.has" (dict "scope" . "part" "opa"))) -}}
{{- fail "global.opa.url: set although the release's own opa is enabled. Set opa.enabled to false, or remove this value." -}}
{{- end -}}
{{- end -}}
