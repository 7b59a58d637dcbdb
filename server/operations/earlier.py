"""A patient's earlier claims on this server, by the ordinary search (https://hl7.org/fhir/R4/http.html#search).

Each stored claim is laid out once and its lines are kept for the process, until it or what it refers to has another
version.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from claims.history import Earlier, corrects, earlier
from claims.sheet.read import read_claim
from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CLAIM_CONTENT
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.operations.near import Near

MOST = 200
"""Earlier claims that one claim is held against: the newest."""
DAYS = 1_096
"""How long before the first service they may have been created: three years."""
KEPT = 10_000
"""Claims whose lines a process keeps."""
_ANSWERS = 1_000
_REFERENCES = 1_000


class Past(NamedTuple):
    """The earlier claims, what became of them by id, since when, and whether there were more than are asked."""

    claims: list[Earlier]
    states: Mapping[str, str]
    since: str
    more: bool
    digest: str


class _Kept(NamedTuple):
    earlier: Earlier
    rests: Mapping[str, str | None]
    digest: bytes


class EarlierClaims:
    """Looks up earlier claims."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, request: Request, patient: str, first: int | None, today: date) -> Past:
        """Those of `Patient/id`, for a claim whose first service is on a day since 1970 (today where it has none)."""
        day = today if first is None else date(1970, 1, 1) + timedelta(days=min(max(first, 0), 100_000))
        since = (day - timedelta(days=DAYS)).isoformat()
        asked = {"patient": patient, "status": "active", "use": "claim", "created": f"ge{since}", "_sort": "-created"}
        found = self._search(request, "Claim", asked, MOST)
        if not found.entry:
            return Past([], {}, since, False, "")
        near = Near(self._fhir, request, _REFERENCES)
        read = [self._laid_out(bytes(entry.resource), near) for entry in found.entry]
        kept = [one for one in read if one is not None]
        states = self._states(request, patient, [one.earlier for one in kept])
        said = b"".join(one.digest for one in kept) + msgspec.json.encode(sorted(states.items()))
        more = len(kept) < len(read) or any(link.relation == "next" for link in found.link)
        return Past([one.earlier for one in kept], states, since, more, hashlib.sha256(said).hexdigest())

    def _search(self, request: Request, name: str, asked: Mapping[str, str], most: int) -> _Page:
        query = (*asked.items(), ("_count", str(most)), ("_total", "none"))
        one = Request(method="GET", path=(name,), query=query, base_url=request.base_url, caller=request.caller)
        return _page.decode(self._fhir.handle_sync(one).body)

    def _laid_out(self, body: bytes, near: Near) -> _Kept | None:
        """The lines of a stored claim; None where it cannot be read as one."""
        stored = _stored.decode(body)
        if stored.resource_type != "Claim":
            return None
        key = stored.id, f"{stored.meta.version_id} {stored.meta.last_updated}"
        kept = self._kept.get(key)
        try:
            if kept is None or any(near.version(name) != version for name, version in kept.rests.items()):
                kept = _lay_out(body, near)
                with self._lock:
                    self._kept[key] = kept
                    while len(self._kept) > KEPT:
                        self._kept.popitem(last=False)
        except FhirError:
            return None
        return kept

    def _states(self, request: Request, patient: str, several: list[Earlier]) -> dict[str, str]:
        """What became of claims, by the answers of payers: those to the claim, or to its control number."""
        asked = {"patient": patient, "status": "active", "identifier:not": f"{CLAIM_CONTENT}|", "_sort": "created"}
        numbers = {one.control: one.id for one in several if one.control is not None}
        found: dict[str, str] = {}
        for entry in self._search(request, "ClaimResponse", asked, _ANSWERS).entry:
            answer = _answer.decode(entry.resource)
            if answer.resource_type != "ClaimResponse" or answer.request is None:
                continue
            about = "/".join((answer.request.reference or "").split("/")[-2:]).removeprefix("Claim/")
            number = answer.request.identifier.value if answer.request.identifier is not None else None
            if id := about or numbers.get(number or ""):
                found[id] = _state(answer)
        return found


def _lay_out(body: bytes, near: Near) -> _Kept:
    with near.noting() as rests:
        found = earlier(read_claim(body, 0, near), corrects(body))
    return _Kept(found, rests, hashlib.blake2b(msgspec.json.encode(found.rows), digest_size=16).digest())


def _state(answer: _Answer) -> str:
    if answer.outcome == "queued":
        return "pending"
    if answer.outcome == "error" or answer.disposition == "Denied":
        return "denied"
    paid = answer.payment is not None and answer.payment.amount is not None and (answer.payment.amount.value or 0) > 0
    return "paid" if paid else "accepted"


class _Part(msgspec.Struct, rename="camel"):
    """A part of a stored resource."""


class _Meta(_Part):
    version_id: str = ""
    last_updated: str = ""


class _Stored(_Part):
    resource_type: str = ""
    id: str = ""
    meta: _Meta = msgspec.field(default_factory=_Meta)


class _Entry(_Part):
    resource: msgspec.Raw = msgspec.Raw(b"{}")


class _Link(_Part):
    relation: str = ""


class _Page(_Part):
    entry: list[_Entry] = []
    link: list[_Link] = []


class _Identifier(_Part):
    value: str | None = None


class _About(_Part):
    reference: str | None = None
    identifier: _Identifier | None = None


class _Amount(_Part):
    value: float | None = None


class _Payment(_Part):
    amount: _Amount | None = None


class _Answer(_Part):
    resource_type: str = ""
    request: _About | None = None
    outcome: str = ""
    disposition: str = ""
    payment: _Payment | None = None


_page = msgspec.json.Decoder(_Page)
_stored = msgspec.json.Decoder(_Stored)
_answer = msgspec.json.Decoder(_Answer)
