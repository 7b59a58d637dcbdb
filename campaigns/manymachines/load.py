"""Clients that repeat until they are answered, note every acknowledged write, and look for what is not theirs."""

from __future__ import annotations

import base64
import json
import random
import re
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx

from campaigns.killing.documents import make

Json = dict[str, Any]
SECRET = re.compile(rb"secret-of-(p\d+)-")
SYSTEM = "urn:fhirwright:campaign"
_JSON = "application/fhir+json"
_ICD = "http://hl7.org/fhir/sid/icd-10-cm"
_HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"


@dataclass
class Told:
    """What the clients saw, of all of them."""

    requests: Counter[str] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    slow: Counter[str] = field(default_factory=Counter)
    longest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    written: dict[str, tuple[int, str]] = field(default_factory=dict)
    """`Type/id` → the version and the value of the last acknowledged write."""

    once: dict[str, str] = field(default_factory=dict)
    """Identifier → the id that was answered for a conditional create."""

    documents: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Client(threading.Thread):
    """One patient's app and, for what apps do not write, a service; it does one act after the other."""

    def __init__(
        self, number: int, bases: list[str], tokens: dict[str, str], told: Told, seed: int, *, pause: float
    ) -> None:
        super().__init__(daemon=True)
        self.number, self.me = number, f"p{number}"
        self._bases, self._tokens, self._told, self._pause = bases, tokens, told, pause
        self._dice = random.Random(f"{seed}-{number}")
        self._at = number
        self.stopping = threading.Event()
        self._made = 0
        self._mine: list[str] = []
        self._http = httpx.Client(timeout=httpx.Timeout(5.0, connect=2.0))
        self._notes = make(30, seed, scans=False)

    def run(self) -> None:
        """Act until told to stop."""
        acts = (
            (self._read, 24), (self._search, 18), (self._foreign, 8), (self._create, 14), (self._update, 14),
            (self._once, 6), (self._bundle, 8), (self._document, 7), (self._claim, 4),
        )  # fmt: skip
        kinds, weights = zip(*acts, strict=True)
        while not self.stopping.is_set():
            act = self._dice.choices(kinds, weights)[0]
            began = time.monotonic()
            try:
                act()
            except Exception as error:
                with self._told.lock:
                    self._told.wrong.append(f"{act.__name__} of {self.me}: {type(error).__name__} {error}")
            took = time.monotonic() - began
            with self._told.lock:
                name = act.__name__.strip("_")
                self._told.acts[name] += 1
                self._told.longest[name] = max(self._told.longest[name], took)
            self.stopping.wait(self._dice.uniform(0, 2 * self._pause))

    def ask(self, kind: str, method: str, path: str, body: Any = None, *, service: bool = False, **more: str) -> Any:
        """The answer that is one, however often it takes; every try is counted."""
        token = self._tokens["service" if service else self.me]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": _JSON} | {
            name.replace("_", "-"): value for name, value in more.items()
        }
        wait = 0.05
        while True:
            base = self._bases[self._at % len(self._bases)]
            reason = ""
            try:
                answer = self._http.request(method, f"{base}/{path}", json=body, headers=headers)
                status = answer.status_code
                reason = str(status) if status >= 500 or status in (429, 409, 408) else ""
            except httpx.HTTPError as error:
                reason = type(error).__name__
            with self._told.lock:
                self._told.requests[kind] += 1
                if reason:
                    self._told.failed[kind, reason] += 1
            if not reason:
                if not service:
                    self._look(answer.content, kind)
                return answer
            self._at += 1
            time.sleep(wait)
            wait = min(wait * 2, 1.0)

    def _look(self, body: bytes, kind: str) -> None:
        """Nothing of another patient may stand in what an app is told."""
        found = {name.decode() for name in SECRET.findall(body)} - {self.me}
        if found:
            with self._told.lock:
                self._told.leaks.append(f"{kind}: {self.me} was told of {sorted(found)}")

    def _observation(self, name: str, value: str) -> Json:
        return {
            "resourceType": "Observation", "id": name, "status": "final", "code": {"text": "weight"},
            "subject": {"reference": f"Patient/{self.me}"}, "valueString": f"secret-of-{self.me}-{value}",
        }  # fmt: skip

    def _fresh(self) -> str:
        self._made += 1
        return f"{self.me}-{self._made}"

    def _note(self, name: str, version: int, value: str) -> None:
        with self._told.lock:
            self._told.written[f"Observation/{name}"] = (version, value)

    def _expect(self, answer: httpx.Response, *statuses: int) -> None:
        if answer.status_code not in statuses:
            raise AssertionError(f"{answer.status_code} {answer.text[:300]}")

    def _read(self) -> None:
        answer = self.ask("read", "GET", f"Patient/{self.me}")
        self._expect(answer, 200)

    def _search(self) -> None:
        answer = self.ask("search", "GET", f"Observation?patient={self.me}&_count=20&_sort=-_lastUpdated")
        self._expect(answer, 200)

    def _foreign(self) -> None:
        """What another patient has is not there."""
        other = (self.number + self._dice.randint(1, 3)) % (len(self._tokens) - 1)
        answer = self.ask("read of another's", "GET", f"Observation/p{other}-{self._dice.randint(1, 5)}")
        self._expect(answer, 200 if other == self.number else 404, 404)

    def _put(self, name: str, version: int, value: str, kind: str) -> None:
        """Write version `version` of one's own resource, exactly once."""
        how = {"If_None_Match": "*"} if version == 1 else {"If_Match": f'W/"{version - 1}"'}
        answer = self.ask(kind, "PUT", f"Observation/{name}", self._observation(name, value), **how)
        if answer.status_code == 412:  # an earlier try had come through: then it says so
            answer = self.ask("read", "GET", f"Observation/{name}")
            told = answer.json()
            if told["valueString"] != f"secret-of-{self.me}-{value}" or told["meta"]["versionId"] != str(version):
                raise AssertionError(f"{name}: version {told['meta']['versionId']} in place of {version}")
        self._expect(answer, 200, 201)
        self._note(name, version, value)

    def _create(self) -> None:
        name = self._fresh()
        self._put(name, 1, "first", "create")
        self._mine.append(name)

    def _update(self) -> None:
        if not self._mine:
            return
        name = self._dice.choice(self._mine[-20:])
        version = self._told.written[f"Observation/{name}"][0] + 1
        self._put(name, version, f"value-{version}", "update")

    def _once(self) -> None:
        """A conditional create: however often it is sent, there is one."""
        value = self._fresh()
        body = self._observation("x", "once") | {"identifier": [{"system": SYSTEM, "value": value}]}
        del body["id"]
        answer = self.ask(
            "conditional create",
            "POST",
            "Observation",
            body,
            service=True,
            If_None_Exist=f"identifier={SYSTEM}|{value}",
        )
        self._expect(answer, 200, 201)
        with self._told.lock:
            self._told.once[value] = ""

    def _bundle(self) -> None:
        """A transaction of three, which all are there or none."""
        names = [self._fresh() for _ in range(3)]
        entries = [
            {"resource": self._observation(name, "bundle"),
             "request": {"method": "PUT", "url": f"Observation/{name}", "ifNoneMatch": "*"}}
            for name in names
        ]  # fmt: skip
        body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = self.ask("bundle", "POST", "", body, service=True)
        if answer.status_code == 412:
            for name in names:
                self._expect(self.ask("read", "GET", f"Observation/{name}"), 200)
        else:
            self._expect(answer, 200)
        for name in names:
            self._note(name, 1, "bundle")

    def _document(self) -> None:
        name = self._fresh()
        note = base64.b64decode(
            json.loads(self._dice.choice([one for one in self._notes if one.kind == "text"]).body)["content"][0][
                "attachment"
            ]["data"]
        ).decode()
        data = base64.b64encode(f"{note}\nReference {name}\n".encode()).decode()
        body = {
            "resourceType": "DocumentReference", "id": f"d-{name}", "status": "current",
            "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
        }  # fmt: skip
        answer = self.ask("document", "PUT", f"DocumentReference/d-{name}", body, service=True, If_None_Match="*")
        self._expect(answer, 200, 201, 412)
        with self._told.lock:
            self._told.documents.append(f"d-{name}")

    def _claim(self) -> None:
        name = f"c-{self._fresh()}"
        amount = {"value": 170, "currency": "USD"}
        body = {
            "resourceType": "Claim", "id": name, "status": "active", "use": "claim", "created": "2026-06-03",
            "identifier": [{"system": SYSTEM, "value": name}],
            "type": {"coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
            "patient": {"reference": f"Patient/{self.me}"}, "provider": {"display": "Dale"},
            "priority": {"coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/processpriority", "code": "normal"}]},
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "Example Health Plan"}}],
            "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"system": _ICD, "code": "E11.9"}]}}],
            "item": [{"sequence": 1, "diagnosisSequence": [1], "servicedDate": "2026-06-01",
                      "productOrService": {"coding": [{"system": _HCPCS, "code": "G0438"}]},
                      "quantity": {"value": 1}, "unitPrice": amount, "net": amount}],
            "total": amount,
        }  # fmt: skip
        answer = self.ask("claim", "PUT", f"Claim/{name}", body, service=True, If_None_Match="*")
        self._expect(answer, 200, 201, 412)
        answer = self.ask("claim submit", "POST", "Claim/$submit", body, service=True)
        self._expect(answer, 200)
        with self._told.lock:
            self._told.claims.append(name)
