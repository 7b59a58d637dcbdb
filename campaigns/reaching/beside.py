"""Documents, claims, definitions, the audit trail and tokens: the operations that look beyond one resource."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from campaigns.reaching import oracle, world
from campaigns.reaching.ground import LATER, own_mark
from campaigns.reaching.houses import HOSTS, SECRET
from campaigns.reaching.judging import Finding
from campaigns.reaching.kept import Kept
from campaigns.reaching.seats import SEATS, Seat
from campaigns.reaching.world import Json
from fhir_profiles import json


class Beside(Kept):
    """Requests of coders and billers, and about what stands beside the data."""

    def code(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """The coding of a document that is stored, or is sent and points to a file."""
        name = self.dice.choice(self.asker.ids["DocumentReference"])
        if self.dice.random() < 0.5:
            answer = self.ask(tenant, seat, "POST", f"DocumentReference/{name}/$code", json={})
        else:
            url = f"Binary/{self.dice.choice(self.asker.ids['Binary'])}"
            url = self.dice.choice([url, f"http://{HOSTS[tenant]}/fhir/{url}"])
            sent = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": {"url": url}}]}
            answer = self.ask(tenant, seat, "POST", "DocumentReference/$code", json=sent)
        yield from self.scan(tenant, seat, answer.content)

    def claim(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """Claims that are submitted, decided, corrected, asked for and answered again."""
        name, who = self.dice.choice(self.asker.ids["Claim"]), self.dice.choice("AB")
        body = {
            **world.bodies(who, "B" if who == "A" else "A", self.dice.randrange(3))["Claim"],
            "resourceType": "Claim",
        }
        if self.dice.random() < 0.4:
            body["id"] = name
        marks = {"content-type": "application/fhir+ndjson", **LATER}
        roads: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", "Claim/$submit", {"json": body}),
            ("POST", "Claim/$submit", {"json": body | {"use": "preauthorization"}}),
            ("POST", "Claim/$inquire", {"json": body | {"use": "preauthorization"}}),
            ("POST", f"Claim/{name}/$explanation-of-benefit", {"json": {"resourceType": "Parameters"}}),
            ("POST", f"Claim/{name}/$correct", {"json": _parameters("number", "77")}),
            ("POST", f"Claim/{name}/$decide", {"json": _parameters("decision", "approved")}),
            ("POST", "Claim/$remittance", {"content": b"ISA*00*", "headers": {"content-type": "application/EDI-X12"}}),
            ("POST", "Claim/$reprocess", {"json": {"resourceType": "Parameters"}, "headers": LATER}),
            ("POST", "Claim/$submit-bulk", {"content": json.encode(body) + b"\n", "headers": marks}),
        ]
        method, url, more = self.dice.choice(roads)
        if url.endswith(("bulk", "reprocess")):
            yield from self.kick_off(tenant, seat, method, url, more)
        else:
            answer = self.ask(tenant, seat, method, url, **more)
            yield from self.scan(tenant, seat, answer.content)
            if answer.status_code >= 500:
                yield Finding("fault", str(answer.status_code))
        yield from self.wrote(tenant, seat)

    def answer(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """A forged answer to anybody's claim: the Task of the claim moves only for who may read the claim."""
        if self.dice.random() < 0.8:
            seat = self.dice.choice([one for one in SEATS if oracle.may_some(one.holder, "ClaimResponse", "c")])
        who, name = self.dice.choice("AB"), self.dice.choice(self.asker.ids["Claim"])
        answer = self.ask(tenant, seat, "POST", "ClaimResponse", json=_response(who, name))
        yield from self.scan(tenant, seat, answer.content)
        if answer.status_code >= 500:
            yield Finding("fault", str(answer.status_code))
        yield from self.wrote(tenant, seat)

    def definitions(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """Terminology that each tenant stored under the same URL: each has its own."""
        url = "urn:fhirwright:own"
        theirs = own_mark(self.houses.other(self.houses.tenants[tenant])).decode()
        validate = f"CodeSystem/$validate-code?url={url}&code="
        road = self.dice.choice(
            [f"ValueSet/$expand?url={url}:all", f"CodeSystem/$lookup?system={url}&code=one", "ValueSet/own/$expand",
             f"{validate}one", f"ValueSet/$validate-code?url={url}:all&system={url}&code=one", validate + theirs]
        )  # fmt: skip
        answer = self.ask(tenant, seat, "GET", road)
        yield from self.scan(tenant, seat, _without_asked(answer.content, road))
        if road.endswith(theirs) and b'"valueBoolean":true' in answer.content:
            yield Finding("leak", "a code of another tenant is known")

    def trail(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """The AuditEvents: of a patient's app those of the patient, and nobody else's questions."""
        house = self.houses.tenants[tenant]
        if self.dice.random() < 0.3:
            house.app.state.trail.chain()
        road = self.dice.choice(["AuditEvent", "AuditEvent?patient=Patient/B", "AuditEvent?patient=Patient/A",
                                 "AuditEvent?_count=200", "Patient/B/AuditEvent"])  # fmt: skip
        answer = self.ask(tenant, seat, "GET", road)
        if self.houses.other(house).tag.encode() in answer.content:
            yield Finding("leak", "the trail of another tenant")
        if answer.status_code != 200:
            return
        ways = {patient for patient, filters in oracle.ways_to_trail(seat.holder) if not filters}
        for entry in answer.json().get("entry", []):
            event = entry["resource"]
            if event["resourceType"] != "AuditEvent" or None in ways:
                continue
            about = {
                one["what"]["reference"] for one in event["entity"]
                if one.get("role", {}).get("code") == "1" and "reference" in one.get("what", {})
            }  # fmt: skip
            if not about or not about <= {f"Patient/{patient}" for patient in ways}:
                yield Finding("leak", f"an AuditEvent of {sorted(about)}")
            asked = [base64.b64decode(one["query"]) for one in event["entity"] if one.get("query")]
            client = event["agent"][0]["who"]["identifier"]["value"]
            if any(text != b"/" for text in asked) and client != f"{house.tag}{seat.client}":
                yield Finding("leak", "what somebody else asked")

    def introspection(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """A token asked about at the other tenant, or by another client: nothing is known of it."""
        house = self.houses.tenants[tenant]
        at, by = self.dice.choice(self.houses.tenants), self.dice.choice(SEATS)
        basic = base64.b64encode(f"{at.tag}{by.client}:{SECRET}".encode()).decode()
        headers = {"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"}
        content = f"token={quote(house.tokens[seat.name])}".encode()
        self.told = f"introspect at {at.host} by {by.client}"
        answer = self.houses.ask(at.host, None, "POST", "/auth/introspect", content=content, headers=headers)
        if answer.status_code == 200 and answer.json().get("active") and (at is not house or by.client != seat.client):
            yield Finding("leak", "a token is told to somebody else")


def _without_asked(body: bytes, road: str) -> bytes:
    """An answer without the code that was asked about."""
    code = road.rpartition("code=")[2]
    return body.replace(code.encode(), b"") if code.startswith("mark") else body


def _parameters(name: str, value: str) -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": name, "valueString": value}]}


def _response(who: str, claim: str) -> Json:
    return {
        "resourceType": "ClaimResponse", "status": "active", "use": "claim",
        "type": {"text": "x"}, "created": "2026-01-01", "patient": {"reference": f"Patient/{who}"},
        "insurer": {"display": "x"}, "request": {"reference": f"Claim/{claim}"}, "outcome": "error",
        "error": [{"code": {"coding": [{"system": "urn:x", "code": "DX-001"}], "text": "forged"}}],
    }  # fmt: skip
