"""Timed therapy by the 8-minute rule (CMS Pub 100-04, ch. 5, 20.2; https://www.cms.gov/medicare)."""

from __future__ import annotations

import re
from functools import cache

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import add_service
from extractors.coding.tables import table
from extractors.coding.weigh import SHORT
from extractors.findings.cues import Cued

EIGHT = Rule(
    "eight-minutes",
    "CMS Pub 100-04 ch. 5, 20.2",
    "Units of timed therapy by its total minutes, the longest services first",
)
TOO_FEW = Rule("therapy-minutes", EIGHT.cites, "Asks for the minutes of a timed therapy; less than eight are none")
_AFTER = re.compile(
    r"^[ ,:(]*(?:was |were |for |x ?|performed for |provided for |of |times )*(\d{1,3}) ?(?:min(?:ute)?s?)\b"
)
_BEFORE = re.compile(r"(\d{1,3}) ?min(?:ute)?s?(?: (?:of|each of|spent on))? $")
_PLANNED = re.compile(r"\b(?:will|plan\w*|recommend\w*|refer\w*|order\w*|times (?:a|per) week|schedul\w+)\b")


@cache
def _services() -> list[tuple[str, Cued]]:
    return [(code, asked(rf"\b(?:{words})\b")) for code, words in table("services")["therapy"]]


def therapy(case: Case) -> None:
    """All timed services of the day, and the units that their minutes together allow."""
    if not case.says("minute", " min ", " min,", " min.") and len(case.text) > SHORT:
        return
    if not case.says(
        "therap",
        "training",
        "massage",
        "re-ed",
        "reed",
        "ultrasound",
        "stimulation",
        "ther ex",
        "ther act",
        "therex",
        "manual t",
    ):
        return
    minutes: dict[str, int] = {}
    spans: dict[str, tuple[int, int]] = {}
    for code, pattern in _services():
        for match in case.search(pattern):
            after = _AFTER.match(case.text[match.end() : match.end() + 40])
            before = _BEFORE.search(case.text[max(0, match.start() - 24) : match.start()])
            low, high = bounds(case.text, *match.span())
            if (after or before) and not _PLANNED.search(case.text, low, high):
                minutes[code] = minutes.get(code, 0) + int(after[1] if after else before[1] if before else 0)
                spans.setdefault(code, (match.start(), match.end() + (after.end() if after else 0)))
            elif (
                code != "97035"
                and not _PLANNED.search(case.text, low, high)
                and re.search(r"\b(?:performed|provided|done|given)\b", case.text[low:high])
            ):
                case.ask(TOO_FEW, "How many minutes of it were given?", *match.span())
    if not minutes:
        return
    units = share(minutes)
    if not units:
        code = next(iter(minutes))
        case.ask(TOO_FEW, "Less than eight minutes make no unit", *spans[code])
    for code, count in units.items():
        why = f"{minutes[code]} of {sum(minutes.values())} minutes"
        add_service(case, code, spans[code], EIGHT, why, units=count)


def share(minutes: dict[str, int]) -> dict[str, int]:
    """Units of each service: one for each full 15 minutes, what the total allows beyond to the largest remainders."""
    total = (sum(minutes.values()) + 7) // 15
    units = {code: value // 15 for code, value in minutes.items()}
    left = total - sum(units.values())
    for code in sorted(minutes, key=lambda c: -(minutes[c] % 15)):
        if left <= 0:
            break
        units[code] += 1
        left -= 1
    return {code: count for code, count in units.items() if count}


RULES = (therapy,)
