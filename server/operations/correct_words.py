"""`DocumentReference/[id]/$correct-words`: what was misread is put right, and the document coded again.

docs/operations/correct-words.md, https://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import CODING_DECISION, PROVENANCE_PARTICIPANT, REVIEW_ROLE
from server.access.caller import Caller
from server.access.gate import require
from server.interactions.content import instant
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.correcting import Said, Standing, joined
from server.jobs.corrections import MOST, corrections_of, read_of, with_corrections
from server.operations.page_words import PageWords
from server.operations.papers import Paper, Papers
from server.operations.parameters import wrong
from server.store import Tx

AT_ONCE = 500
"""Corrections in one call."""

LONGEST = 200
"""Characters of what stands in a place."""

_WANTED = (
    f"Send a Parameters with 1 to {AT_ONCE} parameters named correction; the parts of each: page, offset, length, text."
)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class CorrectWords:
    """Stores corrections with the document, signed by who made them; the coding follows from the new version."""

    def __init__(self, papers: Papers, words: PageWords, fhir: Fhir) -> None:
        self._papers = papers
        self._words = words
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """Where the document and the Task of its coding stand now; FhirError for what is no correction."""
        said = read_said(request)
        if request.if_match is None:
            text = "Offsets are those of one version of the document: send If-Match with the ETag of a read."
            raise FhirError.of(Category.CONFLICT, "required", text)
        require(request.caller, "Provenance", "c")
        require(request.caller, "Condition", "u")
        paper = await self._fhir.store.run(self._papers.find, request)
        corrections = await self._words.apart(self._joined, paper, said)
        return await self._fhir.store.write(lambda tx: self._write(tx, request, paper, corrections))

    def _joined(self, paper: Paper, said: list[Said]) -> list[Standing]:
        document = self._words.read(paper)
        if not document.pages:
            text = "The document is text: nothing was misread in it. Store the document as it should be."
            raise FhirError.of(Category.INCORRECT, "business-rule", text)
        standing = list(zip(corrections_of(paper.document), read_of(paper.document), strict=True))
        corrections = joined(document, said, standing)
        if len(corrections) > MOST:
            text = f"A document may have {MOST} corrections. Scan it again at a better resolution."
            raise FhirError.of(Category.INCORRECT, "business-rule", text)
        return corrections

    def _write(self, tx: Tx, request: Request, paper: Paper, corrections: list[Standing]) -> Response:
        """The document with its corrections, and who made them; all that is coded follows in its own time."""
        path = request.path[:2]
        old = json.decode(self._send(tx, request, "GET", path).body)
        if old["meta"]["versionId"] != paper.document["meta"]["versionId"]:
            text = "The document was changed meanwhile. Read its words again and repeat the correction."
            raise FhirError.of(Category.CONFLICT, "conflict", text)
        body = json.encode(with_corrections(old, corrections))
        answer = self._send(tx, request, "PUT", path, body, request.if_match, _for(request.caller))
        now = f"DocumentReference/{path[1]}/_history/{(answer.etag or '')[3:-1]}"
        signed = _signed(tx, request.caller, now, f"DocumentReference/{path[1]}/_history/{old['meta']['versionId']}")
        self._send(tx, request, "POST", ("Provenance",), json.encode(signed))
        told: list[dict[str, Any]] = [{"name": "document", "valueReference": {"reference": now}}]
        if tx.current("Task", tasks.task_id(path[1])) is not None:
            told.append({"name": "task", "valueReference": {"reference": f"Task/{tasks.task_id(path[1])}"}})
        return Response(
            status=200, body=json.encode({"resourceType": "Parameters", "parameter": told}), etag=answer.etag
        )

    def _send(
        self,
        tx: Tx,
        request: Request,
        method: str,
        path: tuple[str, ...],
        body: bytes = b"",
        if_match: str | None = None,
        caller: Caller | None = None,
    ) -> Response:
        return self._fhir.handle_in(
            tx,
            Request(
                method=method,
                path=path,
                body=body,
                base_url=request.base_url,
                if_match=if_match,
                prefer="return=minimal" if body else "",
                caller=caller or request.caller,
            ),
        )


def read_said(request: Request) -> list[Said]:
    """The corrections of a call; 400 for what is none."""
    body = json.decode(request.body) if request.body else {}
    listed = body.get("parameter") if body.get("resourceType") == "Parameters" else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= AT_ONCE:
        raise wrong(_WANTED, "Parameters.parameter")
    return [_said(one, f"Parameters.parameter[{number}]") for number, one in enumerate(listed)]


def _said(one: Any, where: str) -> Said:
    parts = one.get("part") if isinstance(one, dict) and one.get("name") == "correction" else None
    if not isinstance(parts, list):
        raise wrong(_WANTED, where)
    values = {
        part.get("name"): value
        for part in parts
        if isinstance(part, dict)
        for key, value in part.items()
        if key.startswith("value")
    }
    if values.keys() != {"page", "offset", "length", "text"} or len(parts) != len(values):
        raise wrong(_WANTED, where)
    page, offset, length = (_whole(values[name], least, where) for name, least in _LEAST.items())
    text = values["text"]
    if not isinstance(text, str) or not text.split() or len(text) > LONGEST or _UNSEEN.search(text):
        raise wrong(f"text must be what stands there: 1 to {LONGEST} characters, in one line.", where)
    return Said(page, offset, length, " ".join(text.split()))


_LEAST = {"page": 1, "offset": 0, "length": 1}


def _whole(value: Any, least: int, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 100_000_000:
        raise wrong(_WANTED, where)
    return value


def _for(caller: Caller) -> Caller:
    """The server, for the caller: whoever may sign for what stands on a page need not be given the whole document."""
    return msgspec.structs.replace(caller, grants=None, role=None)


def _signed(tx: Tx, caller: Caller, now: str, before: str) -> dict[str, Any]:
    """Who corrected what: the Provenance of the new version."""
    who = {"reference": caller.user} if caller.user else {"display": caller.who}
    performer = {"system": PROVENANCE_PARTICIPANT, "code": "performer", "display": "Performer"}
    role = {"system": REVIEW_ROLE, "code": "coder", "display": "Coder"}
    activity = {"system": CODING_DECISION, "code": "correct-words", "display": "Correct words"}
    return {
        "resourceType": "Provenance",
        "target": [{"reference": now}],
        "recorded": instant(tx.now).decode(),
        "activity": {"coding": [activity]},
        "agent": [{"type": {"coding": [performer]}, "role": [{"coding": [role]}], "who": who}],
        "entity": [{"role": "revision", "what": {"reference": before}}],
    }
