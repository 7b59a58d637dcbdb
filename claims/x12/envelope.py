"""The envelope of an interchange: who sends it to whom, when and under which control number (https://x12.org)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from claims.x12.codes import VERSIONS, Kind
from claims.x12.elements import Draft, segment

SEGMENTS = 10**9


@dataclass(frozen=True)
class Envelope:
    """What an interchange says of itself; `control` is a number from 1 to 999,999,999, `moment` when it is made."""

    sender: str
    receiver: str
    submitter: str
    contact: str
    phone: str
    recipient: str
    control: int
    moment: datetime
    usage: Literal["P", "T"] = "P"
    sender_kind: str = "ZZ"
    receiver_kind: str = "ZZ"

    def checked(self) -> Envelope:
        """The same in the characters of X12; FhirError where something is missing or too long."""
        draft = Draft()
        found = Envelope(
            sender=draft.number(self.sender, 15, "sender", "the identifier of the sender"),
            receiver=draft.number(self.receiver, 15, "receiver", "the identifier of the receiver"),
            submitter=draft.text(self.submitter, 60, "submitter", "the name of the submitter"),
            contact=draft.text(self.contact, 60, "contact", "the name of somebody to ask"),
            phone="".join(c for c in self.phone if c.isdigit()),
            recipient=draft.text(self.recipient, 60, "receiver name", "the name of the receiver"),
            control=self.control,
            moment=self.moment,
            usage=self.usage,
            sender_kind=self.sender_kind,
            receiver_kind=self.receiver_kind,
        )
        if len(found.phone) != 10:
            draft.wrong("phone", "A telephone number has ten digits")
        if len(found.sender) < 2 or len(found.receiver) < 2:
            draft.wrong("sender", "The identifiers of sender and receiver have at least two characters")
        if not 1 <= self.control < SEGMENTS:
            draft.wrong("control", "A control number is from 1 to 999,999,999")
        draft.finish()
        return found

    def opening(self) -> str:
        """ISA."""
        day, time = self.moment.strftime("%y%m%d"), self.moment.strftime("%H%M")
        return (
            f"ISA*00*{'':10}*00*{'':10}*{self.sender_kind}*{self.sender:15}*{self.receiver_kind}*{self.receiver:15}"
            f"*{day}*{time}*^*00501*{self.control:09d}*0*{self.usage}*:~"
        )

    def group(self, kind: Kind, number: int) -> str:
        """GS."""
        day, time = self.moment.strftime("%Y%m%d"), self.moment.strftime("%H%M")
        return segment("GS", "HC", self.sender, self.receiver, day, time, str(number), "X", VERSIONS[kind])

    def transaction(self, kind: Kind, number: int) -> str:
        """ST, BHT, submitter and receiver."""
        day, time = self.moment.strftime("%Y%m%d"), self.moment.strftime("%H%M")
        return (
            segment("ST", "837", f"{number:04d}", VERSIONS[kind])
            + segment("BHT", "0019", "00", f"{self.control}-{number}", day, time, "CH")
            + segment("NM1", "41", "2", self.submitter, "", "", "", "", "46", self.sender)
            + segment("PER", "IC", self.contact, "TE", self.phone)
            + segment("NM1", "40", "2", self.recipient, "", "", "", "", "46", self.receiver)
        )
