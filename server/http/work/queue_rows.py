"""The queue: documents that were coded, with how their review stands, the most pressing first.

https://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from fhir_profiles.systems import CONFIDENCE
from server.review.gather import claim_of
from server.review.model import Json
from server.review.unaided import is_unaided
from server.review.work import REASONS, is_of, state_of, until, work_id

from .desk import Desk
from .review_decide import who

MOST = 500
"""Documents of which the queue chooses: the oldest that are coded."""

SORTS = ("pressing", "oldest", "money", "doubt")
STATES = ("open", "mine", "taken", "pending", "done")
PAGE = 50


class Row(NamedTuple):
    """A document in the queue."""

    id: str
    title: str
    patient: str
    state: str
    owner: str
    mine: bool
    until: str
    reason: str
    coded: str
    hours: float
    codes: int
    least: float | None
    """The least confidence of a code on the claim, 0 to 1."""

    charge: Decimal | None
    unaided: bool
    """Whether it is coded without the machine's suggestions."""

    @property
    def pressing(self) -> float:
        """How much it presses: hours of waiting, money and doubt together, each at most as much as the others."""
        money = min(float(self.charge or 0) / 500, 1.0)
        return min(self.hours / 72, 1.0) + money + (1 - (1.0 if self.least is None else self.least))


class Asked(NamedTuple):
    """What somebody wants to see of the queue."""

    state: str = "open"
    sort: str = "pressing"
    text: str = ""


def asked_of(params: Mapping[str, str]) -> Asked:
    """From the address of the page; what is not known is as usual."""
    state, sort = params.get("state", "open"), params.get("sort", "pressing")
    return Asked(
        state if state in STATES else "open",
        sort if sort in SORTS else "pressing",
        params.get("text", "")[:100].strip(),
    )


async def rows_of(desk: Desk) -> list[Row]:
    """Every document that was coded, in no order."""
    now = datetime.now(UTC)
    codings = await desk.search(
        "Task", [("code", "code-document"), ("status", "completed"), ("_sort", "authored-on"), ("_count", "500")], MOST
    )
    documents = [str(one["focus"]["reference"]) for one in codings if "focus" in one]
    ids = [document.partition("/")[2] for document in documents]
    wanted = [*documents, *(f"Task/{work_id(id)}" for id in ids), *map(claim_of, documents)]
    wanted += dict.fromkeys(one["for"]["reference"] for one in codings if "for" in one)
    found = await desk.all(wanted)
    return [
        _row(desk, coding, found, document, now)
        for coding, document in zip(codings, documents, strict=False)
        if document in found
    ]


def chosen(rows: Iterable[Row], asked: Asked) -> list[Row]:
    """The rows that are asked for, in the order that is asked for."""
    kept = [one for one in rows if _is_wanted(one, asked)]
    keys: Mapping[str, Any] = {
        "pressing": lambda one: -one.pressing,
        "oldest": lambda one: one.coded,
        "money": lambda one: -(one.charge or 0),
        "doubt": lambda one: 2.0 if one.least is None else one.least,
    }
    return sorted(kept, key=keys[asked.sort])


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows each state has."""
    return {state: sum(_is_wanted(one, Asked(state)) for one in rows) for state in STATES}


def _is_wanted(one: Row, asked: Asked) -> bool:
    mine = one.mine and one.state in ("taken", "pending")
    right = mine if asked.state == "mine" else one.state == asked.state
    text = asked.text.casefold()
    return right and (not text or text in one.title.casefold() or text in one.patient.casefold())


def _row(desk: Desk, coding: Json, found: Mapping[str, Json], document: str, now: datetime) -> Row:
    id = document.partition("/")[2]
    work, claim = found.get(f"Task/{work_id(id)}"), found.get(claim_of(document)) or {}
    end = str((coding.get("executionPeriod") or {}).get("end") or coding.get("lastModified", ""))
    sure = [float(value) for value in _confidences(claim)]
    state = state_of(work, now)
    codes = (((work or {}).get("statusReason") or {}).get("coding") or [{}])[0].get("code", "")
    patient = found.get((coding.get("for") or {}).get("reference", "")) or {}
    attachment = (((found[document].get("content") or [{}])[0]).get("attachment")) or {}
    return Row(
        id=id,
        title=str(found[document].get("description") or attachment.get("title") or "Document"),
        patient=_named(patient),
        state=state,
        owner=str(((work or {}).get("owner") or {}).get("display", "")) if state != "open" else "",
        mine=is_of(work, who(desk)),
        until=until(work).strftime("%H:%M") if work and state == "taken" else "",
        reason=REASONS.get(codes, ""),
        coded=end,
        hours=max(0.0, (now - datetime.fromisoformat(end)).total_seconds() / 3600) if end else 0.0,
        codes=len(claim.get("diagnosis") or ()) + len(claim.get("item") or ()),
        least=min(sure) if sure else None,
        charge=Decimal(str(claim["total"]["value"])) if "value" in (claim.get("total") or {}) else None,
        unaided=is_unaided(coding),
    )


def _confidences(claim: Mapping[str, Any]) -> list[Any]:
    concepts = [one.get("diagnosisCodeableConcept") for one in claim.get("diagnosis") or ()]
    concepts += [one.get("productOrService") for one in claim.get("item") or ()]
    return [
        extension["valueDecimal"]
        for concept in concepts
        for coding in (concept or {}).get("coding") or ()
        for extension in coding.get("extension") or ()
        if extension.get("url") == CONFIDENCE and "valueDecimal" in extension
    ]


def _named(patient: Mapping[str, Any]) -> str:
    name = (patient.get("name") or [{}])[0]
    return str(name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]).strip())
