"""The numbers of drugs that were in force on the day of service (HCPCS Level II, quarterly updates of CMS)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from extractors.coding.case import Case, asked
from extractors.coding.tables import table
from extractors.coding.weigh import SHORT
from fhir_profiles.systems import HCPCS

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?:{'|'.join(_MONTHS)})[a-z]*\.?"
_DAY = asked(
    r"\b(?P<y1>20\d\d)-(?P<m1>\d\d)-(?P<d1>\d\d)\b"
    r"|\b(?P<m2>\d{1,2})/(?P<d2>\d{1,2})/(?P<y2>20\d\d|\d\d)\b"
    rf"|\b(?:(?P<d3>\d{{1,2}}) )?(?P<m3>{_MONTH}) (?:(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?,? )?(?P<y3>20\d\d)\b"
    r"|\b(?:date of service|dos|service date|given|in|during)\b[: ]*(?P<y4>20\d\d)\b"
)

_LABEL = re.compile(r"\b(?:date of (?:service|visit)|dos|(?:service|visit) date)\b")


def day_of(case: Case) -> date | None:
    """The day of service as the document or its words tell it; of a month or year alone the last day.

    A long text tells of many days: there only one that is called the day of service is it.
    """
    known = case.findings.identity.service_date
    if known is not None:
        return known
    match = next((m for m in case.each(_DAY) if len(case.text) <= SHORT or _is_labelled(case, m)), None)
    if match is None:
        return None
    said = {key: value for key, value in match.groupdict().items() if value}
    year, month, day = (next((said[k] for k in said if k[0] == part), "") for part in "ymd")
    try:
        return date(
            int(year) + (2000 if len(year) == 2 else 0),
            12 if not month else int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1,
            int(day) if day else 31 if not month else 28,
        )
    except ValueError:
        return None  # no such day


def _is_labelled(case: Case, match: re.Match[str]) -> bool:
    return bool(_LABEL.search(case.text, max(0, match.start() - 24), match.end()))


def in_force(case: Case, code: str, amount: Decimal, factors: dict[str, Decimal]) -> str:
    """The number that the drug had on the day: before a change the old one whose unit fits the amount best."""
    change = table("injectables")["since"].get(code)
    if change is None:
        return code
    day = day_of(case)
    if day is None or day >= date.fromisoformat(change["day"]):
        return code
    units: dict[str, Decimal] = {}
    for old in change["before"]:
        per, unit = case.lexicon.properties(HCPCS, old)["per"].split()
        units[old] = Decimal(per) * factors[unit]
    dividing = [old for old, size in units.items() if amount % size == 0]
    holding = [old for old, size in units.items() if size >= amount]
    if dividing:
        return max(dividing, key=lambda old: units[old])
    return min(holding, key=lambda old: units[old]) if holding else max(units, key=lambda old: units[old])
