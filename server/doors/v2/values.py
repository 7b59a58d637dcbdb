"""HL7 v2's data types in FHIR: times, names, addresses, numbers, codes, identifiers.

http://hl7.org/fhir/uv/v2mappings (data type maps)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from urllib.parse import quote

from fhir_profiles.systems import (
    CPT,
    CVX,
    HCPCS,
    ICD9CM,
    ICD10CM,
    ICD10PCS,
    LOINC,
    MVX,
    NAMED,
    NDC,
    NPI,
    OID,
    RXNORM,
    SNOMED,
    SSN,
    UCUM,
    UUID,
    V2,
)
from server.doors.arrivals import Unusable

from .parse import Field, Message

Json = dict[str, Any]
CODE_SYSTEMS = {
    "LN": LOINC,
    "LOINC": LOINC,
    "SCT": SNOMED,
    "SNM": SNOMED,
    "SNOMED-CT": SNOMED,
    "I10": ICD10CM,
    "I10C": ICD10CM,
    "I10P": ICD10PCS,
    "I9": ICD9CM,
    "I9C": ICD9CM,
    "ICD10": ICD10CM,
    "ICD-10-CM": ICD10CM,
    "C4": CPT,
    "CPT": CPT,
    "HCPCS": HCPCS,
    "RXNORM": RXNORM,
    "NDC": NDC,
    "CVX": CVX,
    "MVX": MVX,
    "UCUM": UCUM,
}
"""Table 0396, as far as FHIR has a name for the system."""

_TIME = re.compile(r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(\d\d)?(?:(\d\d)(\.\d{1,6})?)?)?)?)?([+-]\d{4})?")
_CLOCK = re.compile(r"(\d\d)(\d\d)(?:(\d\d)(\.\d{1,6})?)?([+-]\d{4})?")
_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
_TABLE = re.compile(r"(?:HL7|USER)?0?(\d{4})")


@dataclass
class Context:
    """What mapping a message needs: whose identifiers are which, the local time, and what is told of it afterwards."""

    message: Message
    door: str
    systems: Mapping[str, str]
    zone: tzinfo = UTC
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Tell once that something is not in the result; no value of the message in it."""
        if text not in self.notes:
            self.notes.append(text)

    def time(self, text: str, place: str) -> str | None:
        """A TS or DTM as a FHIR dateTime; None for none, Unusable for what is no time."""
        return to_time(text, place, self.zone)

    def date(self, text: str, place: str) -> str | None:
        """The same as a date."""
        found = self.time(text, place)
        return found[:10] if found else None

    def authority(self, one: Field, component: int) -> str:
        """The system of an identifier by its assigning authority (HD): mapped, an OID, or the name of the sender's."""
        name, root, kind = (one.part(component, sub) for sub in (1, 2, 3))
        for key in (name, root):
            if key and key in self.systems:
                return self.systems[key]
        if root and _OID.fullmatch(root):
            return f"{OID}{root}"
        if kind == "UUID" and root:
            return f"{UUID}{root.lower()}"
        if kind in ("URI", "URL") and root:
            return root
        return local(name or root or self.message.header.text(4) or self.message.header.text(3) or "unknown")

    def concept(self, one: Field, table: str = "") -> Json | None:
        """A CE, CWE, CNE, IS or ID as a CodeableConcept; `table` is HL7's where the field has one of its own."""
        codings = []
        for at in (1, 4):
            code, display, name = one.part(at), one.part(at + 1), one.part(at + 2)
            if not code:
                continue
            system = code_system(name) if name else (f"{V2}{table}" if table else None)
            coding: Json = {"system": system} if system else {}
            codings.append({**coding, "code": " ".join(code.split()), **({"display": display} if display else {})})
        text = one.part(9) or one.part(2) or one.part(5) or ("" if codings else one.whole)
        concept: Json = {"coding": codings} if codings else {}
        if text:
            concept["text"] = text
        return concept or None


def local(name: str) -> str:
    """The URI of what has no other name than its sender's."""
    return f"{NAMED}{quote(name, safe='')}"


def code_system(name: str) -> str:
    """The URI of a code system by its name in table 0396."""
    upper = name.upper()
    if upper in CODE_SYSTEMS:
        return CODE_SYSTEMS[upper]
    if _OID.fullmatch(name):
        return f"{OID}{name}"
    if (table := _TABLE.fullmatch(upper)) is not None:
        return f"{V2}{table[1]}"
    return local(name)


def to_time(text: str, place: str, zone: tzinfo) -> str | None:
    """`20240131093000-0500` as a FHIR dateTime of the same precision; without an offset it is the zone's."""
    text = text.strip()
    if not text or set(text) == {"0"}:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise Unusable("data-type", f"{place}: This is no time of HL7.")
    year, month, day, hour, minute, second, part, offset = found.groups()
    try:
        moment = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0))
        where = _offset(offset) if offset else zone
        if hour is None:
            return "-".join(one for one in (year, month, day) if one)
        told = moment.replace(tzinfo=where).isoformat()
    except (ValueError, OverflowError):
        raise Unusable("data-type", f"{place}: This is no day or time that there is.") from None
    return f"{told[:19]}{part or ''}{told[19:]}"


