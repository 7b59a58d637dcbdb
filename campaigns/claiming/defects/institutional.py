"""Claims of hospitals that the form does not allow."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, contained, info, later
from claims.sheet.values import day


def said(claim: Json, category: str) -> Json:
    """A piece of supporting information."""
    found: Json = next(i for i in claim["supportingInfo"] if i["category"]["coding"][0]["code"] == category)
    return found


def forget(claim: Json, category: str) -> None:
    """Take a piece of supporting information away."""
    claim["supportingInfo"].remove(said(claim, category))


def earlier(claim: Json, start: str, end: str) -> list[Json]:
    """A line of an earlier stay."""
    tax = contained(claim, "o")["identifier"][1]["value"]
    line = {"claim": "E", "control": "E", "seq": 1, "bill_type": "0111", "provider_tax": tax, "status": "paid"}
    return [{**line, "start": day(start), "end": day(end), "charge": 100, "units": 1.0}]


@breaks("INS-001", "inpatient")
def no_such_bill(claim: Json) -> None:
    claim["subType"]["coding"][0]["code"] = "0119"


@breaks("INS-002", "outpatient")
def room_of_outpatient(claim: Json) -> None:
    line = claim["item"][1]
    line["revenue"]["coding"][0]["code"] = "0120"


@breaks("INS-003", "inpatient")
def no_such_revenue(claim: Json) -> None:
    claim["item"][1]["revenue"]["coding"][0]["code"] = "9999"


@breaks("INS-004", "outpatient")
def no_code(claim: Json) -> None:
    del claim["item"][1]["productOrService"]["coding"]


@breaks("INS-005", "outpatient")
def other_revenue(claim: Json) -> None:
    claim["item"][1]["revenue"]["coding"][0]["code"] = "0636"


@breaks("INS-006", "inpatient")
def not_days(claim: Json) -> None:
    claim["item"][0]["quantity"]["code"] = "UN"


@breaks("INS-007", "inpatient")
def other_days(claim: Json) -> None:
    said(claim, "value")["valueQuantity"]["value"] = 3


@breaks("INS-008", "inpatient")
def line_of_total(claim: Json) -> None:
    claim["item"][1]["revenue"]["coding"][0]["code"] = "0001"


@breaks("INS-009", "inpatient")
def no_admission_type(claim: Json) -> None:
    forget(claim, "admtype")


@breaks("INS-010", "inpatient")
def no_origin(claim: Json) -> None:
    forget(claim, "pointoforigin")


@breaks("INS-011", "inpatient")
def no_status(claim: Json) -> None:
    forget(claim, "discharge-status")


@breaks("INS-012", "inpatient")
def still_there(claim: Json) -> None:
    said(claim, "discharge-status")["code"]["coding"][0]["code"] = "30"


@breaks("INS-013", "inpatient")
def no_hour(claim: Json) -> None:
    said(claim, "admission-hour")["code"]["coding"][0]["code"] = "24"


@breaks("INS-014", "inpatient")
def nobody_attends(claim: Json) -> None:
    claim["careTeam"].pop(0)


@breaks("INS-015", "inpatient")
def nobody_operated(claim: Json) -> None:
    claim["careTeam"].pop(1)


@breaks("INS-016", "inpatient")
def no_such_condition(claim: Json) -> None:
    said(claim, "condition")["code"]["coding"][0]["code"] = "ZZ"


@breaks("INS-017", "inpatient")
def no_date(claim: Json) -> None:
    del said(claim, "occurrence")["timingDate"]


@breaks("INS-018", "inpatient")
def open_span(claim: Json) -> None:
    del said(claim, "span")["timingPeriod"]["end"]


@breaks("INS-019", "inpatient")
def no_amount(claim: Json) -> None:
    info(claim, "value", code={"coding": [{"code": "01"}]})


@breaks("INS-020", "inpatient")
def overlapping(claim: Json) -> list[Json]:
    period = claim["billablePeriod"]
    return earlier(claim, period["start"], later(period["start"], 2))


@breaks("INS-021", "inpatient")
def no_admitting(claim: Json) -> None:
    claim["diagnosis"].pop()


@breaks("INS-022", "outpatient")
def no_reason(claim: Json) -> None:
    claim["diagnosis"].pop()


@breaks("INP-001", "inpatient")
def no_such_procedure(claim: Json) -> None:
    operated(claim, "0W9B3ZQ")


@breaks("INP-002", "inpatient")
def long_before(claim: Json) -> None:
    claim["procedure"][0]["date"] = later(claim["billablePeriod"]["start"], -5)


@breaks("INP-003", "inpatient")
def other_sex(claim: Json) -> None:
    contained(claim, "p")["gender"] = "male"
    operated(claim, "0UT90ZZ")


@breaks("INP-004", "inpatient")
def not_covered(claim: Json) -> None:
    operated(claim, "0U5B0ZZ")


@breaks("INP-005", "inpatient")
def limited(claim: Json) -> None:
    operated(claim, "02YA0Z0")


@breaks("INP-007", "inpatient")
def other_group(claim: Json) -> None:
    info(claim, "drg", code={"coding": [{"code": "470"}]})


@breaks("INP-006", "inpatient", also=("INP-007",))
def not_grouped(claim: Json) -> None:
    info(claim, "drg", code={"coding": [{"code": "999"}]})


@breaks("INP-008", "inpatient")
def wrong_operation(claim: Json) -> None:
    claim["diagnosis"][2]["diagnosisCodeableConcept"]["coding"][0]["code"] = "Y65.51"


@breaks("INP-009", "inpatient", also=("INS-007",))
def short_stay(claim: Json) -> None:
    operated(claim, "5A1955Z")
    period = said(claim, "admissionperiod")["timingPeriod"]
    period["end"] = claim["billablePeriod"]["end"] = later(period["start"], 2)


@breaks("INP-010", "inpatient")
def back_again(claim: Json) -> list[Json]:
    came = claim["billablePeriod"]["start"]
    return earlier(claim, later(came, -3), came)


@breaks("DAT-006", "inpatient")
def served_before(claim: Json) -> None:
    said(claim, "admissionperiod")["timingPeriod"]["start"] = claim["billablePeriod"]["end"]


def operated(claim: Json, code: str) -> None:
    """Another operation."""
    claim["procedure"][0]["procedureCodeableConcept"]["coding"][0]["code"] = code
