"""What a Consent denies, case by case (https://hl7.org/fhir/R4/consent.html)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_profiles.dates import interval
from fhir_profiles.errors import FhirError
from fhir_profiles.systems import (
    ACT_CODE,
    BASE,
    CONFIDENTIALITY,
    CONSENT_ACTION,
    CONSENT_SCOPE,
    LOINC,
    PARTICIPATION,
    PURPOSE,
    RESOURCE_TYPES,
)
from server.access.consent_reading import check_consent, read_consent
from server.access.consents import Consent, Who, denied
from server.search.rows import index_rows
from server.search.tree import Scope, about, part_of
from server.store.alone import Alone
from server.store.version import Version

Json = dict[str, Any]
NOW = "2026-05-01"
DOCTOR = Who("ann", "app", "Practitioner/d", "TREAT", ("PractitionerRole/r", "Organization/o", "Organization/above"))
NURSE = Who("ben", "app", "Practitioner/n", "TREAT")
BILLER = Who("cy", "bills", "Practitioner/b", "HPAYMT", ("PractitionerRole/q", "Organization/p"))
SERVICE = Who("loader", "loader")
STRANGER = Who("dan", "app")
SON = Who("eve", "app", "RelatedPerson/s")

PLAIN: Json = {"resourceType": "Observation", "id": "x", "status": "final", "code": {"text": "x"}}
GLUCOSE = PLAIN | {"code": {"coding": [{"system": LOINC, "code": "2345-7"}]}}
LETTER: Json = {"resourceType": "DocumentReference", "id": "y", "status": "current",
                "type": {"coding": [{"system": LOINC, "code": "2345-7"}]}}  # fmt: skip


def labelled(*codes: str, system: str = CONFIDENTIALITY) -> Json:
    return PLAIN | {"meta": {"security": [{"system": system, "code": code} for code in codes]}}


def consent(basis: str, root: Json | None = None, **more: Any) -> Json:
    made: Json = {
        "resourceType": "Consent", "status": "active", "patient": {"reference": "Patient/A"},
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "policyRule": {"coding": [{"system": ACT_CODE, "code": basis}]},
    }  # fmt: skip
    return made | ({"provision": root} if root else {}) | more


def but(*exceptions: Json) -> Json:
    return {"provision": list(exceptions)}


def deny(*exceptions: Json, **criteria: Any) -> Json:
    return {"type": "deny", **criteria} | (but(*exceptions) if exceptions else {})


def permit(*exceptions: Json, **criteria: Any) -> Json:
    return deny(*exceptions, **criteria) | {"type": "permit"}


def to(*references: str, role: str = "IRCP") -> Json:
    code = {"coding": [{"system": PARTICIPATION, "code": role}]}
    return {"actor": [{"role": code, "reference": {"reference": one}} for one in references]}


def known(system: str, value: str) -> Json:
    code = {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]}
    return {"actor": [{"role": code, "reference": {"identifier": {"system": f"{BASE}/{system}", "value": value}}}]}


def of(*kinds: str) -> Json:
    return {"class": [{"system": RESOURCE_TYPES, "code": kind} for kind in kinds]}


def during(start: str | None = None, end: str | None = None) -> Json:
    return {"period": {key: value for key, value in (("start", start), ("end", end)) if value}}


def why(code: str) -> Json:
    return {"purpose": [{"system": PURPOSE, "code": code}]}


def secret(*codes: str, system: str = CONFIDENTIALITY) -> Json:
    return {"securityLabel": [{"system": system, "code": code} for code in codes]}


def coded(code: str) -> Json:
    return {"code": [{"coding": [{"system": LOINC, "code": code}]}]}


def that(reference: str) -> Json:
    return {"data": [{"meaning": "instance", "reference": {"reference": reference}}]}


ACCESS = {"action": [{"coding": [{"system": CONSENT_ACTION, "code": "access"}]}]}
OUT, IN = "OPTOUT", "OPTIN"

CASES: dict[str, tuple[Json, Who, Json, bool]] = {
    "opt-in alone": (consent(IN), DOCTOR, PLAIN, False),
    "opt-out alone": (consent(OUT), DOCTOR, PLAIN, True),
    "opt-in with restrictions": (consent("OPTINR"), DOCTOR, PLAIN, False),
    "opt-out with exceptions": (consent("OPTOUTE"), DOCTOR, PLAIN, True),
    "opt-out keeps services out": (consent(OUT), SERVICE, PLAIN, True),
    "opt-out that has begun": (consent(OUT, during("2026-01-01")), DOCTOR, PLAIN, True),
    "opt-out that has not begun": (consent(OUT, during("2026-06-01")), DOCTOR, PLAIN, False),
    "opt-out that is over": (consent(OUT, during(end="2026-04-29")), DOCTOR, PLAIN, False),
    "a day that is not over everywhere": (consent(OUT, during(end="2026-04-30")), DOCTOR, PLAIN, True),
    "a moment that is over": (consent(OUT, during(end="2026-04-30T23:59:59Z")), DOCTOR, PLAIN, False),
    "a day that begins somewhere": (consent(OUT, during("2026-05-01")), DOCTOR, PLAIN, True),
    "a permit that begins not everywhere": (consent(OUT, but(permit(**during("2026-05-01")))), DOCTOR, PLAIN, True),
    "the last day counts": (consent(OUT, during(end="2026-05-01")), DOCTOR, PLAIN, True),
    "opt-out towards one": (consent(OUT, to("Practitioner/d")), DOCTOR, PLAIN, True),
    "opt-out towards another": (consent(OUT, to("Practitioner/d")), NURSE, PLAIN, False),
    "deny a person": (consent(IN, but(deny(**to("Practitioner/d")))), DOCTOR, PLAIN, True),
    "deny another person": (consent(IN, but(deny(**to("Practitioner/d")))), NURSE, PLAIN, False),
    "deny one of several": (consent(IN, but(deny(**to("Practitioner/x", "Practitioner/n")))), NURSE, PLAIN, True),
    "deny at the root": (consent(IN, deny(**to("Practitioner/d"))), DOCTOR, PLAIN, True),
    "permit at the root": (consent(OUT, permit(**to("Practitioner/d"))), DOCTOR, PLAIN, False),
    "permit another at the root": (consent(OUT, permit(**to("Practitioner/d"))), NURSE, PLAIN, True),
    "deny whoever is not known": (consent(IN, but(deny(**to("Practitioner/d")))), STRANGER, PLAIN, True),
    "a service is no person": (consent(IN, but(deny(**to("Practitioner/d")))), SERVICE, PLAIN, False),
    "permit not whoever is not known": (consent(OUT, but(permit(**to("Practitioner/d")))), STRANGER, PLAIN, True),
    "deny a relative": (consent(IN, but(deny(**to("RelatedPerson/s")))), SON, PLAIN, True),
    "deny a house": (consent(IN, but(deny(**to("Organization/o")))), DOCTOR, PLAIN, True),
    "deny the house above": (consent(IN, but(deny(**to("Organization/above")))), DOCTOR, PLAIN, True),
    "deny another house": (consent(IN, but(deny(**to("Organization/o")))), BILLER, PLAIN, False),
    "deny a house to whom nobody places": (consent(IN, but(deny(**to("Organization/o")))), NURSE, PLAIN, True),
    "deny a house to a service": (consent(IN, but(deny(**to("Organization/o")))), SERVICE, PLAIN, True),
    "a relative works nowhere": (consent(IN, but(deny(**to("Organization/o")))), SON, PLAIN, False),
    "permit a house": (consent(OUT, but(permit(**to("Organization/o")))), DOCTOR, PLAIN, False),
    "permit not whom nobody places": (consent(OUT, but(permit(**to("Organization/o")))), NURSE, PLAIN, True),
    "deny a role": (consent(IN, but(deny(**to("PractitionerRole/r")))), DOCTOR, PLAIN, True),
    "deny an app": (consent(IN, but(deny(**known("client", "bills")))), BILLER, PLAIN, True),
    "deny another app": (consent(IN, but(deny(**known("client", "bills")))), DOCTOR, PLAIN, False),
    "permit a service by its name": (consent(OUT, but(permit(**known("client", "loader")))), SERVICE, PLAIN, False),
    "deny a user": (consent(IN, but(deny(**known("user", "ann")))), DOCTOR, PLAIN, True),
    "deny a purpose": (consent(IN, but(deny(**why("HPAYMT")))), BILLER, PLAIN, True),
    "deny another purpose": (consent(IN, but(deny(**why("HPAYMT")))), DOCTOR, PLAIN, False),
    "deny a purpose to whom has none": (consent(IN, but(deny(**why("HPAYMT")))), SERVICE, PLAIN, True),
    "deny a narrower purpose": (consent(IN, but(deny(**why("CLMATTCH")))), BILLER, PLAIN, True),
    "permit a purpose": (consent(OUT, but(permit(**why("TREAT")))), DOCTOR, PLAIN, False),
    "permit a purpose to others": (consent(OUT, but(permit(**why("TREAT")))), BILLER, PLAIN, True),
    "permit a narrower purpose": (consent(OUT, but(permit(**why("COC")))), DOCTOR, PLAIN, True),
    "deny a class": (consent(IN, but(deny(**of("Observation")))), DOCTOR, PLAIN, True),
    "deny another class": (consent(IN, but(deny(**of("Condition", "Procedure")))), DOCTOR, PLAIN, False),
    "permit a class": (consent(OUT, but(permit(**of("Observation")))), DOCTOR, PLAIN, False),
    "all of a rule must fit": (consent(IN, but(deny(**of("Observation"), **why("HPAYMT")))), DOCTOR, PLAIN, False),
    "deny a resource": (consent(IN, but(deny(**that("Observation/x")))), DOCTOR, PLAIN, True),
    "deny another resource": (consent(IN, but(deny(**that("Observation/z")))), DOCTOR, PLAIN, False),
    "the same id of another type": (consent(IN, but(deny(**that("Condition/x")))), DOCTOR, PLAIN, False),
    "permit a resource": (consent(OUT, but(permit(**that("Observation/x")))), DOCTOR, PLAIN, False),
    "deny a code": (consent(IN, but(deny(**coded("2345-7")))), DOCTOR, GLUCOSE, True),
    "deny another code": (consent(IN, but(deny(**coded("718-7")))), DOCTOR, GLUCOSE, False),
    "a document by its type": (consent(IN, but(deny(**coded("2345-7")))), DOCTOR, LETTER, True),
    "deny what is restricted": (consent(IN, but(deny(**secret("R")))), DOCTOR, labelled("R"), True),
    "and what is more so": (consent(IN, but(deny(**secret("R")))), DOCTOR, labelled("V"), True),
    "not what is less so": (consent(IN, but(deny(**secret("R")))), DOCTOR, labelled("N"), False),
    "nor what has no label": (consent(IN, but(deny(**secret("R")))), DOCTOR, PLAIN, False),
    "permit up to a label": (consent(OUT, but(permit(**secret("N")))), DOCTOR, labelled("L"), False),
    "permit not above it": (consent(OUT, but(permit(**secret("N")))), DOCTOR, labelled("N", "V"), True),
    "permit not without a label": (consent(OUT, but(permit(**secret("N")))), DOCTOR, PLAIN, True),
    "a label of another system": (consent(IN, but(deny(**secret("PSY", system=ACT_CODE)))), DOCTOR,
                                  labelled("PSY", system=ACT_CODE), True),
    "an action": (consent(IN, but(deny(**ACCESS))), DOCTOR, PLAIN, True),
    "an exception to an exception": (consent(IN, but(deny(permit(**to("Practitioner/d")), **of("Observation")))),
                                     DOCTOR, PLAIN, False),
    "and others": (consent(IN, but(deny(permit(**to("Practitioner/d")), **of("Observation")))), NURSE, PLAIN, True),
    "three deep": (consent(OUT, but(permit(deny(permit(**to("Practitioner/d")), **of("Observation")), **why("TREAT")))),
                   DOCTOR, PLAIN, False),
    "three deep, others": (
        consent(OUT, but(permit(deny(permit(**to("Practitioner/d")), **of("Observation")), **why("TREAT")))),
        NURSE, PLAIN, True),
    "a denial beside a permit": (consent(OUT, but(permit(**why("TREAT")), deny(**of("Observation")))), DOCTOR, PLAIN,
                                 True),
    "an exception that is over": (consent(IN, but(deny(**during(end="2025")))), DOCTOR, PLAIN, False),
    "a permit that is over": (consent(OUT, but(permit(**during(end="2025")))), DOCTOR, PLAIN, True),
}  # fmt: skip


def denies(one: Consent, who: Who, resource: Json) -> bool:
    """Whether a Consent denies a resource of its patient, as the condition in SQL has it."""
    kind = resource["resourceType"]
    part = denied(one.rule, who, interval(NOW)[0], kind)
    if isinstance(part, bool):
        return part
    view = Alone()
    view.hold(Version(1, kind, resource["id"], 1, 0, "C", None, b"{}"), index_rows(resource)[0])
    check = part_of(Scope("sqlite", "", lambda _kind: None), part).check
    return bool(view.query(f"SELECT 1 FROM resource r WHERE {about(check, 'r.rid')}", check.params))


@pytest.mark.parametrize("name", CASES)
def test_a_consent_denies_what_it_says(name: str) -> None:
    """Each case is accepted, and denied or not as it stands here."""
    resource, who, about_what, wanted = CASES[name]
    check_consent(resource)
    one = read_consent(resource)
    assert one is not None and one.patient == "A"
    assert denies(one, who, about_what) is wanted


WRONG: dict[str, tuple[Json, str]] = {
    "no policyRule": (consent(IN) | {"policyRule": {}}, "Consent.policyRule"),
    "another policyRule": (consent("OIC"), "Consent.policyRule"),
    "both": (consent(IN) | {"policyRule": {"coding": [{"system": ACT_CODE, "code": c} for c in (IN, OUT)]}},
             "Consent.policyRule"),
    "a modifier": (consent(IN, modifierExtension=[{"url": "urn:x"}]), "Consent.modifierExtension"),
    "data of a period": (consent(IN, but(deny(dataPeriod={"end": "2020"}))),
                         "Consent.provision.provision[0].dataPeriod"),
    "related data": (consent(IN, but(deny(data=[{"meaning": "related", "reference": {"reference": "Patient/x"}}]))),
                     "Consent.provision.provision[0].data[0]"),
    "another action": (consent(IN, but(deny(action=[{"coding": [{"system": CONSENT_ACTION, "code": "disclose"}]}]))),
                       "Consent.provision.provision[0].action[0]"),
    "a group": (consent(IN, but(deny(**to("Group/g")))), "Consent.provision.provision[0].actor[0].reference"),
    "a custodian": (consent(IN, but(deny(**to("Practitioner/d", role="CST")))),
                    "Consent.provision.provision[0].actor[0].role"),
    "a class that is no type": (consent(IN, but(deny(**of("Letter")))), "Consent.provision.provision[0].class"),
    "a purpose of another system": (consent(IN, but(deny(purpose=[{"system": "urn:x", "code": "y"}]))),
                                    "Consent.provision.provision[0].purpose[0]"),
    "a level that is none": (consent(IN, but(deny(**secret("X")))), "Consent.provision.provision[0].securityLabel"),
    "a code in words": (consent(IN, but(deny(code=[{"text": "glucose"}]))), "Consent.provision.provision[0].code[0]"),
    "an exception without a type": (consent(IN, but(of("Observation"))), "Consent.provision.provision[0].type"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_kept_to_is_told_and_taken_strictly(name: str) -> None:
    """Whoever writes it is told where; stored all the same, it denies rather than permits."""
    resource, place = WRONG[name]
    with pytest.raises(FhirError) as told:
        check_consent(resource)
    assert place in [one.expression for one in told.value.problems]
    one = read_consent(resource)
    assert one is not None and denies(one, DOCTOR, PLAIN)


def test_a_permit_that_cannot_be_read_permits_nothing() -> None:
    """An exception to an opt-out counts only where all of it is understood."""
    one = read_consent(consent(OUT, but(permit(dataPeriod={"start": "2020"}))))
    assert one is not None and denies(one, DOCTOR, PLAIN)


@pytest.mark.parametrize(
    "more",
    [{"status": "inactive"}, {"status": "proposed"},
     {"scope": {"coding": [{"system": CONSENT_SCOPE, "code": "research"}]}}],
    ids=["inactive", "proposed", "research"],
)  # fmt: skip
def test_only_active_consents_of_privacy_count(more: Json) -> None:
    """Others are stored as they are, whatever they say."""
    resource = consent("OIC") | more
    check_consent(resource)
    assert read_consent(resource) is None


def test_too_deep_is_refused() -> None:
    """Exceptions to exceptions have an end."""
    told = deny()
    for _ in range(8):
        told = permit(told)
    with pytest.raises(FhirError):
        check_consent(consent(IN, but(told)))
