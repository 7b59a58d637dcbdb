"""Who holds a document: taking it, keeping it, putting it aside, handing it on, each as one transaction.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fhir_profiles.errors import Category, FhirError
from server.jobs.tasks import task_id
from server.review import work as works
from server.review.model import Json

from .desk import Desk
from .review_decide import now_text, who
from .review_open import Opened


class Held:
    """The work on a document as it stands for somebody."""

    def __init__(self, document: str, coding: Json, work: Json | None, desk: Desk) -> None:
        self.document = document
        self._coding = coding
        self.work = work
        self._who: Json = dict(who(desk))
        self.now = datetime.now(UTC)

    @property
    def state(self) -> works.State:
        """open, taken, pending or done."""
        return works.state_of(self.work, self.now)

    @property
    def mine(self) -> bool:
        """Whether this one holds it."""
        return self.state in ("taken", "pending") and works.is_of(self.work, self._who)

    @property
    def other(self) -> str:
        """Who else holds it; "" where nobody does."""
        return "" if self.mine or self.state != "taken" else str((self.work or {}).get("owner", {}).get("display", ""))

    @property
    def until(self) -> str:
        """When the lock of whoever holds it ends."""
        return works.until(self.work).strftime("%H:%M UTC") if self.work and self.state == "taken" else ""

    @property
    def reason(self) -> str:
        """Why it was put aside."""
        told = (self.work or {}).get("statusReason") or {}
        code = (told.get("coding") or [{}])[0].get("code", "")
        return ": ".join(filter(None, (works.REASONS.get(code, ""), told.get("text", "")))) if told else ""

    def take(self, *, over: bool = False) -> list[Json]:
        """The entries that take or keep it; FhirError (409) where somebody else has it, unless it is taken `over`."""
        if self.other and not over:
            text = f"{self.other} has this document until {self.until}. Take it over, or choose another."
            raise FhirError.of(Category.CONFLICT, "lock-error", text)
        if self.mine and self.state == "taken" and self.work and works.is_fresh(self.work, self.now):
            return []
        return [works.put(works.taken(self.work, self.document, self._coding, self._who, self.now), self.work)]

    def pend(self, reason: str, note: str) -> list[Json]:
        """The entries that put it aside."""
        if reason not in works.REASONS:
            raise FhirError.of(Category.INCORRECT, "value", "There is no such reason. Choose one of the list.")
        self.take()
        before = works.taken(self.work, self.document, self._coding, self._who, self.now)
        return [works.put(works.pended(before, reason, note[:500], self.now), self.work)]

    def release(self) -> list[Json]:
        """The entries that give it back."""
        return [works.put(works.released(self.work, self.now), self.work)] if self.work and self.mine else []

    def finish(self) -> list[Json]:
        """The entries that end it."""
        self.take()
        before = works.taken(self.work, self.document, self._coding, self._who, self.now)
        return [works.put(works.finished(before, self.now), self.work)]


async def held(desk: Desk, document: str) -> Held:
    """How the work on a document stands."""
    names = [f"Task/{task_id(document)}", f"Task/{works.work_id(document)}"]
    found = await desk.all(names)
    if names[0] not in found:
        await desk.read(names[0])  # which tells why there is nothing to hold
    return Held(document, found.get(names[0]) or {}, found.get(names[1]), desk)


def held_of(desk: Desk, open: Opened) -> Held:
    """How the work on an opened document stands."""
    return Held(open.id, open.task, open.work, desk)


async def store(desk: Desk, entries: list[Json]) -> None:
    """Store entries in one transaction; RefusedError where somebody was faster."""
    if entries:
        await desk.asked("POST", "", body={"resourceType": "Bundle", "type": "transaction", "entry": entries})


def question(held: Held, patient: str | None, about: str, text: str, asker: Json) -> Json:
    """The entry of a question to whoever treated the patient (https://hl7.org/fhir/R4/communicationrequest.html)."""
    made: dict[str, Any] = {
        "resourceType": "CommunicationRequest",
        "status": "active",
        "category": [{"text": about}],
        "about": [{"reference": f"DocumentReference/{held.document}"}],
        "payload": [{"contentString": text}],
        "authoredOn": now_text(),
        "requester": {name: asker[name] for name in ("reference", "display") if name in asker},
    }
    if patient:
        made["subject"] = {"reference": patient}
    return {"resource": made, "request": {"method": "POST", "url": "CommunicationRequest"}}
