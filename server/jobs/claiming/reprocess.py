"""The job that answers stored claims again by today's rules and tables: page after page, each in one transaction.

What was answered before stays; what is new is told claim by claim and in sums.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import orjson

from claims.work import state_of, task_id
from claims.work_diff import Difference, compare
from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.interactions import update
from server.interactions.content import Content, instant
from server.interactions.exchange import Request, Response
from server.jobs import chunks, later
from server.jobs.claiming.desk import submit_of
from server.jobs.claiming.follow import Follow
from server.jobs.claiming.reprocess_asked import Asked, read_asked
from server.jobs.claiming.reprocess_told import changed, told
from server.jobs.exporting.pages import Pages, id_of
from server.jobs.kinds import Work
from server.operations.answers import answers
from server.operations.claims import Submit
from server.store import Tx

PAGE = 100
"""Claims that share a transaction: about two seconds of work."""


class Again(NamedTuple):
    """A claim that was answered again: its new answer (None: the old one stands), and the difference."""

    claim: str
    before: str | None
    after: dict[str, Any]
    made: Content | None
    difference: Difference


class Reprocess:
    """One such job that runs."""

    def __init__(self, work: Work, found: later.Later) -> None:
        self.work = work
        self.fhir = work.fhir
        self.request = found.asked
        self.asked: Asked = read_asked(self.request)
        self.pages = Pages(work.fhir, self.request)
        self.submit: Submit = submit_of(work)
        self.total = Difference()
        self.done = self.lines = 0

    def run(self) -> str:
        """Do every page, then tell."""
        start: dict[str, Any] = self.work.step("start", self._start)
        cursor: str | None = None
        for page in range(10**9):
            cursor = self._page(page, cursor, start)
            if cursor is None:
                break
        return str(self.work.tx_step("result", self._finish))

    def _start(self) -> dict[str, Any]:
        """What every page rests on: this moment, its rules and tables."""
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        of = self.pages.count("Claim", self.asked.pairs)
        return {"moment": moment, "of": of, "fingerprint": self.submit.desk.scrub().stamp.fingerprint}

    def _page(self, number: int, cursor: str | None, start: dict[str, Any]) -> str | None:
        """Do a page; where the next begins."""

        def prepare() -> tuple[list[Again], int, int, str | None]:
            if self.submit.desk.scrub().stamp.fingerprint != start["fingerprint"]:
                text = "Rules or tables were loaded meanwhile. What was answered stays; ask again for the rest."
                raise FhirError.of(Category.CONFLICT, "business-rule", text)
            page = self.pages.search("Claim", self.asked.pairs, cursor, PAGE)
            found, unread = self._answer(page.resources, datetime.fromisoformat(start["moment"]))
            return found, unread, len(page.resources), page.cursor

        def write(tx: Tx, prepared: tuple[list[Again], int, int, str | None]) -> dict[str, Any]:
            found, unread, seen, after = prepared
            total = Difference(unread=unread)
            for one in found:
                self._keep(tx, one)
                total.add(one.difference)
            if lines := [changed(one) for one in found if one.difference.changed]:
                chunks.write_chunk(tx, self.work.id, number, ("output", "changes", "Parameters"), lines)
            self.work.note_progress(tx, self.done + seen, max(start["of"], self.done + seen))
            return {"total": msgspec.to_builtins(total), "seen": seen, "lines": len(lines), "cursor": after}

        said: dict[str, Any] = self.work.tx_step(f"page-{number}", write, prepare)
        self.total.add(msgspec.convert(said["total"], Difference))
        self.done += said["seen"]
        self.lines += said["lines"]
        after: str | None = said["cursor"]
        return after

    def _answer(self, bodies: list[bytes], moment: datetime) -> tuple[list[Again], int]:
        """The claims of a page that are meant, answered again, and how many cannot be."""
        found, unread = [], 0
        for body in bodies:
            claim = id_of(body)
            last = self._last(claim)
            if not self.asked.wants(last) or not self._in_state(claim):
                continue
            try:
                if self.asked.payers and not self._of_payer(body):
                    continue
                found.append(self._again(claim, body, last, moment))
            except FhirError:
                unread += 1
        return found, unread

    def _again(self, claim: str, body: bytes, last: dict[str, Any] | None, moment: datetime) -> Again:
        request = msgspec.structs.replace(
            self.request, method="POST", path=("Claim", "$submit"), query=(), body=_sent(body), prefer=""
        )
        answer = self.submit.answer(request, moment)
        after = orjson.loads(answer.body) if isinstance(answer, Response) else answer.resource
        difference = compare(last, after)
        before = None if last is None else str(last["id"])
        difference.answered = int(before != after["id"])
        return Again(claim, before, after, None if isinstance(answer, Response) else answer, difference)

    def _last(self, claim: str) -> dict[str, Any] | None:
        """The last answer of ours to a claim."""
        from claims.work_answer import source_of

        return next((one for one in answers(self.fhir, self.request, claim) if source_of(one) == "scrub"), None)

    def _in_state(self, claim: str) -> bool:
        if not self.asked.states:
            return True
        try:
            asking = self.request
            path = ("Task", task_id(claim))
            read = Request(method="GET", path=path, base_url=asking.base_url, caller=asking.caller)
            task = json.decode(self.fhir.handle_sync(read).body)
        except FhirError:
            return False
        return state_of(task) in self.asked.states or task.get("status") in self.asked.states

    def _of_payer(self, body: bytes) -> bool:
        from claims.sheet.read import read_claim
        from server.operations.near import Near

        claim = read_claim(body, 0, Near(self.fhir, self.request))["claim"]
        return claim["payer_id"] in self.asked.payers

    def _keep(self, tx: Tx, one: Again) -> None:
        """Store a new answer, whose Task follows it; one that stood before only counts again."""
        if self.asked.dry:
            return
        if one.made is None:
            if one.difference.answered:
                Follow(self.fhir).follow(tx, one.after, self.request.caller)
            return
        found = tx.current(one.made.type, one.made.id)
        if found is None or found.deleted:
            put = Request(method="PUT", path=(one.made.type, one.made.id), base_url=self.request.base_url,
                          caller=self.request.caller, prefer="return=minimal")  # fmt: skip
            update.run(self.fhir, tx, put, one.made)

    def _finish(self, tx: Tx) -> str:
        url = f"{self.request.base_url}/$file/{self.work.id}/output/changes.ndjson"
        body = told(self.total, self.asked.dry, instant(tx.now).decode(), (url, self.lines))
        later.finish(tx, self.work.id, json.encode(body), self.work.settings)
        return "done"


def _sent(body: bytes) -> bytes:
    """A stored claim as it was sent: what the server put there is not what a claim says."""
    claim = json.decode(body)
    meta = {name: value for name, value in claim.pop("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    return json.encode({**claim, "meta": meta} if meta else claim)


KIND = later.kind("claim_reprocess", lambda work, found: Reprocess(work, found).run())
