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
