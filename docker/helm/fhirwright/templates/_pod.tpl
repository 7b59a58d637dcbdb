{{/* What every pod is held to. */}}
{{- define "fhirwright.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.scheduling.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.scheduling.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.scheduling.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Pods of a part on machines and zones of their own, as far as there are some. Takes a list of the root and the part. */}}
{{- define "fhirwright.spread" -}}
{{- if (index . 0).Values.scheduling.spread }}
topologySpreadConstraints:
  {{- $root := . }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "fhirwright.selector" $root | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* What every container of ours is held to. */}}
{{- define "fhirwright.container" -}}
image: {{ include "fhirwright.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* The database URL: a secret's, or put together from the parts that the operator keeps. Takes a list of the root and
     whether a pooler may stand between; what needs a session of its own then has a second URL around it. */}}
{{- define "fhirwright.database" -}}
{{- $root := index . 0 -}}
{{- $pooled := index . 1 -}}
{{- $external := $root.Values.database.external -}}
{{- if eq $root.Values.database.mode "external" }}
- name: FHIRWRIGHT_DATABASE
  valueFrom:
    secretKeyRef:
      name: {{ $external.existingSecret }}
      key: {{ if and $pooled $external.pooledKey }}{{ $external.pooledKey }}{{ else }}{{ $external.key }}{{ end }}
{{- if and $pooled $external.pooledKey }}
- name: FHIRWRIGHT_DATABASE_DIRECT
  valueFrom:
    secretKeyRef:
      name: {{ $external.existingSecret }}
      key: {{ $external.key }}
{{- end }}
{{- else }}
{{- $cluster := include "fhirwright.cluster" $root }}
{{- range $name, $key := dict "DATABASE_USER" "username" "DATABASE_PASSWORD" "password" }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $cluster }}-app
      key: {{ $key }}
{{- end }}
- name: FHIRWRIGHT_DATABASE
  value: postgresql://$(DATABASE_USER):$(DATABASE_PASSWORD)@{{ $cluster }}-{{ if and $pooled $root.Values.database.operator.pooler.enabled }}pooler{{ else }}rw{{ end }}:5432/fhirwright
{{- if and $pooled $root.Values.database.operator.pooler.enabled }}
- name: FHIRWRIGHT_DATABASE_DIRECT
  value: postgresql://$(DATABASE_USER):$(DATABASE_PASSWORD)@{{ $cluster }}-rw:5432/fhirwright
{{- end }}
{{- end }}
{{- end -}}

{{/* Settings of the server as variables (docs/settings.md). */}}
{{- define "fhirwright.environment" -}}
- name: FHIRWRIGHT_DATA
  value: /data
- name: FHIRWRIGHT_LOG_FORMAT
  value: json
- name: FHIRWRIGHT_SHUTDOWN_SECONDS
  value: {{ .Values.shutdownSeconds | quote }}
{{- with .Values.baseUrl | default (ternary (printf "https://%s/fhir" .Values.ingress.host) "" .Values.ingress.enabled) }}
- name: FHIRWRIGHT_BASE_URL
  value: {{ . }}
{{- end }}
{{- if .Values.encryption.existingSecret }}
- name: FHIRWRIGHT_ENCRYPTION
  value: file
- name: FHIRWRIGHT_ENCRYPTION_KEYS
  value: /keys/{{ .Values.encryption.key }}
{{- end }}
{{- if .Values.audit.persistence.enabled }}
- name: FHIRWRIGHT_AUDIT_DIRECTORY
  value: /audit
{{- end }}
{{- with .Values.audit.checkpointUrl }}
- name: FHIRWRIGHT_AUDIT_CHECKPOINT_URL
  value: {{ . }}
{{- end }}
{{- if .Values.telemetry.signals }}
- name: FHIRWRIGHT_TELEMETRY
  value: {{ toJson .Values.telemetry.signals | quote }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .Values.telemetry.endpoint }}
{{- with .Values.telemetry.headersSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: headers
{{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "fhirwright.mounts" -}}
- name: data
  mountPath: /data
- name: temporary
  mountPath: /tmp
{{- if .Values.encryption.existingSecret }}
- name: keys
  mountPath: /keys
  readOnly: true
{{- end }}
{{- if .Values.audit.persistence.enabled }}
- name: audit
  mountPath: /audit
{{- end }}
{{- end -}}

{{/* Takes a list of the root and the size of /data. */}}
{{- define "fhirwright.volumes" -}}
{{- $root := index . 0 -}}
- name: data
  emptyDir:
    sizeLimit: {{ index . 1 }}
- name: temporary
  emptyDir:
    sizeLimit: {{ $root.Values.temporarySize }}
{{- with $root.Values.encryption.existingSecret }}
- name: keys
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- if $root.Values.audit.persistence.enabled }}
- name: audit
  persistentVolumeClaim:
    claimName: {{ $root.Values.audit.persistence.existingClaim | default (printf "%s-audit" (include "fhirwright.name" $root)) }}
{{- end }}
{{- end -}}
