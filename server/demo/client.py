"""What any client does: post a DocumentReference, follow its Task, read what came out (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import httpx

from fhir_profiles import json
from server.demo.server import DemoError

FINAL = ("completed", "failed", "cancelled")
PAUSE = 0.15  # seconds between two looks at the Task
CODE_SECONDS = 240.0


class Client:
    """Talks FHIR to one base; decimals arrive as they were sent."""

    def __init__(self, base: str) -> None:
        self._http = httpx.Client(
            base_url=base, timeout=60, trust_env=False, headers={"Accept": "application/fhir+json"}
        )

    def submit(self, data: bytes, media_type: str, title: str) -> str:
        """The id of a new DocumentReference that holds `data`."""
        attachment = {"contentType": media_type, "title": title, "data": base64.b64encode(data).decode()}
        document = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
        answer = self._request("POST", "DocumentReference", document, {"Prefer": "return=representation"})
        return str(answer["id"])

    def follow(self, document: str) -> Iterator[dict[str, Any]]:
        """The Task of a document, each time it has moved, until it has ended."""
        deadline, seen = time.monotonic() + CODE_SECONDS, ""
        while time.monotonic() < deadline:
            task = self._task(document)
            if task and task["meta"]["versionId"] != seen:
                seen = task["meta"]["versionId"]
                yield task
                if task["status"] in FINAL:
                    return
            time.sleep(PAUSE)
        raise DemoError(f"The document was not coded within {CODE_SECONDS:.0f} seconds.")

    def results(self, task: dict[str, Any]) -> list[dict[str, Any]]:
        """The resources that a completed Task lists as its output, read in one batch."""
        references = [output["valueReference"]["reference"] for output in task.get("output", ())]
        entries = [{"request": {"method": "GET", "url": reference}} for reference in references]
        answer = self._request("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": entries})
        return [entry["resource"] for entry in answer["entry"]]

    def scrub(self, resources: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The ClaimResponse to the draft Claim among some resources; None without one."""
        claim = next((r for r in resources if r["resourceType"] == "Claim"), None)
        return None if claim is None else self._request("POST", "Claim/$submit", claim)

    def _task(self, document: str) -> dict[str, Any] | None:
        found = self._request("GET", f"Task?focus=DocumentReference/{document}")
        return next((entry["resource"] for entry in found.get("entry", ())), None)

    def _request(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """One interaction; DemoError when it was refused."""
        content = json.encode(body) if body else None
        kind = {"Content-Type": "application/fhir+json"} if body else {}
        answer = self._http.request(method, path, content=content, headers={**kind, **(headers or {})})
        if answer.is_error:
            raise DemoError(f"{method} {path or '/'} was answered with {answer.status_code}: {answer.text[:300]}")
        return json.decode(answer.content)
