"""How many SQL statements a Bundle costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir

MOST = 25
"""For 100 entries, with BEGIN and COMMIT."""


class _Counted:
    """A connection or cursor whose statements are counted. A statement that SQLite prepares once counts once, as it
    costs less to run it for each row than to build one with the values of all rows."""

    def __init__(self, inner: Any, said: list[str]) -> None:
        self._inner = inner
        self._said = said

    def execute(self, sql: str, *args: Any, **options: Any) -> Any:
        self._said.append(sql)
        return self._inner.execute(sql, *args, **options)

    def executemany(self, sql: str, rows: Any) -> Any:
        rows = list(rows)
        self._said.extend([sql] * (1 if self._inner.__class__.__module__ == "sqlite3" else len(rows)))
        return self._inner.executemany(sql, rows)

    def copy(self, sql: str) -> Any:
        self._said.append(sql)
        return self._inner.copy(sql)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
def said(fhir: Fhir) -> list[str]:
    """The statements of the writer."""
    statements: list[str] = []
    _, driver = fhir.store.writer._connect()
    inner = "_raw" if fhir.store.dialect == "sqlite" else "_cursor"
    setattr(driver, inner, _Counted(getattr(driver, inner), statements))
    return statements


def _bundle(method: str, value: float) -> bytes:
    patient = "urn:uuid:00000000-0000-4000-8000-000000000000" if method == "POST" else "Patient/p"
    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "p", "gender": "male", "name": [{"family": f"F{value}", "given": ["G"]}]}
    ]
    resources.extend(
        {
            "resourceType": "Observation",
            "id": f"o{n}",
            "status": "final",
            "identifier": [{"system": "urn:obs", "value": str(n)}],
            "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">pressure</div>'},
            "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
            "subject": {"reference": patient},
            "effectiveDateTime": f"2026-01-{n % 28 + 1:02d}",
            "valueQuantity": {"value": value + n, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
            "note": [{"text": "seated"}],
        }
        for n in range(99)
    )
    entries = [
        {
            "fullUrl": f"urn:uuid:00000000-0000-4000-8000-{n:012d}",
            "resource": resource,
            "request": {"method": method, "url": resource["resourceType"] + f"/{resource['id']}" * (method == "PUT")},
        }
        for n, resource in enumerate(resources)
    ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def test_a_bundle_is_a_few_statements(fhir: Fhir, said: list[str]) -> None:
    """100 entries are created, put in place for the first time, or updated, in at most 25 statements."""
    for method, value in (("POST", 1), ("PUT", 2), ("PUT", 3)):
        said.clear()
        answer = json.loads(fhir.handle_sync(Request(caller=ANYBODY, method="POST", body=_bundle(method, value))).body)
        assert len(answer["entry"]) == 100
        assert 2 < len(said) + 2 <= MOST, said
