"""What people, clients and mistakes do with identifiers: every road by which one enters the server."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from campaigns.killing.documents import _pdf, _scan
from campaigns.planting.people import Person, note, patient

FHIR = "application/fhir+json"
Body = bytes | dict[str, Any] | None


@dataclass
class Told:
    """What the server said that holds nobody's data: errors with their headers, and the headers of all answers."""

    calls: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    errors: list[bytes] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)


class Client:
    """Sends requests with a token and keeps what must not hold identifiers."""

    def __init__(self, base: str, token: str, told: Told) -> None:
        self._http = httpx.Client(base_url=base, timeout=60)
        self._token, self.told = token, told

    def ask(self, method: str, path: str, body: Body = None, **headers: str) -> httpx.Response:
        """Send one request; headers are written with `_` for `-`."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {"authorization": f"Bearer {self._token}"} | ({"content-type": FHIR} if data is not None else {})
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._http.request(method, path, content=data, headers={k: v.encode() for k, v in sent.items()})
        self.told.calls += 1
        self.told.statuses[answer.status_code] = self.told.statuses.get(answer.status_code, 0) + 1
        self.told.heads.append(
            repr([pair for pair in answer.headers.items() if pair[0] not in ("location", "content-location")]).encode()
        )
        if answer.status_code >= 400:
            self.told.errors.append(answer.content)
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def escaped(value: dict[str, Any]) -> bytes:
    """JSON with each letter of its texts as an escape, where that leaves the names of elements alone."""
    text = json.dumps(value)
    for word in sorted({w for w in _texts(value) if w.isalpha()}, key=len, reverse=True):
        text = text.replace(f'"{word}"', '"' + "".join(f"\\u{ord(c):04x}" for c in word) + '"')
    return text.encode()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from () if key in ("resourceType", "status", "system") else _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def store(client: Client, one: Person, number: int, *, scans: bool) -> None:
    """Resources, documents of each kind, and a claim."""
    body = patient(one)
    client.ask("PUT", f"Patient/{one.id}", escaped(body) if number % 2 else body)
    client.ask("PUT", f"Patient/{one.id}", {**body, "active": True}, if_none_exist=f"identifier={one.mrn}")
    about = {"reference": f"Patient/{one.id}", "display": f"{one.family}, {one.given}"}
    kinds = [("text/plain", note(one).encode()), ("application/pdf", _pdf(note(one).splitlines()))]
    kinds += [("text/plain; charset=utf-16", note(one).encode("utf-16"))]
    kinds += [("image/png", _scan(note(one).splitlines()))] if scans and number % 6 == 0 else []
    kinds += [("application/pdf", b"%PDF-1.4 " + note(one).encode())]  # a job that fails
    for n, (kind, data) in enumerate(kinds):
        attachment = {"contentType": kind, "data": base64.b64encode(data).decode(), "title": f"{one.family} {one.mrn}"}
        document = {
            "resourceType": "DocumentReference",
            "id": f"{one.id}-{n}",
            "status": "current",
            "subject": about,
            "description": f"Letter about {one.given} {one.family}",
            "content": [{"attachment": attachment}],
        }
        client.ask("PUT", f"DocumentReference/{one.id}-{n}", document)
    binary = {
        "resourceType": "Binary",
        "contentType": "text/plain",
        "data": base64.b64encode(note(one).encode()).decode(),
    }
    client.ask("POST", "Binary", binary)
    client.ask("POST", "Binary", note(one).encode("utf-16"), content_type="text/plain")
    device = {"resourceType": "Device", "serialNumber": one.serial, "url": one.url, "patient": about}
    client.ask("POST", "Device", {**device, "identifier": [{"value": one.serial}]})
    coverage = {"resourceType": "Coverage", "status": "active", "beneficiary": about, "payor": [about]}
    client.ask("POST", "Coverage", {**coverage, "subscriberId": one.member, "identifier": [{"value": one.member}]})
    client.ask("POST", "Account", {"resourceType": "Account", "status": "active", "subject": [about],
                                   "identifier": [{"value": one.account}], "name": one.family})  # fmt: skip
    for path in ("Claim", "Claim/$submit"):
        client.ask("POST", path, claim(one))
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    rule = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode"}
    client.ask("POST", "Consent", {
        "resourceType": "Consent", "status": "active", "patient": about, "performer": [about],
        "scope": {"coding": [scope]},
        "category": [{"text": one.family}], "identifier": [{"value": one.mrn}],
        "policyRule": {"coding": [{**rule, "code": "OPTIN"}], "text": one.street},
        "sourceAttachment": {"contentType": "text/plain", "title": one.email},
        "provision": {"type": "permit", "data": [{"meaning": "instance", "reference": about}]},
    })  # fmt: skip
    client.ask("POST", "AuditEvent", {
        "resourceType": "AuditEvent", "type": {"code": "rest"}, "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"requestor": True, "name": one.family}], "source": {"observer": {"display": one.email}},
        "entity": [{"what": about, "name": one.mrn, "query": base64.b64encode(one.ssn.encode()).decode()}],
    })  # fmt: skip


def claim(one: Person) -> dict[str, Any]:
    """A claim with the person's numbers."""
    coding = {"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]}
    return {
        "resourceType": "Claim", "status": "active", "use": "claim", "created": "2026-06-03",
        "identifier": [{"system": "http://hospital.example/claims", "value": one.account}],
        "type": {"coding": [coding]}, "patient": {"reference": f"Patient/{one.id}", "display": one.family},
        "provider": {"display": one.family}, "priority": {"text": one.given},
        "insurance": [{"sequence": 1, "focal": True, "identifier": {"value": one.member},
                       "coverage": {"display": one.member}}],
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": code}],
        "item": [{"sequence": 1, "productOrService": {"text": one.street}, "udi": [{"display": one.serial}]}],
    }  # fmt: skip


def ask(client: Client, one: Person, _number: int) -> None:
    """Searches by GET and POST, operations, GraphQL, and headers that say who it is about."""
    q = quote
    for query in (
        f"family={q(one.family)}&given={q(one.given)}", f"identifier={q(one.mrn)}", f"identifier=%7C{q(one.ssn)}",
        f"email={q(one.email)}", f"phone={q(one.phone)}", f"birthdate={one.born}", f"address={q(one.street)}",
        f"_source={q(one.url)}", f"_filter=family%20eq%20%22{q(one.family)}%22", f"_content={q(one.family)}",
        f"name:contains={q(one.family)}", f"birthdate=gt{one.born}", f"_has:Device:patient:identifier={q(one.serial)}",
        f"family={q(one.family)}&_sort=family", f"general-practitioner.name={q(one.family)}",
    ):  # fmt: skip
        client.ask("GET", f"Patient?{query}")
        client.ask("POST", "Patient/_search", query.encode(), content_type="application/x-www-form-urlencoded")
    client.ask("GET", f"Device?url={q(one.url, safe='')}&identifier={q(one.serial)}")
    client.ask("GET", f"Coverage?subscriber:Patient.identifier={one.member}&identifier={one.member}")
    client.ask("GET", f"Account?identifier={one.account}&name={q(one.family)}")
    client.ask("GET", f"Patient/{one.id}", user_agent=one.email, referer=f"https://x.example/?mrn={one.mrn}",
               x_request_id=one.mrn, cookie=f"who={one.ssn}", if_none_match=f'"{one.family}"', traceparent=one.mrn,
               x_forwarded_for=one.mrn, accept_language=one.email)  # fmt: skip
    client.ask("POST", "$graphql", {"query": f'{{PatientList(family:"{one.family}"){{id name{{family}}}}}}'})
    client.ask("POST", "Patient/$match", _parameters(resource=patient(one)))
    client.ask("POST", "$deidentify", patient(one))
    client.ask(
        "POST", "$deidentify", {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient(one)}]}
    )
    client.ask("POST", "$code", note(one).encode(), content_type="text/plain")
    client.ask("POST", "Patient/$validate", patient(one))
    client.ask("PUT", f"Patient?identifier={q(one.mrn)}", {k: v for k, v in patient(one).items() if k != "id"})
    client.ask("GET", f"Patient/{one.id}/$everything")
    reason = [{"name": "patient", "valueReference": {"reference": f"Patient/{one.id}"}},
              {"name": "reason", "valueString": f"{one.given} {one.family} {one.ssn} unconscious"}]  # fmt: skip
    client.ask("POST", "$break-glass", {"resourceType": "Parameters", "parameter": reason})


