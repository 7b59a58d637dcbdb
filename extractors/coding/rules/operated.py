"""What was taken out, put in or mended long ago: operations of the past as status codes (Z90, Z95, Z98)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.tables import table

OPERATED = Rule(
    "operation-past", "I.C.21.c.3", "An operation of the past that leaves a status is that status, with its side"
)
MENDED = Rule("mended", "I.C.21.c.4", "A condition that an operation has mended is no longer coded as there")
_ROWS = {name: row for row in table("operations")["rows"] for name in row["names"]}
_NAMED = asked(rf"\b(?:{'|'.join(sorted(map(re.escape, _ROWS), key=len, reverse=True))})s?\b", _ROWS)
_PAST_LISTS = frozenset({"psh", "pmh"})
_STATUS = re.compile(r"\b(?:status[- ]post|s/p)\b")
_BEFORE = re.compile(
    r"\b(?:status[- ]post|s/p|h/o|hx of|history of|history significant for|prior|previous|past|remote|underwent"
    r"|undergone|(?:had|has had)(?: an?| his| her| the)?)\b"
)
_AFTER = re.compile(
    r"^[^.;\n]{0,40}?(?:\bin (?:\d{1,2}/)?(?:19|20)\d\d|\bon \d{1,2}/\d{1,2}/\d{2,4}|\byears? ago|\bmonths? ago"
    r"|\bstatus\b|\bat (?:the )?(?:age )?(?:of )?\d\d\b|\bas an? (?:child|teen\w*|infant|baby))|^,? \(?(?:19|20)\d\d"
)
_NOT_PAST = re.compile(
    r"\b(?:plan\w*|going to|next|interested|wants?|needs?|schedul\w*|will|would|today|await\w*|declin\w*|refus\w*"
    r"|candidate|consider\w*|discuss\w*|recommend\w*|post-?op\w*|aftercare|global|unless|family|mother|father|sister"
    r"|brother|(?:days?|weeks?) (?:ago|after|out)|complicat\w*|infect\w*)\b"
)
_DENIED = re.compile(r"\b(?:no|not|never|denies|without)\b[^.;,\n]{0,40}$")
_SIDE = re.compile(r"\b(right|left|bilateral)\b")
_MENDS = re.compile(
    r"^(?:s|es)?(?: valve)? (?:repair|replacement|surgery|extraction|removal|resection|excision|clipping|coiling)\b"
)


def operations_past(case: Case) -> None:
    """A status code for each operation that the text tells as past, or that a surgical history lists."""
    for match in case.each(_NAMED):
        row = _row(match[0])
        low, high = bounds(case.text, *match.span())
        if _NOT_PAST.search(case.text, low, high) or not _is_past(case, row, match, low, high):
            continue
        code = row["code"]
        sides = set(_SIDE.findall(case.text, max(low, match.start() - 28), min(high, match.end() + 28)))
        if len(sides) == 1:
            code = _sided(case, row, sides.pop())
        new = case.add(code, *match.span(), OPERATED, "An operation of the past")
        if new is not None:
            new.rank = max(new.rank, 6)


def mended(case: Case) -> None:
    """ "History of aortic aneurysm repair" is a history, not an aneurysm."""
    past: dict[str, str] = table("operations")["mended"]
    for candidate in case.accepted(*past, "H25", "H26", "I34", "I35", "I36"):
        low, high = bounds(case.text, candidate.start, candidate.end)
        if not _MENDS.match(case.text[candidate.end : high]) or _NOT_PAST.search(case.text, low, high):
            continue
        if not _told_past(case, candidate.start, candidate.end, low, high):
            continue
        code = next((z for stem, z in past.items() if candidate.code.startswith(stem)), None)
        if code is None:
            case.reject(candidate, MENDED, "It was operated on")
        else:
            case.replace(candidate, code, MENDED, "It was operated on")


def reason_of_operation(case: Case) -> None:
    """What a past operation was done for, and took out or closed, is no longer there."""
    for candidate in case.accepted(*_TAKEN_OUT):
        low, high = bounds(case.text, candidate.start, candidate.end)
        if _DONE_FOR.search(case.text, low, candidate.start) and not _AHEAD.search(case.text, low, high):
            case.reject(candidate, MENDED, "It was operated on")


_TAKEN_OUT = ("K35", "K36", "K37", "K40", "K41", "K42", "K43", "K80", "K81", "H25", "H26", "D25", "J35")
_DONE_FOR = re.compile(
    r"(?:ectomy|plasty|rrhaphy|\brepair|\bsurgery|\bremoval|\bextraction)(?: [^.;,\n]{0,30})?"
    r" (?:for|because of|due to|secondary to) (?:an? |the |his |her )?(?:[\w-]+ ){0,2}$"
)
_AHEAD = re.compile(
    r"\b(?:plan\w*|going to|wants?|needs?|schedul\w*|will|would|await\w*|declin\w*|refus\w*|candidate|consider\w*"
    r"|discuss\w*|recommend\w*|refer\w*|today|unless|if)\b"
)


def _sided(case: Case, row: dict[str, Any], side: str) -> str:
    """The code of a side: as the table says, else by the titles."""
    code: str = row["code"]
    if row.get("sided"):
        return case.lexicon.sided(code, side) or code
    return str(row.get("sides", {}).get(side, code))


@cache
def _row(said: str) -> dict[str, Any]:
    row: dict[str, Any] = _ROWS.get(said) or _ROWS[said.removesuffix("s")]
    return row


def _is_past(case: Case, row: dict[str, Any], match: re.Match[str], low: int, high: int) -> bool:
    if row.get("told") and not _STATUS.search(case.text, low, match.start()):
        return False
    return _told_past(case, match.start(), match.end(), low, high)


def _told_past(case: Case, start: int, end: int, low: int, high: int) -> bool:
    if _DENIED.search(case.text, low, start):
        return False
    return bool(
        case.section_at(start) in _PAST_LISTS
        or _BEFORE.search(case.text, low, start)
        or _AFTER.match(case.text[end:high])
    )


RULES = (operations_past, mended, reason_of_operation)
