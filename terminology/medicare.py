"""What Medicare's physician fee schedule says of a code: the status of its last release that is loaded.

https://www.cms.gov/medicare/payment/fee-schedules/physician
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fhir_profiles.systems import CPT, HCPCS
from terminology.editions import choose
from terminology.model import Concept

if TYPE_CHECKING:
    from terminology.terminology import Terminology

SYSTEMS = (CPT, HCPCS)
RELEASE = "pprrvu-"
"""How the versions of the fee schedule's own fragments begin."""

STATUS = {
    "B": "it is always bundled into other services",
    "E": "regulation excludes it from the schedule",
    "I": "it is not valid for Medicare, which uses another code",
    "M": "it is a measure for reporting only",
    "N": "Medicare does not cover it",
    "P": "it is bundled or excluded",
    "X": "by statute it is no physician service",
}
"""Those that are not paid by the schedule; A, C, J, R and T may be."""


def status_remark(terminology: Terminology, concept: Concept, on: date | None) -> str | None:
    """A remark where the fee schedule for a date of service does not pay a code by itself; None otherwise."""
    if concept.system not in SYSTEMS:
        return None
    version, status = concept.version, concept.properties.get("status")
    if not version.startswith(RELEASE):
        schedules = [e for e in terminology.editions(concept.system) if e.version.startswith(RELEASE)]
        schedule = choose(schedules, on, None)
        row = schedule and terminology.lookup(concept.system, concept.code, schedule.version)
        if not schedule or not row:
            return None
        version, status = schedule.version, row.properties.get("status")
    if status not in STATUS:
        return None
    return f"Status {status} in the fee schedule {version.removeprefix(RELEASE)}: {STATUS[status]}"
