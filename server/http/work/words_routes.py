"""Words of a page that were hard to read: shown beside their picture, put right, and the document coded again."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from server.http.pages.auth.visit import Form

from .desk import Desk
from .reception import Reception
from .shown import part
from .toasts import go_to, refused

ROOM = "review"
MOST = 60
"""Words of a page that are shown at once, the least sure first."""


class Word(NamedTuple):
    """A word that was hard to read; `crop` is the address of its picture, with a little room around it."""

    text: str
    other: str
    start: int
    length: int
    confidence: float
    crop: str


def words_routes(router: APIRouter, reception: Reception) -> None:
    """The words of a page, and what stands there."""

    @router.get("/work/review/{id}/doubtful/{number:int}")
    async def doubtful(request: Request, id: str, number: int) -> Response:
        desk = await reception.desk(request, ROOM, "decide")
        return part(desk, "review_words.html", **await _told(desk, id, number))

    @router.post("/work/review/{id}/correct/{number:int}")
    async def correct(request: Request, id: str, number: int) -> Response:
        desk, form = await reception.posted(request, ROOM, "decide")
        corrections = _corrections(form, number)
        if not corrections:
            shown = part(desk, "review_words.html", **await _told(desk, id, number))
            return refused(shown, "Nothing was changed or confirmed.", 400)
        answer = await desk.send(
            "POST", f"DocumentReference/{id}/$correct-words",
            body={"resourceType": "Parameters", "parameter": corrections}, headers={"if-match": form.one("version")},
        )  # fmt: skip
        shown = part(desk, "nothing.html")
        return go_to(shown, f"/work/upload?of={id}") if answer.ok else refused(shown, answer.told(), answer.status)


async def _told(desk: Desk, id: str, number: int) -> dict[str, Any]:
    """What the template shows."""
    document = await desk.read(f"DocumentReference/{id}")
    told = await desk.read(f"DocumentReference/{id}/$page-words", page=number)
    found = sorted((one for one in told.get("words") or () if one[8]), key=lambda one: float(one[7]))
    version = f'W/"{document["meta"]["versionId"]}"'
    return {"id": id, "page": number, "version": version, "words": [_word(id, number, one) for one in found[:MOST]]}


def _word(id: str, number: int, one: list[Any]) -> Word:
    left, top, width, height = (float(side) for side in one[1:5])
    x, y = max(0.0, left - 0.02), max(0.0, top - 0.006)
    w, h = min(1.0 - x, width + 0.04), min(1.0 - y, height + 0.012)
    crop = f"/work/review/{id}/image/{number}?width=2000&crop={x:.5f},{y:.5f},{w:.5f},{h:.5f}"
    start, end = int(one[5]), int(one[6])
    return Word(str(one[0]), str(one[9]) if len(one) > 9 else "", start, end - start, float(one[7]), crop)


def _corrections(form: Form, number: int) -> list[dict[str, Any]]:
    """The words that were changed, and those that were said to be right."""
    found = []
    for place in form.all("place")[:MOST]:
        start, _, length = place.partition("-")
        text, was = form.one(f"text-{start}").strip(), form.one(f"was-{start}")
        right = form.one(f"right-{start}") == "1"
        if not (start.isdigit() and length.isdigit()) or not text or (text == was and not right):
            continue
        parts = [
            {"name": "page", "valuePositiveInt": number}, {"name": "offset", "valueUnsignedInt": int(start)},
            {"name": "length", "valueUnsignedInt": int(length)}, {"name": "text", "valueString": text[:200]},
        ]  # fmt: skip
        found.append({"name": "correction", "part": parts})
    return found
