"""How codes of ICD-10-CM are spelt, and the fiscal years that its editions govern (45 CFR 162.1002)."""

from __future__ import annotations

import re
from datetime import date, timedelta

CODE = re.compile(r"[A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,4})?")
"""With its dot."""

BARE = re.compile(r"[A-Z][0-9A-Z]{2,6}")
"""Without its dot, as the order file has it."""

PROCEDURE = re.compile(r"[0-9A-HJ-NP-Z]{7}")
"""Of ICD-10-PCS, which has no I and no O."""

VERSION = re.compile(r"20\d\d(-04)?")


def dotted(bare: str) -> str:
    """`E1122` as `E11.22`."""
    return bare if len(bare) <= 3 else f"{bare[:3]}.{bare[3:]}"


def dates(version: str) -> tuple[date, date]:
    """First and last day of service of an edition: `2027` begins on 2026-10-01, `2027-04` on 2027-04-01."""
    year = int(version[:4])
    return (date(year, 4, 1) if version.endswith("-04") else date(year - 1, 10, 1)), date(year, 9, 30)


def before_april(version: str) -> date:
    """The last day of service of an October edition that an April update replaces."""
    return date(int(version[:4]), 4, 1) - timedelta(days=1)
