"""The other tabs of a claim: as FHIR, as X12, and who decided what."""

from __future__ import annotations

import csv
import io
from typing import Any, NamedTuple

import orjson

from server.review.trail import Event, sets_of, timeline
from server.review.unaided_task import Comparison, comparison_id, comparison_of

from .desk import Desk
from .review_open import Opened

X12 = "application/edi-x12"
TABS = ("fhir", "837", "trail", "compared")
UNSAFE = ("=", "+", "-", "@", "\t", "\r")
"""With what a cell begins that a spreadsheet would run."""


class Happened(NamedTuple):
    """Something that happened to a document, as a person reads it."""

    at: str
    what: str
    about: str
    who: str
    note: str


async def tab_of(desk: Desk, open: Opened, name: str) -> dict[str, Any]:
    """What the template of a tab needs."""
    if name == "compared":
        return {"compared": await comparison(desk, open), "body": "", "events": [], "sets": None}
    if name == "trail":
        return {"events": events_of(open), "sets": sets_of(open.review), "body": ""}
    if not open.claim:
        return {"body": "There is no claim yet: accept a code first.", "events": [], "sets": None}
    if name == "837":
        answer = await desk.send("GET", f"Claim/{open.claim['id']}/$x12", headers={"accept": X12})
        body = answer.body.decode() if answer.ok else answer.told()
    else:
        body = (await desk.asked("GET", f"Claim/{open.claim['id']}")).body.decode()
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    return {"body": body, "events": [], "sets": None}


async def comparison(desk: Desk, open: Opened) -> Comparison | None:
    """What the machine had beside what was coded unaided; None until the review is finished."""
    name = f"Task/{comparison_id(open.id)}"
    return comparison_of((await desk.all([name])).get(name)) if open.unaided else None


def events_of(open: Opened) -> list[Happened]:
    """What happened, the newest first."""
    named = {one.reference: one.code for one in open.review.suggestions}

    def told(one: Event) -> Happened:
        about = " ".join(dict.fromkeys(named[name] for name in one.about if name in named))
        what = "coded" if one.kind == "run" else f"{one.kind} (undone)" if one.void else one.kind
        who = f"{one.who} ({one.role})" if one.role else one.who
        return Happened(one.at, what, about, who, ", ".join(filter(None, (one.reason, one.note))))

    return [told(one) for one in reversed(timeline(open.review))]


def trail_csv(open: Opened) -> str:
    """The events as CSV, the oldest first; a cell never begins a formula."""
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(("at", "what", "about", "who", "note"))
    for one in reversed(events_of(open)):
        write.writerow([f"'{cell}" if cell.startswith(UNSAFE) else cell for cell in one])
    return out.getvalue()
