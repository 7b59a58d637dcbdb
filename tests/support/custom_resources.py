"""Schemas of the custom resources that the chart makes, for the fields that it uses and no others.

No package index carries these in a form that Python reads. The fields and their types are those of
https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/, https://keda.sh/docs/latest/reference/scaledobject-spec/,
https://prometheus-operator.dev/docs/api-reference/api/ and https://gateway-api.sigs.k8s.io/reference/spec/.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
NUMBER: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
DURATION: Schema = {"type": "string", "pattern": r"^([0-9]+(ms|s|m|h|d|w|y))+$"}
SIZE: Schema = {"type": "string", "pattern": r"^[0-9]+(Mi|Gi|Ti)$"}


def some(schema: Schema) -> Schema:
    """A list of at least one."""
    return {"type": "array", "items": schema, "minItems": 1}


def fields(needed: dict[str, Schema], **others: Schema) -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": {**needed, **others},
        "required": list(needed),
        "additionalProperties": False,
    }


STORAGE = fields({"size": SIZE}, storageClass=TEXT)
SECRET_KEY = fields({"name": TEXT, "key": TEXT})
RESOURCES = fields({}, requests={"type": "object"}, limits={"type": "object"})
CLUSTER = fields(
    {"instances": NUMBER, "storage": STORAGE},
    imageName=TEXT,
    walStorage=STORAGE,
    bootstrap=fields({"initdb": fields({"database": TEXT, "owner": TEXT}, encoding=TEXT, dataChecksums=FLAG)}),
    postgresql=fields(
        {},
        parameters=TEXTS,
        synchronous=fields(
            {"method": {"enum": ["any", "first"]}, "number": NUMBER},
            dataDurability={"enum": ["required", "preferred"]},
        ),
    ),
    resources=RESOURCES,
    backup=fields(
        {},
        retentionPolicy={"type": "string", "pattern": "^[1-9][0-9]*[dwm]$"},
        barmanObjectStore=fields(
            {"destinationPath": TEXT},
            s3Credentials=fields({"accessKeyId": SECRET_KEY, "secretAccessKey": SECRET_KEY}),
            wal=fields({}, compression={"enum": ["bzip2", "gzip", "lz4", "snappy", "xz", "zstd"]}),
        ),
    ),
)
SCHEDULED_BACKUP = fields(
    {"schedule": {"type": "string", "pattern": r"^(\S+ ){5}\S+$"}, "cluster": fields({"name": TEXT})},
    backupOwnerReference={"enum": ["none", "self", "cluster"]},
)
PGBOUNCER = fields({"poolMode": {"enum": ["session", "transaction"]}}, parameters=TEXTS)
POOLER = fields(
    {"cluster": fields({"name": TEXT}), "pgbouncer": PGBOUNCER},
    type={"enum": ["rw", "ro", "r"]},
    instances=NUMBER,
)
QUERY = {**TEXTS, "required": ["serverAddress", "query", "threshold"]}
SCALED_OBJECT = fields(
    {
        "scaleTargetRef": fields({"name": TEXT}, apiVersion=TEXT, kind=TEXT),
        "triggers": some(fields({"type": {"const": "prometheus"}, "metadata": QUERY})),
    },
    minReplicaCount=NUMBER,
    maxReplicaCount=NUMBER,
    pollingInterval=NUMBER,
    cooldownPeriod=NUMBER,
    fallback=fields({"failureThreshold": NUMBER, "replicas": NUMBER}),
    advanced=fields({}, horizontalPodAutoscalerConfig={"type": "object"}),
)
SERVICE_MONITOR = fields(
    {
        "selector": fields({"matchLabels": TEXTS}),
        "endpoints": some(fields({"port": TEXT}, path=TEXT, interval=DURATION, scrapeTimeout=DURATION)),
    }
)
RULE = {
    **fields({"expr": TEXT}, record=TEXT, alert=TEXT, labels=TEXTS, annotations=TEXTS, **{"for": DURATION}),
    "oneOf": [{"required": ["record"]}, {"required": ["alert"]}],
}
PROMETHEUS_RULE = fields({"groups": some(fields({"name": TEXT, "rules": some(RULE)}, interval=DURATION))})
PATH = fields({"path": fields({"type": {"enum": ["Exact", "PathPrefix"]}, "value": TEXT})})
HTTP_ROUTE = fields(
    {
        "parentRefs": some(fields({"name": TEXT}, namespace=TEXT, sectionName=TEXT)),
        "rules": some(
            fields(
                {
                    "matches": some(PATH),
                    "backendRefs": some(fields({"name": TEXT, "port": NUMBER})),
                }
            )
        ),
    },
    hostnames=some(TEXT),
)
SPECS: dict[tuple[str, str], Schema] = {
    ("postgresql.cnpg.io/v1", "Cluster"): CLUSTER,
    ("postgresql.cnpg.io/v1", "ScheduledBackup"): SCHEDULED_BACKUP,
    ("postgresql.cnpg.io/v1", "Pooler"): POOLER,
    ("keda.sh/v1alpha1", "ScaledObject"): SCALED_OBJECT,
    ("monitoring.coreos.com/v1", "ServiceMonitor"): SERVICE_MONITOR,
    ("monitoring.coreos.com/v1", "PrometheusRule"): PROMETHEUS_RULE,
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): HTTP_ROUTE,
}
"""The schema of `spec` by API version and kind."""


def schema_of(version: str, kind: str) -> Schema:
    """The schema of a whole custom resource; KeyError for one that the chart does not make."""
    metadata = fields({"name": TEXT}, labels=TEXTS, annotations=TEXTS)
    return fields({"apiVersion": TEXT, "kind": TEXT, "metadata": metadata, "spec": SPECS[version, kind]})
