"""Wrong numbers of people, payers and members."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, contained, info, member, service, site
from campaigns.claiming.making import NPIS, UNKNOWN
from fhir_profiles.systems import SSN


@breaks("IDN-001", also=("IDN-018",))
def bad_billing_npi(claim: Json) -> None:
    contained(claim, "o")["identifier"][0]["value"] = "1234567890"


@breaks("IDN-002")
def bad_rendering_npi(claim: Json) -> None:
    contained(claim, "r")["identifier"][0]["value"] = "1234567890"


@breaks("IDN-003")
def bad_referring_npi(claim: Json) -> None:
    member(claim, "referring", "1234567890")


@breaks("IDN-004")
def bad_ordering_npi(claim: Json) -> None:
    member(claim, "ordering", "1234567890")


@breaks("IDN-005")
def facility_with_a_wrong_npi(claim: Json) -> None:
    site(claim, "1234567890")


@breaks("IDN-006")
def bad_attending_npi(claim: Json) -> None:
    member(claim, "attending", "1234567890")


@breaks("IDN-007")
def organisation_renders(claim: Json) -> None:
    contained(claim, "r")["identifier"][0]["value"] = NPIS[2]


@breaks("IDN-008", also=("IDN-018",))
def npi_not_active(claim: Json) -> None:
    contained(claim, "o")["identifier"][0]["value"] = UNKNOWN


@breaks("IDN-009")
def bad_taxonomy(claim: Json) -> None:
    contained(claim, "o")["identifier"][2]["value"] = "207R0"


@breaks("IDN-011", also=("IDN-018",))
def bad_tax(claim: Json) -> None:
    contained(claim, "o")["identifier"][1]["value"] = "0434567"


@breaks("IDN-010")
def none_of_the_specialty(claim: Json) -> None:
    service(claim, 0, "S0201")
    claim["careTeam"][0]["qualification"]["coding"][0]["code"] = "1223D0004X"


@breaks("IDN-012", also=("IDN-018",))
def prefix_never_issued(claim: Json) -> None:
    contained(claim, "o")["identifier"][1]["value"] = "073456789"


@breaks("IDN-013")
def impossible_ssn(claim: Json) -> None:
    contained(claim, "p")["identifier"] = [{"system": SSN, "value": "000-12-3456"}]


@breaks("IDN-014")
def ssn_as_member(claim: Json) -> None:
    contained(claim, "v")["subscriberId"] = "123-45-6789"


@breaks("IDN-015")
def no_member(claim: Json) -> None:
    del contained(claim, "v")["subscriberId"]


@breaks("IDN-016")
def no_mbi(claim: Json) -> None:
    contained(claim, "v")["subscriberId"] = "1SG4TE5MK7"


@breaks("IDN-017")
def other_shape(claim: Json) -> None:
    contained(claim, "y")["identifier"][0]["value"] = "S"
    contained(claim, "v")["subscriberId"] = "AB9999999"


@breaks("IDN-018")
def other_tax(claim: Json) -> None:
    contained(claim, "o")["identifier"][1]["value"] = "043456788"


@breaks("IDN-019")
def may_not_order(claim: Json) -> None:
    member(claim, "ordering", NPIS[5])
    claim["item"][0]["careTeamSequence"] = [1, 2]


@breaks("IDN-020")
def excluded(claim: Json) -> None:
    contained(claim, "r")["identifier"][0]["value"] = NPIS[3]


@breaks("IDN-021")
def bad_clia(claim: Json) -> None:
    info(claim, "clia", valueString="22X1234567")
