"""A page of a document as the review shows it: the boxes of its suggestions, or its text with them marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from server.review.model import Suggestion

from .desk import Desk
from .review_open import Opened

WIDE = 1000.0
"""Units of width of a page's drawing: its pixels do not matter."""

STATES = {"accepted": "accepted", "added": "accepted", "replaced": "accepted", "rejected": "rejected"}
ROOM = 2.0
"""Units of room around the words of a box."""


class Box(NamedTuple):
    """A rectangle on a page, and the suggestions that it proves."""

    of: str
    state: str
    x: float
    y: float
    width: float
    height: float


class Piece(NamedTuple):
    """Text that proves the same suggestions throughout, or none."""

    text: str
    of: str = ""
    state: str = ""


class Sheet(NamedTuple):
    """A page, drawn or as text."""

    width: int
    height: int
    told: str
    doubtful: int
    boxes: list[Box]
    pieces: list[Piece]


async def sheet_of(desk: Desk, open: Opened, page: int, *, text: bool) -> Sheet:
    """A page of an opened document."""
    about: Mapping[str, Any] = next((one for one in open.overview.get("pages") or () if one["page"] == page), {})
    width, height = float(about.get("width") or 612), float(about.get("height") or 792)
    tall = WIDE * height / width
    pieces = await _pieces(desk, open, page) if text or not open.of else []
    boxes = [] if pieces else _boxes(open.review.suggestions, page, tall)
    return Sheet(round(WIDE), round(tall), _told(about), int(about.get("doubtful") or 0), boxes, pieces)


def _told(about: Mapping[str, Any]) -> str:
    """How a page was read, for a person."""
    ways = {"ocr": "read from the image", "hybrid": "text layer and image", "prior-ocr": "text layer of a scanner"}
    way = ways.get(str(about.get("method")), "")
    return f"{way}, {float(about['confidence']):.0f} % sure" if way and about.get("confidence") is not None else way


def _boxes(suggestions: Iterable[Suggestion], page: int, tall: float) -> list[Box]:
    """The boxes on a page; suggestions that rest on the same words share one."""
    found: dict[tuple[float, float, float, float], list[tuple[str, str]]] = {}
    for one in suggestions:
        for n, place in enumerate(one.places):
            if place.page == page:
                state = STATES.get(one.state, "doubtful" if one.doubtful else "") + ("" if n == 0 else " support")
                sides = place.left * WIDE, place.top * tall, place.width * WIDE, place.height * tall
                found.setdefault(sides, []).append((one.reference, state.strip()))
    return [
        Box(
            " ".join(dict.fromkeys(name for name, _ in of)), of[0][1],
            round(x - ROOM, 1), round(y - ROOM, 1), round(width + 2 * ROOM, 1), round(height + 2 * ROOM, 1),
        )
        for (x, y, width, height), of in found.items()
    ]  # fmt: skip


async def _pieces(desk: Desk, open: Opened, page: int) -> list[Piece]:
    """The text of a page, cut where suggestions begin and end."""
    answer = await desk.send("GET", f"DocumentReference/{open.id}/$page-words", {"page": page} if open.of else ())
    if not answer.ok:
        return [Piece(answer.told())]
    told = answer.json()
    start, text = (0, str(told["text"])) if "text" in told else _laid_out(told.get("words") or [])
    marks = sorted(
        (place.offset, place.offset + place.length, one.reference, STATES.get(one.state, ""))
        for one in open.review.suggestions
        for place in one.places
    )
    edges = sorted({0, len(text), *(e - start for a, b, _, _ in marks for e in (a, b) if 0 < e - start < len(text))})
    pieces = []
    for first, last in pairwise(edges):
        here = [(name, state) for a, b, name, state in marks if a - start <= first and last <= b - start]
        pieces.append(Piece(text[first:last], " ".join(dict.fromkeys(n for n, _ in here)), here[0][1] if here else ""))
    return pieces


def _laid_out(words: list[list[Any]]) -> tuple[int, str]:
    """The words of a page in their places in the document's text: where it begins, and lines broken where they are."""
    if not words:
        return 0, ""
    start = int(words[0][5])
    text = [" "] * (max(int(word[6]) for word in words) - start)
    low = float(words[0][2])
    for word in words:
        top, first = float(word[2]), int(word[5]) - start
        if abs(top - low) > 0.6 * float(word[4]) and first:
            text[first - 1] = "\n"
        low = top
        text[first : first + len(word[0])] = word[0]
    return start, "".join(text)
