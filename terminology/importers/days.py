"""Days as official files write them (https://www.iso.org/iso-8601-date-and-time-format.html)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from terminology.importers.rows import Row

FORMS: Final = {"%Y%m%d": "YYYYMMDD", "%Y/%m/%d": "YYYY/MM/DD", "%m/%d/%Y": "MM/DD/YYYY"}
"""How a form is written in a refusal."""


def read_day(text: str, form: str) -> date | None:
    """The day, or None where the text is none of that form."""
    try:
        return datetime.strptime(text, form).date()
    except ValueError:
        return None


def day_of(row: Row, name: str, form: str = "%Y%m%d") -> date | None:
    """The day in a field, None where it is empty; refused where it is no day."""
    text = row.get(name)
    if not text:
        return None
    found = read_day(text, form)
    if found is None:
        row.refuse(name, f"a day written {FORMS[form]} is expected")
    return found
