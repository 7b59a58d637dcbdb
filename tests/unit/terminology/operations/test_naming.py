"""Code systems by their other names (https://hl7.org/fhir/R4/namingsystem.html)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from terminology.naming import WELL_KNOWN, named
from terminology.operations import Library

sys.path.insert(0, str(Path(__file__).parent))
from asking import SET, A, ask, system, value_set, values

OID = "urn:oid:1.2.3"
CODES = system({"code": "one", "display": "One", "concept": [{"code": "two"}]})
NAMING = {
    "resourceType": "NamingSystem", "kind": "codesystem", "status": "active",
    "uniqueId": [{"type": "oid", "value": "1.2.3"}, {"type": "uri", "value": A}],
}  # fmt: skip


def test_the_well_known_oids() -> None:
    """OIDs that HL7 has registered and `https:` forms stand for the URIs that FHIR asks for."""
    assert WELL_KNOWN["urn:oid:2.16.840.1.113883.6.90"] == "http://hl7.org/fhir/sid/icd-10-cm"
    assert WELL_KNOWN["urn:oid:2.16.840.1.113883.6.1"] == WELL_KNOWN["https://loinc.org"] == "http://loinc.org"
    hcpcs = "://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
    assert WELL_KNOWN[f"https{hcpcs}"] == f"http{hcpcs}"


def test_every_operation_knows_the_other_name() -> None:
    """With the call or stored, a NamingSystem makes a name that is as good as the URI."""
    stored = Library(None, lambda type_, url: [NAMING] if (type_, url) == ("NamingSystem", "") else [])
    for library, resources in ((None, (CODES, NAMING)), (stored, (CODES,))):
        given: dict[str, Any] = {"library": library}
        found = ask("CodeSystem/$validate-code", *resources, url=OID, code="one", **given)
        assert values(found)["result"] is True and values(found)["system"] == A
        in_set = value_set({"system": OID, "filter": [{"property": "concept", "op": "is-a", "value": "one"}]})
        found = ask("ValueSet/$validate-code", *resources, in_set, url=SET, system=A, code="two", **given)
        assert values(found)["result"] is True
        found = ask("ValueSet/$validate-code", *resources, in_set, url=SET, system=OID, code="two", **given)
        assert values(found)["result"] is True
        assert values(ask("CodeSystem/$lookup", *resources, system=OID, code="one", **given))["display"] == "One"
        compared = ask("CodeSystem/$subsumes", *resources, system=OID, codeA="one", codeB="two", **given)
        assert values(compared)["outcome"] == "subsumes"
        listed = ask("ValueSet/$expand", *resources, in_set, url=SET, **given)["expansion"]
        assert listed["contains"][0]["system"] == A


def test_a_well_known_name_is_not_taken() -> None:
    """No NamingSystem makes LOINC the name of something else, and retired ones say nothing."""
    loinc = {"type": "uri", "value": "http://loinc.org"}
    claim = {**NAMING, "uniqueId": [{"type": "uri", "value": A, "preferred": True}, loinc]}
    assert named([claim]) == {}
    assert named([{**NAMING, "status": "retired"}]) == {}
    assert named([NAMING]) == {OID: A}


def test_a_system_that_is_here_keeps_its_name() -> None:
    """A NamingSystem does not hide the code system of that very URL."""
    claim = {**NAMING, "uniqueId": [{"type": "uri", "value": "http://example.org/b"}, {"type": "uri", "value": A}]}
    assert values(ask("CodeSystem/$validate-code", CODES, claim, url=A, code="one"))["system"] == A


def test_translate_knows_the_other_name_and_tells_the_source_of_a_target() -> None:
    """Who names the target with R5's names is told the target as the concept and beside it what maps to it."""
    element = {"code": "one", "target": [{"code": "X", "equivalence": "wider"}]}
    concept_map = {
        "resourceType": "ConceptMap", "url": "http://example.org/map", "status": "active",
        "group": [{"source": A, "target": "http://example.org/x", "element": [element]}],
    }  # fmt: skip
    for system_ in (A, OID):
        found = ask("ConceptMap/$translate", CODES, NAMING, concept_map, system=system_, code="one")
        assert {p["name"]: p for p in found["parameter"][1]["part"]}["concept"]["valueCoding"]["code"] == "X"
    asked = {"targetCode": "X", "targetSystem": "http://example.org/x", "sourceSystem": A}
    told = {p["name"]: p for p in ask("ConceptMap/$translate", concept_map, **asked)["parameter"][1]["part"]}
    assert told["concept"]["valueCoding"]["code"] == "X" and told["source"]["valueCoding"]["code"] == "one"
    assert told["equivalence"]["valueCode"] == "wider"


def test_the_oids_of_published_systems() -> None:
    """What HL7 publishes is found by the OID that it gives there."""
    found = values(ask("CodeSystem/$validate-code", url="urn:oid:2.16.840.1.113883.5.4", code="EMER"))
    assert found["result"] is True
    assert found["system"] == "http://terminology.hl7.org/CodeSystem/v3-ActCode"
