"""Pages of a document over HTTP: media types, what a browser keeps, errors, one audit event for each page."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from server.audit.chain import events_of
from server.audit.event import decode
from tests.support.clock import eventually


def document() -> dict[str, object]:
    """A DocumentReference with one white page."""
    Image.new("L", (850, 1100), 255).save(page := io.BytesIO(), "PNG")
    attachment = {"contentType": "image/png", "data": base64.b64encode(page.getvalue()).decode()}
    content = [{"attachment": attachment}]
    patient = {"reference": "Patient/p"}
    return {"resourceType": "DocumentReference", "id": "d", "status": "current", "subject": patient, "content": content}


@pytest.mark.parametrize("accept", ["image/png", "image/*", "image/avif,image/webp,*/*;q=0.8", "*/*"])
async def test_a_browser_gets_the_picture(client: httpx.AsyncClient, accept: str) -> None:
    """Whatever an img element asks for, the answer is a PNG that the browser may keep for a while."""
    assert (await client.put("DocumentReference/d", json=document())).status_code == 201
    url = "DocumentReference/d/$page-image?width=120"
    answer = await client.get(url, headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert Image.open(io.BytesIO(answer.content)).size == (120, 155)
    again = await client.get(url, headers={"accept": accept, "if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await client.head(url, headers={"accept": accept})
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(answer.content)))


async def test_what_is_not_there_is_an_outcome(client: httpx.AsyncClient) -> None:
    """Who asks for a picture that cannot be had is told in FHIR; a type that is never given is 406."""
    assert (await client.put("DocumentReference/d", json=document())).status_code == 201
    missing = await client.get("DocumentReference/d/$page-image?page=2", headers={"accept": "image/png"})
    assert (missing.status_code, missing.json()["resourceType"]) == (404, "OperationOutcome")
    for name, accept in (("page-image", "application/pdf"), ("page-words", "image/png")):
        answer = await client.get(f"DocumentReference/d/${name}", headers={"accept": accept})
        assert answer.status_code == 406


async def test_each_page_that_is_shown_is_one_event(client: httpx.AsyncClient, app: Any) -> None:
    """The audit says whose page was looked at, once for each call: a picture, and a page that was kept."""
    assert (await client.put("DocumentReference/d", json=document())).status_code == 201
    url = "DocumentReference/d/$page-image?width=100"
    tag = (await client.get(url)).headers["etag"]
    assert (await client.get(url, headers={"if-none-match": tag})).status_code == 304

    def both() -> bool:
        app.state.trail.chain()
        events = [decode(data) for _, data in events_of(app.state.fhir.store)]
        return [event.patients for event in events if event.detail == "page-image"] == [("p",)] * 2

    assert await eventually(both)
