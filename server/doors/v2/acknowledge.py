"""The answer to a message: MSH, MSA and ERR, in original and in enhanced mode, without a word of the message's content.

https://www.hl7.eu/HL7v2x/v251/std251/ch02.html (2.9, 2.14.5)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from server.doors.arrivals import Unusable
from server.doors.rows import Outcome

from .parse import Segment, Separators, decode, separators_of

ERRORS = {
    "segment-order": ("100", "Segment sequence error"),
    "segment-missing": ("100", "Segment sequence error"),
    "syntax": ("100", "Segment sequence error"),
    "field-missing": ("101", "Required field missing"),
    "data-type": ("102", "Data type error"),
    "charset": ("102", "Data type error"),
    "value": ("103", "Table value not found"),
    "message-type": ("200", "Unsupported message type"),
    "event": ("201", "Unsupported event code"),
    "processing-id": ("202", "Unsupported processing id"),
    "version": ("203", "Unsupported version id"),
    "several": ("204", "Unknown key identifier"),
    "conflict": ("205", "Duplicate key identifier"),
}
"""Reason → table 0357; all others are 207."""

REJECTED = frozenset({"message-type", "event", "processing-id", "version", "frame", "too-large"})
"""Reasons for which the standard has a message rejected (AR) and not in error (AE)."""

_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d{1,6})\])?(?:-(\d{1,3}))?: ")
_STANDARD = Separators("|", "^", "~", "\\", "&")
_ALWAYS, _NEVER, _ERROR, _SUCCESS = "AL", "NE", "ER", "SU"


class Fate(NamedTuple):
    """What became of a message: no reason is that all went well."""

    reason: str = ""
    text: str = ""

    @classmethod
    def of(cls, outcome: Outcome) -> Fate:
        """That of an outcome; what somebody has discarded is not told again."""
        return cls(outcome.reason, outcome.text) if outcome.state == "quarantined" else cls()

    @property
    def code(self) -> str:
        """The second letter of MSA-1."""
        if not self.reason:
            return "A"
        return "R" if self.reason in REJECTED else "E"


def answers(content: bytes, fate: Fate, number: str, now: datetime) -> list[bytes]:
    """The acknowledgements of a message: one in original mode; in enhanced mode those that MSH-15 and MSH-16 ask for.

    `number` is the answers' own control id, the second one's with `A` behind it.
    """
    header = _header(content)
    accept, application = (header.text(at).upper() for at in (15, 16))
    if not accept and not application:
        return [_answer(header, f"A{fate.code}", fate, number, now)]
    found = []
    if _is_asked(accept, fate):
        found.append(_answer(header, f"C{fate.code}", fate, number, now))
    if _is_asked(application, fate):
        found.append(_answer(header, f"A{fate.code}", fate, f"{number}A", now))
    return found


def _is_asked(condition: str, fate: Fate) -> bool:
    return condition == _ALWAYS or condition == (_ERROR if fate.reason else _SUCCESS)


def _header(content: bytes) -> Segment:
    """MSH as far as it can be read; an empty one for what is no message."""
    try:
        marks = separators_of(content)
        line = re.split(r"[\r\n]", decode(content[:20_000], marks).lstrip("\ufeff \t\r\n"), maxsplit=1)[0]
    except Unusable:
        return Segment(["MSH"], _STANDARD)
    fields = line.split(marks.field)
    fields.insert(1, marks.field)
    return Segment(fields, marks)


def _answer(header: Segment, code: str, fate: Fate, number: str, now: datetime) -> bytes:
    marks = header.marks
    field, component = marks.field, marks.component
    signs = f"{marks.component}{marks.repetition}{marks.escape}{marks.sub}"
    trigger = header.text(9, 2)
    kind = component.join(["ACK", trigger, "ACK"]) if trigger.isalnum() else "ACK"
    when = now.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
    processing = header.text(11)[:1] or "P"
    parts = [f"MSH{field}{signs}", header.raw(5), header.raw(6), header.raw(3), header.raw(4), when, "", kind, number]
    parts += [processing, header.raw(12) or "2.5", "", "", "", "", "", "UNICODE UTF-8"]
    lines = [field.join(parts), field.join(["MSA", code, header.raw(10)])]
    if fate.reason:
        lines.append(_error(fate, marks))
    return "\r".join([*lines, ""]).encode()


def _error(fate: Fate, marks: Separators) -> str:
    """ERR: where (ERR-2), which code of table 0357 (ERR-3), how bad, and in words (ERR-8)."""
    place = ""
    if found := _PLACE.match(fate.text):
        place = marks.component.join([found[1], found[2] or "1", *([found[3]] if found[3] else [])])
    number, name = ERRORS.get(fate.reason, ("207", "Application internal error"))
    code = marks.component.join([number, name, "HL70357"])
    words = "".join(sign if sign not in (*_signs(marks), "\r", "\n") else " " for sign in fate.text)
    return marks.field.join(["ERR", "", place, code, "E", "", "", "", words[:250]])


def _signs(marks: Separators) -> str:
    return f"{marks.field}{marks.component}{marks.repetition}{marks.escape}{marks.sub}"