def _parameters(**given: Any) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, "resource": what} for name, what in given.items()],
    }


def err(client: Client, one: Person, _number: int) -> None:
    """Bodies, addresses and tokens that are wrong, each with an identifier in it."""
    body = patient(one)
    text = json.dumps(body)
    for wrong in (
        text[:-7].encode(), text.replace('"', "'").encode(), text.encode("utf-16"), text.encode() + b"\xff\xfe",
        {**body, "birthDate": one.mrn}, {**body, "gender": one.family}, {**body, one.family: one.given},
        {**body, "name": one.family}, {**body, "identifier": [one.ssn]}, {**body, "id": one.email},
        {**body, "telecom": [{"system": one.email, "value": one.phone}]}, {**body, "resourceType": one.family},
        {**body, "multipleBirthInteger": one.phone}, {**body, "active": one.mrn},
        {**body, "link": [{"other": one.url}]},
        {**body, "extension": [{"url": one.url, "valueInteger": one.ssn}]}, [text],  # type: ignore[list-item]
        {**body, "text": {"status": "generated", "div": f"<div><script>{one.family}</script>{one.mrn}"}},
    ):  # fmt: skip
        client.ask("PUT", f"Patient/{one.id}", json.dumps(wrong).encode() if isinstance(wrong, list) else wrong)
        client.ask("POST", "Patient/$validate", json.dumps(wrong).encode() if isinstance(wrong, list) else wrong)
    entry = {
        "resource": {**body, "birthDate": one.mrn},
        "request": {"method": "PUT", "url": f"Patient?identifier={one.mrn}"},
    }
    client.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    client.ask(
        "POST", "", f"<Patient><name>{one.family}</name></Patient>".encode(), content_type="application/fhir+xml"
    )
    family, email, url = quote(one.family), quote(one.email), quote(one.url)
    for path in (
        f"Patient/{one.mrn}", f"Patient/{email}", f"{family}/{one.mrn}", f"Patient/{one.id}/_history/{one.mrn}",
        f"Patient?birthdate={family}", f"Patient?_count={one.mrn}", f"Patient?gender:{family}=x",
        f"Patient?_sort={family}", f"Patient?_include={family}:{one.mrn}", f"Patient?link={url}%00",
        f"Patient?_cursor={one.mrn}", f"Patient?_filter={family}%20zz%20{one.mrn}", f"$file/{one.mrn}/x/{family}",
        f"Observation?value-quantity={quote(one.phone)}", f"Patient?_has:{family}={one.mrn}", f"$job/{one.mrn}",
        f"Patient?_lastUpdated={quote(one.ssn)}", f"Patient?_elements={family}", f"Patient?_summary={family}",
    ):  # fmt: skip
        client.ask("GET", path)
    client.ask("POST", "$graphql", {"query": f'{{PatientList({one.given}:"{one.family}"'})
    patch = json.dumps([{"op": "test", "path": "/gender", "value": one.family}]).encode()
    client.ask("PATCH", f"Patient/{one.id}", patch, content_type="application/json-patch+json")
    client.ask("GET", f"Patient/{one.id}", authorization=f"Bearer {one.mrn}.{one.family}")
    client.ask("GET", f"Patient/{one.id}", accept=one.family, prefer=one.family)
    client.ask("GET", f"Patient/{one.id}", if_modified_since=one.born)
    for given in ({"title": one.family, "description": one.mrn}, {"url": one.url, "name": one.family}):
        client.ask("POST", "Questionnaire", {"resourceType": "Questionnaire", "status": one.ssn, **given})


