{{- define "fhirwright.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "fhirwright.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* What selects pods: of the release, of one part of it. Takes a list of the root and the part. */}}
{{- define "fhirwright.selector" -}}
app.kubernetes.io/name: fhirwright
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "fhirwright.labels" -}}
{{ include "fhirwright.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end -}}

{{/* The name of the PostgreSQL that the operator keeps. */}}
{{- define "fhirwright.cluster" -}}
{{ include "fhirwright.name" . }}-postgres
{{- end -}}

{{/* Seconds from SIGTERM to SIGKILL: the drain, what the server gives its requests, and some for leaving. */}}
{{- define "fhirwright.grace" -}}
{{- add .Values.api.drainSeconds .Values.shutdownSeconds 15 -}}
{{- end -}}

{{/* The configuration of the chart's own PgBouncer (https://www.pgbouncer.org/config.html). Every database of the server
     is passed on, since tenants have their own. Nothing is logged of single connections, which workers make often. */}}
{{- define "fhirwright.pgbouncer" -}}
{{- $external := .Values.database.external -}}
{{- $pooler := $external.pooler -}}
[databases]
* = host={{ $pooler.host }} port={{ $external.port }}

[pgbouncer]
listen_addr = *
listen_port = 6432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = /users/{{ $pooler.usersKey }}
pool_mode = transaction
default_pool_size = {{ $pooler.poolSize }}
max_client_conn = {{ $pooler.clients }}
server_tls_sslmode = {{ if $pooler.caSecret }}verify-full{{ else }}require{{ end }}
{{- if $pooler.caSecret }}
server_tls_ca_file = /authority/ca.crt
{{- end }}
{{- if $pooler.tlsSecret }}
client_tls_sslmode = require
client_tls_cert_file = /certificate/tls.crt
client_tls_key_file = /certificate/tls.key
{{- end }}
log_connections = 0
log_disconnections = 0
tcp_keepidle = 30
tcp_keepintvl = 10
tcp_keepcnt = 3
{{- end -}}
