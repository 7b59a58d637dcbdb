"""Every span and attribute there is: what is not named here is not told (https://opentelemetry.io/docs/specs/semconv/).

Values are numbers or short words of a closed alphabet, so that an identifier has no place to stand in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SPANS: Mapping[str, Mapping[str, str]] = {
    "http.request": {
        "http.request.method": "the method, `other` for an unknown one",
        "http.route": "the template of the route, never the path",
        "http.response.status_code": "the status; 0 where the client left before there was one",
        "fhir.type": "the type of resource that was addressed",
    },
    "store.read": {
        "db.system.name": "`sqlite` or `postgresql`",
        "db.operation.name": "the kind of statement",
        "db.collection.name": "the first table it names",
    },
    "store.transaction": {
        "db.system.name": "`sqlite` or `postgresql`",
        "db.operation.batch.size": "operations that shared the commit",
        "fhirwright.statements": "kind and table of each statement, once",
    },
    "document": {
        "fhirwright.outcome": "`completed`, `failed` or `cancelled`",
        "fhirwright.attempt": "which run of this version it was",
    },
    "job": {"fhirwright.job": "the kind of job: `answer_later`, `import`, `export`, `claim_bulk` …"},
    "queue.wait": {},
    "stage": {"fhirwright.stage": "`pages`, `codes` or `emitted`", "fhirwright.resources": "how many were stored"},
    "child": {"fhirwright.stage": "what the child process was asked for"},
    "child.part": {
        "fhirwright.stage": "`pages`, `findings`, `codes` or `claim`: the draft of the Claim",
        "fhirwright.cpu_seconds": "processor time of the child process in it",
    },
    "model.call": {
        "gen_ai.request.model": "the model, as the settings name it",
        "gen_ai.usage.input_tokens": "tokens of the question, as the endpoint counted",
        "gen_ai.usage.output_tokens": "tokens of the answer",
        "fhirwright.outcome": "`answered`, or why there is no answer",
    },
    "subscription.send": {
        "http.request.method": "the method",
        "http.response.status_code": "the status of the endpoint; absent where it did not answer",
    },
}
"""By name of the span its attributes, and what each says."""

_WORD = re.compile(r"[A-Za-z0-9_$.:{}/ -]{0,120}")
_MOST = 50


def told(name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Those attributes that a span of this name has, as they may be told; what is of another shape becomes `other`."""
    known = SPANS[name]
    return {key: _shown(value) for key, value in attributes.items() if key in known and value is not None}


def _shown(value: Any) -> Any:
    if isinstance(value, int | float):
        return value
    if isinstance(value, tuple | list):
        return [_shown(one) for one in value[:_MOST]]
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "other"


def page() -> str:
    """The table of docs/observability.md."""
    lines = ["| span | attribute | what it says |", "|---|---|---|"]
    for name, attributes in SPANS.items():
        rows = attributes or {"": "only how long it took"}
        lines += [f"| `{name}` | {f'`{key}`' if key else ''} | {text} |" for key, text in rows.items()]
    return "\n".join(lines)