def sign_in(client: Client, origin: str, one: Person, _number: int) -> None:
    """Names to sign in by, hints and states at the pages and the token endpoint."""
    hint = f"client_id=app&login_hint={quote(one.email)}&state={quote(one.family)}&launch={one.mrn}"
    hint += f"&redirect_uri={quote(one.url)}"
    client.ask("GET", f"{origin}/auth/authorize?response_type=code&scope=launch&aud=x&{hint}")
    form = "application/x-www-form-urlencoded"
    client.ask(
        "POST", f"{origin}/auth/sign-in", f"name={quote(one.email)}&password={one.ssn}".encode(), content_type=form
    )
    for grant in ("authorization_code", "refresh_token", one.family):
        body = f"grant_type={grant}&code={one.mrn}&refresh_token={one.mrn}&client_id={quote(one.email)}"
        client.ask("POST", f"{origin}/auth/token", body.encode(), content_type=form)


def later(client: Client, files: str, several: list[Person], wait: Callable[[str], None]) -> None:
    """Subscriptions, imports, exports and requests that are answered later."""
    for one in several:
        channel = {
            "type": "rest-hook",
            "endpoint": f"{files}/hook/{one.mrn}",
            "header": [f"X-Who: {one.email}"],
            "payload": FHIR,
        }
        client.ask("POST", "Subscription", {
            "resourceType": "Subscription", "status": "requested", "reason": f"about {one.family}",
            "criteria": f"Patient?identifier={one.mrn}", "channel": channel,
        })  # fmt: skip
        client.ask("PUT", f"Patient/{one.id}", {**patient(one), "active": False})
    lines = [json.dumps(patient(one)) for one in several] + [
        json.dumps({**patient(several[0]), "birthDate": several[0].mrn})
    ]
    asked = [
        client.ask(
            "POST",
            "$import",
            "\n".join([*lines, f'{{"{several[0].family}']).encode(),
            content_type="application/fhir+ndjson",
        )
    ]
    for name in ("Patient.ndjson", f"missing/{several[0].mrn}?name={several[0].family}"):
        part = [{"name": "type", "valueCode": "Patient"}, {"name": "url", "valueUrl": f"{files}/{name}"}]
        asked.append(
            client.ask(
                "POST", "$import", {"resourceType": "Parameters", "parameter": [{"name": "input", "part": part}]}
            )
        )
    wanted = quote(f"Patient?identifier={several[0].mrn}", safe="")
    asked.append(client.ask("GET", "$export?_type=Patient,Device", prefer="respond-async"))
    asked.append(client.ask("GET", f"Patient/$export?_typeFilter={wanted}", prefer="respond-async"))
    for one in several[:5]:
        asked.append(client.ask("GET", f"Patient?family={quote(one.family)}", prefer="respond-async"))
        asked.append(client.ask("PUT", f"Patient/{one.id}", patient(one), prefer="respond-async"))
        asked.append(
            client.ask("PUT", f"Patient/{one.id}", {**patient(one), "gender": one.family}, prefer="respond-async")
        )
    for answer in asked:
        if answer.status_code == 202:
            wait(answer.headers["content-location"])
