{{/*
Values with a former name: chart, then dotted path, then what to use. The schemas accept these keys, so that this message is shown;
scripts/chart_readme.py reads the table.
*/}}
{{- define "common.renamedTable" -}}
"*":
  disruptionBudget: podDisruptionBudget
accounts:
  image: global.halgit, the image of halgit
halyard:
  apply: halyard.sync
  check: halyard.sync
  source.dialect: global.spinnaker.dialect
isd:
  bootstrap.runOnUpgrade: nothing; the job runs at every upgrade and creates only what is missing
  configure.runOnUpgrade: nothing; the job runs again when its arguments change
minio:
  storage: persistence.size
oes-db:
  storage: persistence.size
oes-redis:
  storage: persistence.size
global:
  credentials.ldapConfig: nothing; OpenLDAP's configuration has no login
  networkPolicy.apiServerCidrs: global.networkPolicy.apiServer.cidrs
{{- end -}}

{{- define "common.renamedValues" -}}
{{- $table := include "common.renamedTable" . | fromYaml -}}
{{- $own := .own | default .root.Values -}}
{{- range $place, $values := dict "*" $own (.root.Chart.Name) .root.Values "global" .global -}}
{{- range $path, $new := get $table $place | default dict -}}
{{- $found := true -}}
{{- $at := $values -}}
{{- range $key := splitList "." $path -}}
{{- if and $found (kindIs "map" $at) (hasKey $at $key) -}}{{- $at = get $at $key -}}{{- else -}}{{- $found = false -}}{{- end -}}
{{- end -}}
{{- if $found -}}
{{- $prefix := ternary "" (printf "%s." (ternary $.name $place (eq $place "*"))) (eq $place "isd") -}}
{{- $next := ternary (trimPrefix "nothing; " $new | printf "Remove it: %s") (printf "Use %s" $new) (hasPrefix "nothing; " $new) -}}
{{- fail (printf "%s%s: this value was renamed or removed. %s." $prefix $path $next) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
