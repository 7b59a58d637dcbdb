"""Takes a file of X12 about claims into the store: remittances, acknowledgements, and what was sent.

What comes of a file has ids that follow from it, so that the same file again changes nothing, but for claims that are
stored since. What belongs to no claim is stored all the same, and told.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from claims.work_answer import Answer, Source
from claims.work_x12 import Delivery, acknowledged, recognise, refusals, sent
from claims.x12.read277ca import read_277ca
from claims.x12.read835 import Remittance, read_835
from claims.x12.read999 import read_999
from fhir_profiles import json
from fhir_profiles.systems import ANSWER_SOURCE, BILLING, INTERCHANGE, TRANSACTION_SET
from server.interactions import update
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs.claiming.follow import WHO, Follow
from server.jobs.claiming.numbers import Numbers
from server.store import Tx

Json = dict[str, Any]
MEDIA_TYPE = "application/EDI-X12"
TOGETHER = 100
"""Resources that share a transaction."""
MOST_TOLD = 1_000
"""Numbers without a claim that are told one by one."""


class Taken(msgspec.Struct):
    """What came of a file: how many parts of it met a claim, which did not and why, and what is stored of it."""

    delivery: Delivery
    known: bool
    matched: int = 0
    unmatched: list[tuple[str, str]] = []
    payments: list[str] = []
    kept: str = ""


class Deliver:
    """One file on its way in; for threads."""

    def __init__(self, fhir: Fhir, request: Request, data: bytes) -> None:
        self.fhir, self.data = fhir, data
        self.delivery = recognise(data)
        self.numbers = Numbers(fhir, request)
        self.follow = Follow(fhir)
        before = fhir.store.read("Communication", self.delivery.id("file"))
        self.taken = Taken(self.delivery, known=before is not None and not before.deleted)

    def run(self) -> Taken:
        """Store what the file says; FhirError where it is damaged, and then nothing is stored."""
        kinds: dict[str, Callable[[], None]] = {
            "835": self._remittances, "277ca": self._acknowledgements, "999": self._receipts, "837": self._sent,
        }  # fmt: skip
        kinds[self.delivery.kind]()
        self._write([self._communication()])
        return self.taken

    def _remittances(self) -> None:
        for number, payment in enumerate(list(read_835(self.data))):
            self._remittance(number, payment)

    def _remittance(self, number: int, payment: Remittance) -> None:
        details = payment.reconciliation.get("detail") or []
        for first in range(0, len(payment.responses), TOGETHER):
            some = payment.responses[first : first + TOGETHER]
            for at, response in enumerate(self._matched("835", some, (number, first)), first):
                details[at]["response"] = {"reference": f"ClaimResponse/{response['id']}"}
                details[at]["request"] = response["request"]
        id = self.delivery.id("payment", number)
        self._write([{**payment.reconciliation, "id": id}])
        self.taken.payments.append(f"PaymentReconciliation/{id}")

    def _acknowledgements(self) -> None:
        outcomes = [acknowledged(one, self.delivery.day) for one in read_277ca(self.data)]
        for first in range(0, len(outcomes), TOGETHER):
            self._matched("277ca", outcomes[first : first + TOGETHER], (0, first))

    def _matched(self, source: Source, responses: list[Json], place: tuple[int, int]) -> list[Json]:
        """Store answers to claims, linked to those that are stored."""
        found = self.numbers.of(one["request"]["identifier"]["value"] for one in responses)
        linked = []
        for at, response in enumerate(responses):
            number = response["request"]["identifier"]["value"]
            claim = found[number]
            if isinstance(claim, str):
                self._miss(number, claim)
            else:
                self.taken.matched += 1
            extension = [{"url": ANSWER_SOURCE, "valueCode": source}]
            id = self.delivery.id("answer", place[0], place[1] + at)
            linked.append({**_linked(response, claim if isinstance(claim, dict) else None), "id": id,
                           "extension": extension})  # fmt: skip
        self._write(linked)
        return linked

    def _receipts(self) -> None:
        """A 999: the Tasks of the claims that were sent in what it answers."""
        answers: list[tuple[str, Answer]] = []
        reference = f"Communication/{self.delivery.id('file')}"
        for group in list(read_999(self.data)):
            for one in (*group.transactions,) or (None,):
                name = group.control if one is None else f"{group.control}-{one.control}"
                claims = self.numbers.sent(group.control, one.control if one else None)
                if not claims:
                    self._miss(name, "nothing is known to have been sent under this number")
                self.taken.matched += len(claims)
                answers += [(claim, Answer("999", refusals(group, one), reference)) for claim in claims]
        for some in _parts(answers) if not self.taken.known else ():
            self.fhir.store.write_sync(lambda tx, some=some: self._tell(tx, some))  # type: ignore[misc]

    def _tell(self, tx: Tx, answers: list[tuple[str, Answer]]) -> None:
        for claim, answer in answers:
            self.follow.tell(tx, claim, answer)

    def _sent(self) -> None:
        """An 837: a List of the claims of each transaction set, which are bills from now on."""
        for number, one in enumerate(sent(self.data)):
            found = self.numbers.of(one.claims)
            claims = {value: claim["id"] for value, claim in found.items() if isinstance(claim, dict)}
            for value, claim in found.items():
                if isinstance(claim, str):
                    self._miss(value, claim)
            self.taken.matched += len(claims)
            numbers = (f"{one.group}-{one.control}", one.group)
            listed: Json = {
                "resourceType": "List", "id": self.delivery.id("sent", number), "status": "current", "mode": "snapshot",
                "identifier": [{"system": TRANSACTION_SET, "value": value} for value in numbers],
                "title": f"Claims sent in interchange {self.delivery.control}",
            }  # fmt: skip
            if claims:
                listed["entry"] = [{"item": {"reference": f"Claim/{claim}"}} for claim in claims.values()]
            self._write([listed])
            for some in _parts(claims.values()):
                self.fhir.store.write_sync(lambda tx, some=some: self._mark(tx, some))  # type: ignore[misc]

    def _mark(self, tx: Tx, claims: list[str]) -> None:
        """Tag claims as sent."""
        for id in claims:
            stored = tx.current("Claim", id)
            if stored is None or stored.deleted:
                continue
            claim = json.decode(stored.body)
            tags = claim.setdefault("meta", {}).setdefault("tag", [])
            if not any(tag.get("system") == BILLING and tag.get("code") == "exported" for tag in tags):
                tags.append({"system": BILLING, "code": "exported", "display": "Sent"})
                update.put(self.fhir, tx, claim, WHO)

    def _miss(self, number: str, why: str) -> None:
        self.taken.unmatched.append((number, why))

    def _communication(self) -> Json:
        """The file itself, with what could not be placed."""
        self.taken.kept = f"Communication/{self.delivery.id('file')}"
        data = base64.b64encode(self.data).decode()
        payload: list[Json] = [{"contentAttachment": {"contentType": MEDIA_TYPE, "data": data}}]
        payload += [{"contentString": f"{number}: {why}"} for number, why in self.taken.unmatched[:MOST_TOLD]]
        return {
            "resourceType": "Communication", "id": self.delivery.id("file"), "status": "completed",
            "identifier": [{"system": INTERCHANGE, "value": self.delivery.number}],
            "category": [{"text": self.delivery.kind}], "payload": payload,
        }  # fmt: skip

    def _write(self, resources: list[Json]) -> None:
        def write(tx: Tx) -> None:
            tx.prefetch((one["resourceType"], one["id"]) for one in resources)
            for one in resources:
                update.put(self.fhir, tx, one, WHO)

        self.fhir.store.write_sync(write)


def _linked(response: Json, claim: Json | None) -> Json:
    """An answer that refers to its Claim and to whom that names; what is not stored stays as it was told."""
    if claim is None:
        unsaid = {"patient": {"display": "Not said"}, "insurer": {"display": "Not said"}, "type": {"text": "Not said"}}
        return {**unsaid, **response}
    found = {**response, "request": {"reference": f"Claim/{claim['id']}", **response["request"]}}
    for name, inside in (("patient", "#p"), ("insurer", "#y")):
        reference = claim.get(name) or {}
        if reference.get("reference", "#").startswith("#"):
            found.setdefault(name, {"display": reference.get("display", "Not said")})
            continue
        found[name] = {"reference": reference["reference"]}
        found["contained"] = [one for one in found.get("contained") or () if f"#{one['id']}" != inside]
    if not found.get("contained"):
        found.pop("contained", None)
    return {"type": claim.get("type") or {"text": "Not said"}, **found}


def _parts(several: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(several)
    while part := list(islice(rest, TOGETHER)):
        yield part
