"""The columns of a claim sheet: Claims and what they refer to, laid out as tables (https://hl7.org/fhir/R4/claim.html).

Money is in cents, dates are days since 1970-01-01, all as whole numbers; a column is null where the Claim does not say.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

Kind = Literal["text", "whole", "number", "flag", "day", "cents", "texts", "wholes"]
Columns = MappingProxyType[str, Kind]


def _columns(**groups: str) -> Columns:
    """Kind → names, turned into name → kind."""
    return MappingProxyType({name: kind for kind, names in groups.items() for name in names.split()})  # type: ignore[misc]


PAYERS = ("medicare", "medicaid", "commercial", "federal", "workers", "auto", "other")
"""Kinds of payers: `workers` pays for accidents at work, `auto` for those of traffic, `federal` is that of the forces
and of veterans, `other` any other one and where the type of the coverage is not said."""

CLAIM = _columns(
    text="""
        id status type use control currency priority patient provider
        patient_family patient_given gender patient_line patient_city patient_state patient_zip patient_country ssn
        provider_npi provider_name provider_line provider_city provider_state provider_zip provider_tax
        provider_taxonomy
        payer_name payer_id member_id relationship coverage_status coverage_type subscriber_family
        facility_npi facility_name facility_state facility_zip referral
        accident_type accident_state related_number related_how
        bill_type frequency setting trial
        admission_type admission_source admission_hour discharge_status drg clia delay_reason
        attending_npi operating_npi payer_kind payee grouped
    """,
    whole="row lines diagnoses insurances focal age age_days",
    day="""
        created start end birth death coverage_start coverage_end accident_date admission discharge onset
        last_menses last_seen first_service last_service received coded_on
    """,
    cents="total lines_total paid",
    flag="""
        subscriber_is_patient has_subscriber medicare medicaid participating qualifying_apm has_response provider_is_box
        odd_amounts bad_dates subscriber_is_same history_known inpatient outpatient
        unresolved sole_proprietor
    """,
    texts="authorisations profiles other_currencies",
)
"""One row for each Claim. `age` is in years on the first day of service, `lines_total` what the lines charge.

`setting` says whose NCCI edits hold: practitioner, outpatient or dme (a supplier of equipment);
null for stays and where the type of bill is not said. `bill_type` has four characters, `frequency` is its last one;
`inpatient` and `outpatient` follow from it, null on an institutional claim without one. `coded_on` is the day whose
codes hold: of institutional claims the last one. `unresolved`: something that it refers to was looked for in vain.
`history_known` tells whether earlier claims were looked for. `payer_kind` is one of PAYERS. `provider_tax` is a social
security number where the provider has no EIN; `sole_proprietor` says so, and is true of any person who bills.
`payee` is the type of Claim.payee, `grouped` the MS-DRG that the grouper gives a stay (claims/price/beside.py).
"""

LINE = _columns(
    text="""
        code system revenue unit pos ndc ndc_unit rendering_npi ordering_npi referring_npi supervising_npi service_zip
        authorisation note site specialty performer
    """,
    whole="row seq minutes treated_minutes",
    number="units factor ndc_units confidence",
    day="start end",
    cents="charge unit_price expected noncovered purchased allowed",
    flag="bad_dates confirmed evidence capped",
    texts="mods pointed",
    wholes="pointers teams infos procedures",
)
"""One row for each Claim.item; `pointed` are the codes of the diagnoses that it points to, in their order.

`pos` is the place of service of the line, or the claim's own; `units` and `factor` are 1 where they are not said;
`expected` is unit price times units times factor, rounded to the cent. `note` is the text of the service, `site` the
body site, `specialty` the taxonomy of who rendered it, `performer` who that is,
or the billing provider where nobody is named, `purchased` what a bought test cost, `treated_minutes` how long a timed
service took. `allowed` and `capped` come from the price of the line, where there is one (claims/price/beside.py).
`confidence` (0 to 1) is that of the program that read the code out of a document, `confirmed` whether a person chose it
(Coding.userSelected).
"""

DIAGNOSIS = _columns(
    text="code system on_admission verification clinical", whole="row seq place", flag="principal listed", texts="types"
)
"""One row for each Claim.diagnosis; `place` counts from 1 in the order of the sequence numbers.

`principal` is the one of that type or, where none is, the first; `listed` is false of admitting diagnoses and reasons
for the visit. `verification` and `clinical` are the statuses of a Condition that is referred to.
"""

TEAM = _columns(text="role npi taxonomy name", whole="row seq", flag="person")
"""One row for each Claim.careTeam."""

PROCEDURE = _columns(text="code system", whole="row seq", day="date")
"""One row for each Claim.procedure."""

INFO = _columns(
    text="category code text document",
    whole="row seq",
    number="quantity",
    day="start end",
    cents="amount",
    flag="reference",
)
"""One row for each Claim.supportingInfo; `document` is the status of one that it refers to."""

INSURANCE = _columns(
    text="coverage member_id payer_id payer_name status type relationship secondary", whole="row seq order",
    day="start end response_date", cents="response_paid response_adjusted", flag="focal has_response",
)  # fmt: skip
"""One row for each Claim.insurance; `secondary` is why Medicare pays second (extension claim-medicare-secondary)."""

ADJUSTMENT = _columns(text="group reason", whole="row seq line", cents="amount", flag="paid")
"""One row for each adjustment by another payer, and what it paid for a line; `seq` of the insurance, `line` or 0."""

HISTORY = _columns(
    text="claim control code pos provider_npi provider_tax specialty payer_id how bill_type status",
    whole="row seq", number="units", day="start end", cents="charge claim_total", texts="mods diagnoses",
    flag="same_claim",
)  # fmt: skip
"""One row for each line of an earlier claim of the patient; `same_claim` when that is equal but for its number.

`provider_npi` is its performer, `provider_tax` the group that billed it, `specialty` the taxonomy of who rendered it,
`status` billed, accepted, pending, paid or denied, `how` the frequency of its claim.
"""

COLLECTIONS: dict[str, Columns] = {
    "lines": LINE,
    "diagnoses": DIAGNOSIS,
    "team": TEAM,
    "procedures": PROCEDURE,
    "infos": INFO,
    "insurances": INSURANCE,
    "adjustments": ADJUSTMENT,
    "history": HISTORY,
}
"""What a claim has many of; each row names its claim in `row`."""

Scope = Literal["claim", "line", "diagnosis", "team", "procedure", "info", "insurance"]
SCOPES: dict[str, tuple[str, Columns]] = {
    "claim": ("claims", CLAIM),
    "line": ("lines", LINE),
    "diagnosis": ("diagnoses", DIAGNOSIS),
    "team": ("team", TEAM),
    "procedure": ("procedures", PROCEDURE),
    "info": ("infos", INFO),
    "insurance": ("insurances", INSURANCE),
}
"""Scope of a rule → the table whose rows it is asked of, and its columns."""
