"""Files of X12 about claims: which kind one is, and what a 277CA, a 999 and a sent 837 say, claim by claim.

https://x12.org
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args

from claims.work_answer import REFUSED, Failure
from claims.x12.read277ca import ClaimOutcome, Status
from claims.x12.read999 import GroupOutcome, TransactionOutcome
from claims.x12.segments import segments, transactions
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import CLAIM_NUMBER, X12_CLAIM_STATUS, X12_STATUS_CATEGORIES

Json = dict[str, Any]
Kind = Literal["835", "277ca", "999", "837"]
_KINDS: dict[str, Kind] = {"835": "835", "277": "277ca", "999": "999", "837": "837"}
_FAULTS = 3
"""Faults of a refused transaction set that its reason tells."""


class Delivery(NamedTuple):
    """A file: its kind, who sent it under which number and when (ISA06, ISA13, ISA09), and its digest."""

    kind: Kind
    sender: str
    control: str
    day: str
    digest: str

    @property
    def number(self) -> str:
        """What the sender calls it."""
        return f"{self.sender}-{self.control}"

    def id(self, *parts: str | int) -> str:
        """The id of a resource that comes of it: the same for the same file."""
        text = "|".join((self.number, self.digest, *map(str, parts)))
        return f"x12-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


class Sent(NamedTuple):
    """A transaction set of an 837: the numbers of its group and of itself, and those of its claims."""

    group: str
    control: str
    claims: list[str]


def recognise(data: bytes) -> Delivery:
    """What a file is; FhirError with segment and position where it is damaged, or is nothing that is read here."""
    numbers = {transaction.number for transaction in transactions(data)}
    if len(numbers) != 1 or not numbers <= set(_KINDS):
        text = f"A file holds transaction sets of one kind: {', '.join(get_args(Kind))}"
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)
    head = next(segments(data.decode("ascii")))
    digest = hashlib.sha256(data).hexdigest()
    day = head.day(f"20{head.get(9)}", 9)
    return Delivery(_KINDS[numbers.pop()], head.get(6).strip(), head.get(13).strip(), day, digest)


def sent(data: bytes) -> Iterator[Sent]:
    """The transaction sets of an 837 whose envelopes were checked."""
    group, one = "", Sent("", "", [])
    for segment in segments(data.decode("ascii")):
        if segment.name == "GS":
            group = segment.get(6)
        elif segment.name == "ST":
            one = Sent(group, segment.get(2), [])
        elif segment.name == "CLM":
            one.claims.append(segment.need(1))
        elif segment.name == "SE":
            yield one


def acknowledged(outcome: ClaimOutcome, created: str) -> Json:
    """The ClaimResponse that a 277CA says of a claim: queued where the payer takes it, else an error."""
    refused: list[tuple[str | None, Status]] = [(None, one) for one in outcome.statuses if not one.accepted]
    refused += [(line, one) for line, found in outcome.lines.items() for one in found if not one.accepted]
    text = "The payer takes the claim" if outcome.accepted else "The payer rejected the claim before deciding about it"
    found: Json = {
        "resourceType": "ClaimResponse",
        "status": "active",
        "use": "claim",
        "created": outcome.day or created,
        "request": {"identifier": {"system": CLAIM_NUMBER, "value": outcome.control}},
        "outcome": "queued" if outcome.accepted else "error",
        "disposition": text,
    }
    if outcome.payer_control:
        found["identifier"] = [{"value": outcome.payer_control}]
    if refused and not outcome.accepted:
        found["error"] = [_error(line, status) for line, status in refused]
    return found


def _error(line: str | None, status: Status) -> Json:
    codings = [
        {"system": X12_STATUS_CATEGORIES, "code": status.category},
        {"system": X12_CLAIM_STATUS, "code": status.code},
    ]
    text = f"Rejected with status {status.category} {status.code}" + (f" of {status.entity}" if status.entity else "")
    found: Json = {"code": {"coding": codings, "text": text}}
    return {**({"itemSequence": int(line)} if line and line.isdigit() and int(line) > 0 else {}), **found}


def refusals(group: GroupOutcome, one: TransactionOutcome | None) -> list[Failure]:
    """Why a group, or a transaction set of it, was not taken in; nothing where it was."""
    if one.accepted if one is not None else group.accepted:
        return []
    code = one.code if one is not None else group.code
    faults = [
        f"segment {fault.segment} at {fault.position}" + (f", element {fault.element}" if fault.element else "")
        for fault in (one.faults if one is not None else ())[:_FAULTS]
    ]
    text = f"The file that the claim was sent in was refused with code {code or 'R'}"
    return [Failure(REFUSED, {"text": text + (f": {'; '.join(faults)}" if faults else "")})]
