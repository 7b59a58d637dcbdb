"""How `$figures` is asked for over HTTP: JSON, XML and CSV, and what other routes make of that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from server.app import create_app
from server.settings import Settings


@pytest.fixture
async def client(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an open server."""
    (tmp_path / "db").write_bytes(sqlite_template.read_bytes())
    app = create_app(Settings(database=f"sqlite:///{tmp_path / 'db'}", data=tmp_path, open=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/fhir/") as made:
        yield made
    app.state.fhir.store.close()


async def test_a_table_is_asked_for_by_format_or_accept(client: httpx.AsyncClient) -> None:
    """Both give CSV as a file with a name; `_format` wins over Accept; XML is FHIR's."""
    for query, accept in (("&_format=text/csv", "*/*"), ("", "text/csv")):
        answer = await client.get(f"$figures?of=claims{query}", headers={"accept": accept})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.text.startswith("figure,labels,value,unit,rows,since,until\r\n")
        assert answer.headers["content-disposition"].endswith('.csv"')
    plain = await client.get("$figures?of=claims&_format=json", headers={"accept": "text/csv"})
    assert plain.json()["resourceType"] == "Parameters"
    assert "<Parameters" in (await client.get("$figures?of=claims&_format=xml")).text


async def test_no_other_route_gives_a_table(client: httpx.AsyncClient) -> None:
    """Elsewhere CSV is 406, in a form of a search too; an error of `$figures` is an OperationOutcome."""
    for path in ("Patient?_format=text/csv", "metadata?_format=text/csv", "$figures?of=claims&_format=text/plain"):
        assert (await client.get(path)).status_code == 406, path
    searched = await client.post("Patient/_search", data={"_format": "text/csv"})
    assert searched.status_code == 406
    wrong = await client.get("$figures?of=nothing&_format=text/csv")
    assert wrong.status_code == 400 and wrong.json()["resourceType"] == "OperationOutcome"


async def test_metrics_and_figures_tell_the_same(client: httpx.AsyncClient) -> None:
    """A number of the last day at /metrics is the one that `$figures` gives."""
    task = {
        "resourceType": "Task", "status": "requested", "intent": "order",
        "code": {"coding": [{"system": "https://fhirwright.dev/fhir/CodeSystem/task-code", "code": "code-document"}]},
    }  # fmt: skip
    assert (await client.post("Task", json=task)).status_code == 201
    found = (await client.get("$figures?of=operations")).json()["parameter"]
    [queue] = [one["part"] for one in found if one["name"] == "figure" and one["part"][0]["valueCode"] == "queue"]
    metrics = (await client.get("http://test/metrics")).text
    assert queue[1]["valueDecimal"] == 1 and "\nfhirwright_queue 1.0\n" in metrics
