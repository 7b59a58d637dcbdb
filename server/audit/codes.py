"""What events are called in AuditEvents: types, subtypes, actions and the profiles of BALP.

https://profiles.ihe.net/ITI/BALP/1.1.3/ https://hl7.org/fhir/R4/auditevent.html
"""

from __future__ import annotations

from typing import Final

from fhir_profiles.systems import AUDIT_TYPE, BALP, DCM

ACTIONS: Final = {
    "create": "C", "read": "R", "vread": "R", "update": "U", "patch": "U", "delete": "D",
    "history-instance": "R", "history-type": "R", "history-system": "R", "capabilities": "R",
}  # fmt: skip
"""The action of an event; E of every other."""

SECURITY: Final = {
    "authorize": ("110114", "User Authentication"),
    "consent": ("110114", "User Authentication"),
    "login": ("110114", "User Authentication"),
    "logout": ("110114", "User Authentication"),
    "token": ("110114", "User Authentication"),
    "introspect": ("110114", "User Authentication"),
    "revoke": ("110113", "Security Alert"),
    "key-rotation": ("110113", "Security Alert"),
    "break-glass": ("110113", "Security Alert"),
    "prune": ("110113", "Security Alert"),
    "withheld": ("110113", "Security Alert"),
    "hold": ("110113", "Security Alert"),
    "release": ("110113", "Security Alert"),
    "erase": ("110113", "Security Alert"),
    "restore": ("110113", "Security Alert"),
}
"""DICOM's event types of what is done about access itself."""

DISPLAYS: Final = {
    "110152": "Destination Role ID", "110153": "Source Role ID", "110150": "Application",
}  # fmt: skip

_PROFILES: Final = {
    "create": "Create", "read": "Read", "vread": "Read", "update": "Update", "patch": "Update", "delete": "Delete",
    "search-type": "Query", "search-system": "Query",
}  # fmt: skip


def action_of(code: str) -> str:
    """The action of an event."""
    return ACTIONS.get(code, "E")


def type_of(code: str) -> dict[str, str]:
    """AuditEvent.type."""
    if code in SECURITY:
        found, display = SECURITY[code]
        return {"system": DCM, "code": found, "display": display}
    return {"system": AUDIT_TYPE, "code": "rest", "display": "RESTful Operation"}


def profile_of(code: str, outcome: int, *, patient: bool) -> str | None:
    """The profile of BALP that an event fulfils: there are some of successes only."""
    name = _PROFILES.get(code)
    return None if name is None or outcome else f"{BALP}/StructureDefinition/IHE.BasicAudit.{'Patient' * patient}{name}"
