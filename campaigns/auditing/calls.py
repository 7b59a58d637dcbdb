"""Calls of every kind, each with the events that it must leave, told from what was asked and answered alone."""

from __future__ import annotations

import http.client
import json
import random
from collections import Counter
from typing import Any

Expected = Counter[tuple[str, int, tuple[str, ...]]]
"""Code, outcome and patients of events."""

PATIENTS = [f"p{n}" for n in range(20)]
KINDS = (
    "patient", "observation", "doctor", "missing", "search", "about", "history", "create", "update", "broken",
    "nothing", "batch", "transaction", "everything", "metadata", "form",
)  # fmt: skip


class Gone(Exception):
    """The server went away before it answered."""


class Client:
    """One connection that is made again when it breaks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._raw: http.client.HTTPConnection | None = None

    def send(self, method: str, path: str, body: Any = None, form: str = "") -> tuple[int, str, dict[str, Any]]:
        """Status, X-Request-Id and what was answered; Gone when nothing was."""
        if self._raw is None:
            self._raw = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"Content-Type": "application/x-www-form-urlencoded" if form else "application/fhir+json"}
        data = form.encode() if form else None if body is None else json.dumps(body).encode()
        try:
            self._raw.request(method, f"/fhir/{path}", data, headers)
            answer = self._raw.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._raw.close()
            self._raw = None
            raise Gone from None
        name = answer.headers["x-request-id"]
        return answer.status, name, json.loads(text) if text else {}


def observation(patient: str, **more: Any) -> dict[str, Any]:
    """An Observation of a patient."""
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject, **more}


def setup(client: Client) -> None:
    """Patients with an observation each, and a doctor."""
    client.send("PUT", "Practitioner/d", {"resourceType": "Practitioner", "id": "d"})
    for patient in PATIENTS:
        client.send("PUT", f"Patient/{patient}", {"resourceType": "Patient", "id": patient})
        client.send("PUT", f"Observation/o-{patient}", observation(patient, id=f"o-{patient}"))


def _of(bundle: dict[str, Any]) -> set[str]:
    """The patients that the entries of a Bundle are or are about."""
    found = set()
    for entry in bundle.get("entry", []):
        resource = entry.get("resource", {})
        if resource.get("resourceType") == "Patient":
            found.add(resource["id"])
        if "subject" in resource:
            found.add(resource["subject"]["reference"].partition("/")[2])
    return found


def call(client: Client, kind: str, dice: random.Random) -> tuple[str, Expected]:
    """Make one call; its X-Request-Id and the events it must leave."""
    p = dice.choice(PATIENTS)

    def one(code: str, answer: tuple[int, str, Any], patients: set[str]) -> tuple[str, Expected]:
        outcome = 0 if answer[0] < 400 else 4
        return answer[1], Counter([(code, outcome, tuple(sorted(patients)))])

    match kind:
        case "patient":
            return one("read", client.send("GET", f"Patient/{p}"), {p})
        case "observation":
            return one("read", client.send("GET", f"Observation/o-{p}"), {p})
        case "doctor":
            return one("read", client.send("GET", "Practitioner/d"), set())
        case "missing":
            return one("read", client.send("GET", f"Patient/no-{p}"), {f"no-{p}"})
        case "search":
            answer = client.send("GET", f"Observation?_count={dice.randrange(1, 12)}&status=final")
            return one("search-type", answer, _of(answer[2]))
        case "form":
            answer = client.send("POST", "Observation/_search", form="_count=3&status=final")
            return one("search-type", answer, _of(answer[2]))
        case "about":
            return one("search-type", client.send("GET", f"Observation?patient={p}&_count=2"), {p})
        case "history":
            return one("history-instance", client.send("GET", f"Patient/{p}/_history"), {p})
        case "create":
            return one("create", client.send("POST", "Observation", observation(p)), {p})
        case "update":
            body = observation(p, id=f"o-{p}", valueInteger=dice.randrange(10**9))
            return one("update", client.send("PUT", f"Observation/o-{p}", body), {p})
        case "broken":
            return one("update", client.send("PUT", f"Patient/{p}", {"resourceType": "Patient"}), {p})
        case "nothing":
            return one("delete", client.send("DELETE", f"Observation/no-{p}"), set())
        case "everything":
            return one("operation", client.send("GET", f"Patient/{p}/$everything?_count=2"), {p})
        case "metadata":
            return one("capabilities", client.send("GET", "metadata"), set())
    return _bundle(client, kind, dice)


def _bundle(client: Client, kind: str, dice: random.Random) -> tuple[str, Expected]:
    """A batch or a transaction of reads and a write."""
    some = dice.sample(PATIENTS, 3)
    entries: list[dict[str, Any]] = [{"request": {"method": "GET", "url": f"Patient/{one}"}} for one in some]
    entries.append({"resource": observation(some[0]), "request": {"method": "POST", "url": "Observation"}})
    answer = client.send("POST", "", {"resourceType": "Bundle", "type": kind, "entry": entries})
    if answer[0] != 200:
        return answer[1], Counter([(kind, 4, ())])
    expected = [(kind, 0, ()), ("create", 0, (some[0],)), *(("read", 0, (one,)) for one in some)]
    return answer[1], Counter(expected)
