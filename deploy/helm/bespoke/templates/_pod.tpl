{{- define "bespoke.labels" -}}
app.kubernetes.io/name: bespoke
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "bespoke.environment" -}}
envFrom:
  - configMapRef: { name: {{ .Release.Name }}-settings }
  - secretRef: { name: {{ .Values.existingSecret }} }
{{- end }}

{{- define "bespoke.image" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
{{- end }}

{{- define "bespoke.security" -}}
securityContext: { runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001 }
{{- end }}
