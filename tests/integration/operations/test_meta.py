"""`$meta-add` and `$meta-delete`: what changes and what does not (https://hl7.org/fhir/R4/resource-operation-meta-add.html)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError

Operate = Callable[..., Any]
Call = Callable[..., Any]
RED = {"system": "urn:t", "code": "red"}
BLUE = {"system": "urn:t", "code": "blue", "display": "Blue"}


def _meta(**labels: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": labels}]}


def test_labels_come_and_go_and_the_rest_stays(call: Call, operate: Operate) -> None:
    """Adding twice adds once; the display does not matter when taking away; decimals keep their digits."""
    body = (
        b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":72.50}}'
    )
    call("PUT", "Observation/o", body)
    operate("POST", "Observation/o/$meta-add", _meta(tag=[RED, BLUE], profile=["http://x.org/p"]))
    operate("POST", "Observation/o/$meta-add", _meta(tag=[RED]))
    stored = call("GET", "Observation/o")
    assert json.loads(stored.body)["meta"]["tag"] == [RED, BLUE] and b"72.50" in stored.body
    assert stored.etag == 'W/"2"'
    told = operate(
        "POST", "Observation/o/$meta-delete", _meta(tag=[{"system": "urn:t", "code": "blue"}], security=[RED])
    )
    meta = told["parameter"][0]["valueMeta"]
    assert meta["tag"] == [RED] and meta["profile"] == ["http://x.org/p"] and "security" not in meta


def test_what_is_no_meta_is_refused(call: Call, operate: Operate) -> None:
    """No meta, a meta that is not built as R4 says, a resource that is not there."""
    call("PUT", "Patient/p", {"resourceType": "Patient", "id": "p"})
    for url, body in (
        ("Patient/p/$meta-add", {"resourceType": "Parameters"}),
        ("Patient/p/$meta-add", _meta(tag="x")),
        ("Patient/p/$meta-add", _meta(tag=[{"nothing": "x"}])),
        ("Patient/none/$meta-add", _meta(tag=[RED])),
    ):
        with pytest.raises(FhirError):
            operate("POST", url, body)
