"""Sound claims as payers other than Medicare get them: what Medicare alone would refuse in them is no fault."""

# ruff: noqa: D103 - each function is named after what it bills

from __future__ import annotations

from collections.abc import Callable

from campaigns.claiming.defects.defect import contained, drug, info, place, service, site, total, units
from campaigns.claiming.making import COVERAGES, NPIS, Json, coded, paid_by
from fhir_profiles.systems import CLAIM_EXTENSIONS, EIN, ICD10PCS, NPI, NUCC, SSN

OTHERS = tuple(kind for kind in COVERAGES if kind != "medicare")
Bill = Callable[[Json], None]
ORDINARY: dict[str, tuple[tuple[str, ...], str, Bill]] = {}
"""Name → kinds of payers, base, and what is billed."""


def billed(kinds: tuple[str, ...] = OTHERS, base: str = "professional") -> Callable[[Bill], Bill]:
    """Register what is ordinary on a claim to these payers."""

    def register(bill: Bill) -> Bill:
        ORDINARY[bill.__name__] = (kinds, base, bill)
        return bill

    return register


def ordinary(name: str, kind: str, made: Json) -> Json:
    """A made claim of the base, billed so to a payer of the kind."""
    paid_by(made, kind)
    ORDINARY[name][2](made)
    return made


@billed()
def therapy_without_plan(claim: Json) -> None:
    service(claim, 0, "97110")
    claim["item"][0]["extension"] = [{"url": f"{CLAIM_EXTENSIONS}minutes", "valueInteger": 8}]


@billed()
def therapy_by_the_rule_of_eights(claim: Json) -> None:
    for number, code in enumerate(("97110", "97112")):
        service(claim, number, code)
        claim["item"][number]["extension"] = [{"url": f"{CLAIM_EXTENSIONS}minutes", "valueInteger": 8}]


@billed()
def assistant_at_surgery(claim: Json) -> None:
    service(claim, 0, "S0400", "80")


@billed()
def surgeons_in_number(claim: Json) -> None:
    service(claim, 0, "S0202", "62")


@billed()
def at_a_distance(claim: Json) -> None:
    place(claim, "10")


@billed()
def operation_in_a_centre(claim: Json) -> None:
    service(claim, 0, "S0312")


@billed()
def bundled_service(claim: Json) -> None:
    service(claim, 0, "S0300")


@billed()
def not_covered_by_medicare(claim: Json) -> None:
    for number, code in enumerate(("S0301", "S0302", "S0303")):
        service(claim, number, code)


@billed(("commercial", "federal", "workers", "auto", "other"))
def drug_without_number(claim: Json) -> None:
    service(claim, 0, "S0510")


@billed()
def drug_of_one_dose(claim: Json) -> None:
    service(claim, 0, "S0151")
    drug(claim, 0, "00000000001", 1)


@billed(("medicaid",))
def ride_by_one_who_has_no_number(claim: Json) -> None:
    contained(claim, "o")["identifier"] = [
        {"system": EIN, "value": "043456789"},
        {"system": NUCC, "value": "343900000X"},
    ]


@billed(("medicare",))
def therapy_by_an_assistant(claim: Json) -> None:
    service(claim, 0, "97110", "GP", "CQ")
    claim["item"][0]["extension"] = [{"url": f"{CLAIM_EXTENSIONS}minutes", "valueInteger": 15}]


@billed(OTHERS, "outpatient")
def ambulance_of_a_hospital(claim: Json) -> None:
    service(claim, 1, "A0429", "RH")
    claim["item"][1]["revenue"] = {"coding": [{"code": "0540"}]}


@billed(("medicaid",))
def vaccine_that_is_given_free(claim: Json) -> None:
    service(claim, 0, "S0512", "SL")


@billed(("medicaid",))
def encounter_with_detail_at_nothing(claim: Json) -> None:
    service(claim, 0, "T1015")
    for line in claim["item"][1:]:
        line["net"]["value"] = line["unitPrice"]["value"] = 0
    total(claim)


@billed(tuple(COVERAGES))
def owner_with_a_social_security_number(claim: Json) -> None:
    contained(claim, "o")["identifier"][1] = {"system": SSN, "value": "078051120"}
    contained(claim, "o")["identifier"][0] = {"system": NPI, "value": NPIS[2]}


@billed(("workers", "auto"))
def code_of_the_state(claim: Json) -> None:
    service(claim, 0, "W0001")


@billed(("commercial", "medicaid", "federal", "other", "medicare"))
def first_diagnosis_without_type(claim: Json) -> None:
    del claim["diagnosis"][0]["type"]


@billed(tuple(COVERAGES))
def measure_at_nothing(claim: Json) -> None:
    service(claim, 0, "S0304")
    claim["item"][0]["net"]["value"] = claim["item"][0]["unitPrice"]["value"] = 0
    total(claim)


@billed()
def cheaper_than_medicare(claim: Json) -> None:
    for line in claim["item"]:
        line["net"]["value"] = line["unitPrice"]["value"] = 1.5
    total(claim)


@billed()
def in_a_place_without_locality(claim: Json) -> None:
    claim["item"][0]["locationAddress"] = {"city": "Nowhere", "state": "MA", "postalCode": "01999"}


@billed()
def oxygen_and_equipment(claim: Json) -> None:
    place(claim, "12")
    service(claim, 0, "S0533")


@billed(tuple(COVERAGES))
def days_of_visits(claim: Json) -> None:
    line = service(claim, 0, "S0201")
    line["servicedPeriod"] = {"start": line["servicedDate"], "end": line.pop("servicedDate")}
    units(claim, 0, 1)


@billed(tuple(COVERAGES))
def read_in_a_hospital(claim: Json) -> None:
    place(claim, "22")
    site(claim, NPIS[4])
    service(claim, 0, "S0201")
    for number in (1, 2):
        service(claim, number, ("S0212", "S0202")[number - 1])


@billed(tuple(COVERAGES))
def decision_for_surgery_on_its_own_claim(claim: Json) -> None:
    service(claim, 0, "99214", "57")
    for number in (1, 2):
        service(claim, number, ("S0201", "S0212")[number - 1])


@billed(tuple(COVERAGES))
def repeated_by_another(claim: Json) -> None:
    service(claim, 0, "S0201", "77")


@billed(OTHERS, "outpatient")
def observation_and_visits(claim: Json) -> None:
    service(claim, 1, "S0201")


@billed(OTHERS, "outpatient")
def blood_without_processing(claim: Json) -> None:
    claim["item"][1]["revenue"] = {"coding": [{"code": "0380"}]}
    service(claim, 1, "P9010")


@billed(("commercial", "federal", "workers", "auto", "other"), "inpatient")
def stay_without_what_was_there(claim: Json) -> None:
    for one in claim["diagnosis"]:
        one.pop("onAdmission", None)


@billed(("commercial", "federal", "workers", "auto", "other"), "inpatient")
def operation_that_medicare_limits(claim: Json) -> None:
    claim["procedure"][0]["procedureCodeableConcept"] = coded(ICD10PCS, "02YA0Z0")


@billed(("medicare",), "outpatient")
def medicare_second_by_a_value_code(claim: Json) -> None:
    second = {**contained(claim, "v"), "id": "w"}
    claim["contained"].append(second)
    claim["insurance"].append({"sequence": 2, "focal": False, "coverage": {"reference": "#w"}})
    info(claim, "value", code={"coding": [{"code": "12"}]}, valueQuantity={"value": 100})
