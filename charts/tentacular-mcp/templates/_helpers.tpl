{{/*
One control plane a cluster: its names are fixed, because enclaves, policies and other charts refer to them.
*/}}
{{- define "tentacular-mcp.name" -}}tentacular-mcp{{- end -}}
{{- define "tentacular-mcp.enclaveRole" -}}tentacular-enclave{{- end -}}
{{- define "tentacular-mcp.enclaveBinding" -}}tentacular-control-plane{{- end -}}
{{- define "tentacular-mcp.tentacleAccount" -}}tentacle{{- end -}}

{{/* What enclaves pin, as the renderer has it. */}}
{{- define "tentacular-mcp.podSecurityVersion" -}}{{ .Values.renderer.podSecurityVersion | default "v1.30" }}{{- end -}}

{{- define "tentacular-mcp.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tentacular-mcp.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tentacular-mcp.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: tentacular
{{- end -}}

{{- define "tentacular-mcp.labels" -}}
{{ include "tentacular-mcp.selectorLabels" . }}
{{ include "tentacular-mcp.commonLabels" . }}
{{- end -}}

{{- define "tentacular-mcp.serverImage" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "tentacular-mcp.authSecret" -}}
{{ .Values.auth.existingSecret | default "tentacular-mcp-auth" }}
{{- end -}}

{{/* User name of the server's ServiceAccount, as the API server writes it. */}}
{{- define "tentacular-mcp.username" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "tentacular-mcp.name" . }}
{{- end -}}

{{/*
The static token: given, or the live one, or a new one. `helm template` and Argo CD see no live Secret and would make a
new token at each rendering, which shuts every client out; so without a cluster to look into, one has to be named.
*/}}
{{- define "tentacular-mcp.token" -}}
{{- $token := .Values.auth.token -}}
{{- $alias := .Values.auth.bearerToken -}}
{{- if and $token $alias (ne $token $alias) -}}
{{- fail "auth.token and auth.bearerToken are both set and differ; give one of them" -}}
{{- end -}}
{{- if or $token $alias -}}
{{- $token | default $alias -}}
{{- else if lookup "v1" "Namespace" "" "kube-system" -}}
{{- $live := lookup "v1" "Secret" .Release.Namespace "tentacular-mcp-auth" -}}
{{- if and $live (index ($live.data | default dict) "token") -}}
{{- index $live.data "token" | b64dec -}}
{{- else -}}
{{- randAlphaNum 64 -}}
{{- end -}}
{{- else -}}
{{- fail "no cluster to look the token up in (helm template, Argo CD, --dry-run=client): set auth.existingSecret to a Secret with the key token, or auth.token; a token generated here would change with each rendering" -}}
{{- end -}}
{{- end -}}

{{/*
Environment of OIDC: from values, or from a Secret whose keys are issuer, clientId, audience, jwksURL. The server checks
what the Secret holds; what can be seen to be wrong here stops the rendering.
*/}}
{{- define "tentacular-mcp.oidcEnvironment" -}}
{{- $oidc := .Values.exoskeletonAuth -}}
{{- $inline := dict "ISSUER" $oidc.issuer "CLIENT_ID" $oidc.clientId "AUDIENCE" $oidc.audience "JWKS_URL" $oidc.jwksURL -}}
{{- $keys := dict "ISSUER" "issuer" "CLIENT_ID" "clientId" "AUDIENCE" "audience" "JWKS_URL" "jwksURL" -}}
{{- range $variable, $value := $inline -}}
{{- if $oidc.existingSecret }}
{{- if $value -}}
{{- fail (printf "exoskeletonAuth.existingSecret and exoskeletonAuth.%s are both set; give one of them" (index $keys $variable)) -}}
{{- end }}
- name: TENTACULAR_OIDC_{{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $oidc.existingSecret }}
      key: {{ index $keys $variable }}
      {{- if ne $variable "ISSUER" }}
      optional: true
      {{- end }}
{{- else if $value }}
- name: TENTACULAR_OIDC_{{ $variable }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if not (or $oidc.existingSecret $oidc.issuer) -}}
{{- fail "exoskeletonAuth.enabled needs exoskeletonAuth.issuer, as it stands in tokens, or exoskeletonAuth.existingSecret with the key issuer" -}}
{{- end }}
{{- if not (or $oidc.existingSecret $oidc.audience .Values.externalURL) -}}
{{- fail "exoskeletonAuth.enabled needs externalURL, whose /mcp tokens are then meant for, or exoskeletonAuth.audience" -}}
{{- end }}
{{- if $oidc.caBundle }}
- name: TENTACULAR_OIDC_CA_FILE
  value: /etc/tentacular/oidc/ca.crt
{{- end }}
{{- with $oidc.allowedClients }}
- name: TENTACULAR_OIDC_ALLOWED_CLIENTS
  value: {{ join "," . | quote }}
{{- end }}
{{- $scopes := list -}}
{{- range $tool, $wanted := $oidc.toolScopes -}}
{{- $scopes = append $scopes (printf "%s=%s" $tool (join " " $wanted)) -}}
{{- end }}
{{- with $scopes }}
- name: TENTACULAR_OIDC_TOOL_SCOPES
  value: {{ join "," . | quote }}
{{- end }}
{{- end -}}

{{/* RendererOptions as JSON. */}}
{{- define "tentacular-mcp.rendererOptions" -}}
{{- $engine := printf "%s:%s" .Values.engineImage.repository (.Values.engineImage.tag | default .Chart.AppVersion) -}}
{{- $given := dict -}}
{{- range $key, $value := .Values.renderer -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $given $key $value -}}{{- end -}}
{{- end -}}
{{- $_ := set $given "engineImage" (.Values.renderer.engineImage | default $engine) -}}
{{- $controlPlane := dict
  "namespace" .Release.Namespace
  "serviceAccount" (include "tentacular-mcp.name" .)
  "podLabels" (dict "app.kubernetes.io/name" (include "tentacular-mcp.name" .))
  "enclaveClusterRole" (include "tentacular-mcp.enclaveRole" .) -}}
{{- $_ := set $given "controlPlane" $controlPlane -}}
{{- if not $given.apiServerCidrs -}}
{{- $_ := set $given "apiServerCidrs" (include "tentacular-mcp.apiServerCidrs" . | fromJsonArray) -}}
{{- end -}}
{{- mustToPrettyJson $given -}}
{{- end -}}

{{/* Where the API server is, as the cluster itself says: the Service's addresses, and those behind it. Empty offline. */}}
{{- define "tentacular-mcp.apiServerCidrs" -}}
{{- $addresses := list -}}
{{- $service := lookup "v1" "Service" "default" "kubernetes" -}}
{{- if $service -}}{{- $addresses = $service.spec.clusterIPs -}}{{- end -}}
{{- $slice := lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "kubernetes" -}}
{{- if $slice -}}
{{- range $slice.endpoints -}}{{- $addresses = concat $addresses .addresses -}}{{- end -}}
{{- end -}}
{{- $cidrs := list -}}
{{- range $addresses -}}
{{- $cidrs = append $cidrs (printf "%s/%s" . (contains ":" . | ternary "128" "32")) -}}
{{- end -}}
{{- mustToJson ($cidrs | uniq) -}}
{{- end -}}

{{/* What Pod Security `restricted` asks of a pod, and of a container. */}}
{{- define "tentacular-mcp.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65534
runAsGroup: 65534
fsGroup: 65534
seccompProfile:
  type: RuntimeDefault
{{- end -}}
{{- define "tentacular-mcp.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
