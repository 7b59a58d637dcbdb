"""Those who call: patients with scopes of every form, people with a role, a service, and nobody."""

from __future__ import annotations

from dataclasses import replace

from campaigns.reaching.consenting import NOBODY, Known
from campaigns.reaching.oracle import Holder
from campaigns.reaching.world import CATEGORY, CLINICAL
from server.access.caller import Caller
from server.access.grants import read_scopes

LAB, VITAL = f"category={CATEGORY}|laboratory", f"category={CATEGORY}|vital-signs"
ACTIVE = f"clinical-status={CLINICAL}|active"
CODER = (
    "user/Patient.rs",
    "user/Encounter.rs",
    f"user/Observation.rs?{LAB}",
    "user/Condition.cruds",
    "user/Practitioner.rs",
)

HOLDERS = (
    Holder("A reads", ("patient/*.rs",), "A"),
    Holder("A reads, 1.0", ("patient/*.read",), "A"),
    Holder("A does all", ("patient/*.cruds",), "A"),
    Holder("B does all", ("patient/*.*",), "B"),
    Holder("A, laboratory",
            (f"patient/Observation.cruds?{LAB}", "patient/Patient.rs", f"patient/Condition.rs?{ACTIVE}"), "A"),
    Holder("A, two filters",
            (f"patient/Observation.rs?{LAB}", "patient/Observation.rs?status=final", "patient/Encounter.rs"), "A"),
    Holder("A, filter and all",
            (f"patient/Observation.rs?{LAB}", "patient/Observation.rs", "patient/DiagnosticReport.rs"), "A"),
    Holder("A, few types", ("patient/Observation.rs", "patient/Encounter.rs"), "A"),
    Holder("A, apart",
            ("patient/Observation.r", "patient/Condition.s", "patient/Patient.rs", "patient/Encounter.s"), "A"),
    Holder("A, ends less", ("patient/Observation.rs", "patient/Observation.d?status=final"), "A"),
    Holder("A writes, 1.0", ("patient/*.write",), "A"),
    Holder("B, apart", ("patient/Observation.cus", "patient/Condition.rd", "patient/Task.cud"), "B"),
    Holder("coder", ("user/*.cruds",), None, CODER),
    Holder("coder, few scopes", ("user/Observation.cruds?status=final", "user/Condition.rs"), None, CODER),
    Holder("A and a user", ("patient/*.rs", f"user/Observation.rs?{VITAL}"), "A", ("user/Observation.rs",)),
    Holder("service", ("system/Observation.rs", "system/Patient.rs", "system/Condition.cruds"), None),
    Holder("service, filtered",
            ("system/Observation.cruds?status=final", "system/Patient.rs", "system/DiagnosticReport.rs"), None),
    Holder("A, B opened", ("patient/Patient.cruds", f"patient/Observation.cruds?{LAB}", "user/Condition.rs"), "A",
            ("user/Patient.rs",), ("B",)),
    Holder("no patient", ("patient/*.cruds",), None),
    Holder("nobody"),
)  # fmt: skip

EVERYTHING = ("user/*.cruds",)
NAMED = (
    Holder("ann treats", EVERYTHING, None, EVERYTHING, (), Known("Practitioner/ann", "desk", "TREAT")),
    Holder("ann, by the app", ("user/*.rs",), None, EVERYTHING, (), Known("Practitioner/ann", "app", "TREAT")),
    Holder("ben bills", ("user/*.rs", "user/Observation.cud"), None, EVERYTHING, (),
            Known("Practitioner/ben", "desk", "HPAYMT")),
    Holder("ben, B opened", EVERYTHING, None, EVERYTHING, ("B",), Known("Practitioner/ben", "desk", "HPAYMT")),
    Holder("kin of A", ("patient/*.cruds",), "A", None, (), Known("RelatedPerson/A-0", "app")),
    Holder("somebody", ("user/*.rs",), None, EVERYTHING, (), Known("", "app")),
    Holder("loads all", ("system/*.cruds",), None, None, (), Known("", "loads all", "", service=True)),
)  # fmt: skip
"""Those of whom Consents speak."""


def known(holder: Holder) -> Holder:
    """The holder with who that is: the patient of the launch, or a Practitioner whom no Consent names."""
    if holder.known != NOBODY:
        return holder
    return replace(holder, known=Known(f"Patient/{holder.patient}" if holder.patient else "Practitioner/u", "desk"))


def caller(holder: Holder) -> Caller:
    """The holder as the server knows one."""
    role = None if holder.role is None else read_scopes(holder.role)
    return Caller(
        who=holder.name, grants=read_scopes(holder.scopes), patient=holder.patient, role=role, broken=holder.opened,
        user=holder.known.user or None, client=holder.known.client or None, usual=holder.known.purpose or None,
    )  # fmt: skip


def is_even(holder: Holder) -> bool:
    """Whether reading and searching reach as far."""
    letters = [scope.partition(".")[2].partition("?")[0] for scope in (*holder.scopes, *(holder.role or ()))]
    return all(("r" in one) == ("s" in one) for one in letters if one not in ("read", "write", "*"))
