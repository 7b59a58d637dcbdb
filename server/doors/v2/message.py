"""A message of HL7 v2 as a FHIR transaction: which messages there are, and what each is made of.

http://hl7.org/fhir/uv/v2mappings (message maps)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from hashlib import sha256
from zoneinfo import ZoneInfo

from server.doors.arrivals import Made, ToBundle, Unusable
from server.settings import Settings

from .document import TRIGGERS as DOCUMENTS
from .document import document
from .draft import Draft
from .parse import Message, parse
from .people import merge, patient, relatives
from .record import allergies, coverages, diagnoses
from .results import reports
from .stay import encounter
from .values import Context

ADT = ("A01", "A02", "A03", "A04", "A05", "A08", "A11", "A12", "A13", "A28", "A31", "A40")
ORU = ("R01",)
EVENTS: dict[str, tuple[str, ...]] = {"ADT": ADT, "MDM": tuple(DOCUMENTS), "ORU": ORU}
VERSIONS = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2", "2.9")

READ = frozenset({"MSH", "EVN", "PID", "PD1", "NK1", "MRG", "PV1", "PV2", "AL1", "DG1", "IN1"})
READ |= {"TXA", "OBX", "OBR", "ORC", "SPM", "NTE", "SFT"}
_OF_PERSON = frozenset({"A28", "A31", "A40"})
"""Events that are about a person and no stay."""


def check(message: Message) -> None:
    """Unusable for a message that is not one of those that are read here."""
    if not message.control:
        raise Unusable("field-missing", "MSH-10: The message has no control id.")
    code, trigger = message.kind
    if code not in EVENTS:
        raise Unusable("message-type", "MSH-9: Messages of this type are not read here.")
    if trigger not in EVENTS[code]:
        raise Unusable("event", "MSH-9: This event is not read here.")
    version = message.header.text(12)
    if version and version not in VERSIONS:
        raise Unusable("version", "MSH-12: This version is not read here.")
    if message.header.text(11).upper() not in ("", "P", "T", "D"):
        raise Unusable("processing-id", "MSH-11: The processing id must be P, T or D.")


def key_of(message: Message, content: bytes) -> str:
    """How a message is known again: who sent it and its control id; a hash where it has none."""
    if not message.control:
        return sha256(content).hexdigest()
    return f"{message.sender}{message.header.marks.field}{message.control}"


def to_made(message: Message, door: str, systems: Mapping[str, str], zone: tzinfo) -> Made:
    """What a message becomes; Unusable with the reason."""
    check(message)
    code, trigger = message.kind
    context = Context(message, door, systems, zone)
    at = context.time(message.header.text(7), "MSH-7")
    event = message.get("EVN")
    if at is None and event is not None:
        at = context.time(event.text(2), "EVN-2")
    if at is None:
        context.note("MSH-7: The message does not say when it was sent: what came before it may be newer.")
    draft = Draft(context, at)
    subject = patient(draft, message.need("PID"))
    if len(message.all("PID")) > 1:
        raise Unusable("segment-order", "PID[2]: A message about several patients is not read here.")
    _fill(draft, code, trigger, subject)
    for name in sorted({one.name for one in message.segments} - READ):
        context.note(f"{name}: The segment is not mapped.")
    return Made(draft.bundle(), context.notes, draft.settle)


def _fill(draft: Draft, code: str, trigger: str, subject: str) -> None:
    """What a message has beside the patient."""
    stay = None if trigger in _OF_PERSON else encounter(draft, subject, trigger)
    if code == "ADT":
        if stay is None and trigger not in _OF_PERSON and trigger != "A08":
            raise Unusable("field-missing", "PV1-19: The stay that the event is about has no number.")
        if trigger == "A40":
            merge(draft, subject)
            return
        relatives(draft, subject)
        allergies(draft, subject)
        diagnoses(draft, subject, stay)
        coverages(draft, subject)
    elif code == "MDM":
        document(draft, subject, stay, trigger)
    else:
        reports(draft, subject, stay)


def reader(settings: Settings) -> ToBundle:
    """From the bytes of a message to what it becomes, by the settings of a tenant."""
    zone = ZoneInfo(settings.mllp_time_zone)
    return lambda content: to_made(parse(content), "mllp", settings.mllp_systems, zone)
