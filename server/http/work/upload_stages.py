"""How far documents that were handed in are: what their Tasks tell (docs/operations/task.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from fhir_profiles.systems import TASK_STAGE
from server.jobs.tasks import FINAL

from .desk import Desk, Json

STEPS = ("received", "pages", "findings", "codes", "emitted")
WORDS = {"received": "Received", "pages": "Pages", "findings": "Findings", "codes": "Codes", "emitted": "Stored"}
LATEST = 10
"""Documents that are shown when none is asked for."""

_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
_PAGES = re.compile(r"(\d+)/(\d+)$")


class Step(msgspec.Struct, frozen=True):
    """A stage of a document: `state` is done, now, failed or later."""

    name: str
    state: str
    detail: str = ""


class Row(msgspec.Struct, frozen=True):
    """A document and how far it is; `task` is empty where it is not coded."""

    id: str
    title: str
    task: str
    state: str
    reason: str
    steps: tuple[Step, ...]
    found: int

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in FINAL or not self.task


def ids_of(text: str) -> list[str]:
    """The ids of documents in an address, `a,b`; what is none is left out."""
    return [one for one in dict.fromkeys(text.split(",")) if _ID.fullmatch(one)][:100]


async def rows_of(desk: Desk, ids: Sequence[str]) -> list[Row]:
    """The documents with these ids, or else the latest; those that this one may not see are left out."""
    asked = [("code", "code-document"), ("_sort", "-_lastUpdated")]
    if ids:
        asked += [("focus", ",".join(f"DocumentReference/{id}" for id in ids)), ("_count", str(len(ids)))]
    else:
        asked += [("_count", str(LATEST))]
    tasks = await desk.search("Task", asked, most=len(ids) or LATEST)
    by_id = {task["focus"]["reference"].rpartition("/")[2]: task for task in tasks if task.get("focus")}
    wanted = list(ids) or list(by_id)
    known = await _documents(desk, wanted, "description")
    untitled = [id for id, one in known.items() if not one.get("description")]
    known |= await _documents(desk, untitled, "content")  # which may hold all of a document: only where it must be
    return [_row(known[id], by_id.get(id) or {}) for id in wanted if id in known]


def shown(ids: Sequence[str], rows: Sequence[Row]) -> dict[str, Any]:
    """What the list of stages shows, and where it asks again while something is under way."""
    wait = ",".join(row.id for row in rows if not row.ended)
    again = f"/work/upload/stages?of={quote(','.join(ids))}&wait={quote(wait)}" if wait else ""
    return {"rows": rows, "of": ",".join(ids), "again": again, "refused": []}


async def _documents(desk: Desk, ids: Sequence[str], element: str) -> dict[str, Json]:
    """Documents by their ids, with one element."""
    query = [("_id", ",".join(ids)), ("_elements", element), ("_count", "100")]
    return {one["id"]: one for one in await desk.search("DocumentReference", query, most=100)} if ids else {}


def _row(document: Mapping[str, Any], task: Mapping[str, Any]) -> Row:
    attachment = (document.get("content") or [{}])[0].get("attachment") or {}
    title = str(document.get("description") or attachment.get("title") or f"Document {document['id']}")
    reason = str((task.get("statusReason") or {}).get("text", ""))
    state = str(task.get("status", ""))
    found = sum(
        one["valueReference"]["reference"].startswith(("Condition/", "Procedure/")) for one in task.get("output") or ()
    )
    return Row(document["id"], title, str(task.get("id", "")), state, reason, steps_of(task), found)


def steps_of(task: Mapping[str, Any]) -> tuple[Step, ...]:
    """The stages of a document by its Task; none where it is not coded."""
    if not task:
        return ()
    status = task.get("businessStatus") or {}
    stands = _stage(status) or "received"
    if stands in ("failed", "cancelled"):
        stands = _stage(task.get("statusReason") or {}) or "received"
    pages = _PAGES.search(str(status.get("text", "")))
    at = STEPS.index(stands) if stands in STEPS else 0
    ended = task.get("status") == "completed"
    broken = task.get("status") in ("failed", "cancelled")
    steps = []
    for number, name in enumerate(STEPS):
        state = "done" if number < at or ended else "later" if number > at else "failed" if broken else "now"
        detail = f"{pages[1]} of {pages[2]}" if pages and name == stands == "pages" else ""
        steps.append(Step(WORDS[name], state, detail))
    return tuple(steps)


def _stage(concept: Mapping[str, Any]) -> str:
    """The code of a stage in a concept, "" where it has none."""
    codings = concept.get("coding") or ()
    return next((str(one.get("code")) for one in codings if one.get("system") == TASK_STAGE), "")