def to_clock(text: str) -> str | None:
    """`0930` as a FHIR time; None for what is none."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59 or int(found[3] or 0) > 59:
        return None
    return f"{found[1]}:{found[2]}:{found[3] or '00'}{found[4] or ''}"


def _offset(text: str) -> timezone:
    hours, minutes = int(text[1:3]), int(text[3:5])
    if hours > 14 or minutes > 59:
        raise ValueError
    return timezone((1 if text[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def moment_of(text: str) -> datetime:
    """A FHIR dateTime with its parts filled up, to compare two."""
    padded = text if "T" in text else f"{text}{'-01-01'[: 10 - len(text)] if len(text) < 10 else ''}T00:00:00+00:00"
    return datetime.fromisoformat(padded)


_ID_TYPES = frozenset({"AN", "BR", "DL", "DR", "EI", "EN", "JHN", "MA", "MB", "MC", "MCN", "MD", "MI", "MR", "MRT"})
_ID_TYPES |= {"NI", "NPI", "PI", "PN", "PPN", "PRN", "PT", "RI", "SB", "SL", "SS", "TAX", "U", "VN", "XX"}


def identifier(context: Context, one: Field, default: str = "") -> Json | None:
    """A CX as an Identifier; None without a value."""
    value, kind = one.part(1), one.part(5) or default
    if not value:
        return None
    system = {"SS": SSN, "NPI": NPI}.get(kind) if not one.part(4) else None
    if kind == "SS" and one.part(4) in ("", "SSA", "USSSA"):
        system = SSN
    found: Json = {"system": system or context.authority(one, 4), "value": value}
    if kind in _ID_TYPES:
        found["type"] = {"coding": [{"system": f"{V2}0203", "code": kind}]}
    elif kind:
        found["type"] = {"text": kind}
    return found


_NAME_USES = {"L": "official", "D": "usual", "M": "maiden", "A": "anonymous", "N": "nickname", "S": "anonymous"}
_NAME_USES |= {"B": "official", "T": "temp", "P": "usual"}


def human_name(one: Field, at: int = 1) -> Json | None:
    """An XPN (or the name within an XCN, from component `at`) as a HumanName."""
    family, *given = one.part(at), one.part(at + 1), *one.part(at + 2).split()
    name: Json = {}
    if family:
        name["family"] = family
    if given := [part for part in given if part]:
        name["given"] = given
    for key, place in (("suffix", at + 3), ("prefix", at + 4)):
        if text := one.part(place):
            name[key] = [text]
    if at == 1 and name and (use := _NAME_USES.get(one.part(7))):
        name["use"] = use
    return name or None


_ADDRESS_USES: dict[str, tuple[str | None, str | None]] = {
    "H": ("home", None),
    "B": ("work", None),
    "O": ("work", None),
    "C": ("temp", None),
}
_ADDRESS_USES |= {"M": (None, "postal"), "P": ("home", None), "BA": ("old", None), "L": ("home", None)}


def address(one: Field) -> Json | None:
    """An XAD as an Address."""
    found: Json = {}
    if lines := [line for line in (one.part(1), one.part(2)) if line]:
        found["line"] = lines
    keys = (("city", 3), ("district", 9), ("state", 4), ("postalCode", 5), ("country", 6))
    found |= {key: text for key, at in keys if (text := one.part(at))}
    use, kind = _ADDRESS_USES.get(one.part(7), (None, None))
    if found and use:
        found["use"] = use
    if found and kind:
        found["type"] = kind
    return found or None


_MAIL = frozenset({"Internet", "X.400", "NET"})
_EQUIPMENT = {"PH": "phone", "FX": "fax", "CP": "phone", "BP": "pager", "Internet": "email", "X.400": "email"}


def telecom(one: Field, use: str = "home") -> Json | None:
    """An XTN as a ContactPoint: the number as it is written, the parts of it, or the address for mail."""
    kind, purpose = one.part(3), one.part(2)
    mail = one.part(4)
    if mail and (kind in _MAIL or purpose == "NET" or not one.part(1)):
        return {"system": "email", "value": mail, **({"use": use} if purpose != "NET" else {})}
    parts = (one.part(5), one.part(6), one.part(7))
    number = one.part(12) or one.part(1) or "-".join(part for part in parts if part)
    if not number:
        return None
    if one.part(8) and not one.part(1):
        number = f"{number} ext. {one.part(8)}"
    use = "mobile" if kind == "CP" else {"WPN": "work", "PRN": "home", "VHN": "temp"}.get(purpose, use)
    return {"system": _EQUIPMENT.get(kind, "phone"), "value": number, "use": use}
