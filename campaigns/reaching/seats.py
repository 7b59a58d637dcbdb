"""Tokens over the wire: those of each holder; beside them narrower ones and others of the same clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from campaigns.reaching.holders import HOLDERS
from campaigns.reaching.oracle import Holder

MORE = (
    Holder("exports", ("system/*.rs",)),
    Holder("exports, filtered", ("system/Observation.rs?status=final", "system/Patient.rs", "system/Group.r")),
    Holder("loads", ("system/Observation.cruds?status=final", "system/Condition.cus", "system/Binary.c")),
    Holder("loads all", ("system/*.cruds",)),
    Holder("auditor", ("user/*.rs", "user/AuditEvent.rs"), None, ("user/*.rs", "user/AuditEvent.rs")),
    Holder("biller", ("user/*.cruds",), None,
            ("user/Patient.rs", "user/Claim.crus", "user/ClaimResponse.crus", "user/Coverage.rs", "user/Encounter.rs",
             "user/ExplanationOfBenefit.crus", "user/Task.crus", "user/Organization.rs")),
    Holder("A, documents", ("patient/DocumentReference.rs", "patient/Binary.rs", "patient/Subscription.cruds"), "A"),
    Holder("B, some told", ("patient/Observation.rs?status=final", "patient/Subscription.cruds"), "B"),
    Holder("A, claims", ("patient/Claim.cruds", "patient/ClaimResponse.cruds", "patient/Patient.rs"), "A"),
)  # fmt: skip


@dataclass(frozen=True)
class Seat:
    """A token: what it gives, and the client and the person that it was given to, by names within a tenant."""

    name: str
    holder: Holder
    client: str
    person: str | None

    def may_have(self, other: Seat) -> bool:
        """Whether what was made for another seat may be given to this one: the same, given no less."""
        same = (self.client, self.person, self.holder.patient) == (other.client, other.person, other.holder.patient)
        return same and {*other.holder.scopes} <= {*self.holder.scopes}


def _seats() -> Iterator[Seat]:
    for number, holder in enumerate((*HOLDERS, *MORE)):
        client, person = f"app{number}", None if holder.role is None else f"person{number}"
        yield Seat(holder.name, holder, client, person)
        if len(holder.scopes) > 1:
            yield Seat(f"{holder.name}; narrow", replace(holder, scopes=holder.scopes[:1]), client, person)
        if holder.patient is not None and number % 2 == 0:
            other = replace(holder, patient="B" if holder.patient == "A" else "A", opened=())
            yield Seat(f"{holder.name}; other patient", other, client, person)


SEATS = tuple(_seats())


def roles_toml() -> str:
    """The roles of the persons, each by the name of its person."""
    found = {seat.person: seat.holder.role for seat in SEATS if seat.person is not None}
    lines = []
    for name, scopes in found.items():
        told = ", ".join(f'"{scope}"' for scope in scopes or ())
        lines.append(f'[{name}]\ntitle = "{name}"\nscopes = [{told}]\n')
    return "\n".join(lines)
