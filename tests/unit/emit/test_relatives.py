"""What a document says of relatives becomes FamilyMemberHistory, never a Condition."""

from __future__ import annotations

from msgspec.structs import replace

from extractors.model import Assertion
from fhir_profiles.systems import ICD10CM, ROLE_CODE


def told(case, text: str, code: str, **more) -> None:
    """A relative's condition, rejected for the patient."""
    flags = {"family": True, **more.pop("flags", {})}
    case.add("problem", text, ICD10CM, code, "rejected", assertion=Assertion(**flags), attributes=more)


def test_one_resource_for_each_relative(empty) -> None:
    """Two conditions of one relative stand in one resource, with relation, code and evidence of both."""
    mother = empty.find("Mother")
    told(empty, "breast cancer", "C50.919", relation="MTH", relation_display="mother", relation_span=mother)
    told(empty, "sleep apnea", "G47.30", relation="MTH", relation_display="mother", relation_span=mother)
    told(empty, "pneumonia", "J18.9", relation="FTH", relation_display="father")
    first, second = empty.of("FamilyMemberHistory")
    assert first["status"] == "partial" and first["date"] == "2026-03-12"
    related = first["relationship"]["coding"][0]
    assert (related["system"], related["code"], first["relationship"]["text"]) == (ROLE_CODE, "MTH", "Mother")
    assert [c["code"]["coding"][0]["code"] for c in first["condition"]] == ["C50.919", "G47.30"]
    for coding in (related, *(c["code"]["coding"][0] for c in first["condition"])):
        box = next(e for e in coding["extension"] if e["url"].endswith("evidence-box"))
        quoted = next(part["valueString"] for part in box["extension"] if part["url"] == "text")
        assert quoted in empty.document.text
    assert second["relationship"]["coding"][0]["code"] == "FTH"
    assert not empty.of("Condition")


def test_provenance_reaches_it(empty) -> None:
    """The document's Provenance targets it as it does every other resource."""
    told(empty, "breast cancer", "C50.919", relation="MTH", relation_display="mother")
    resource, provenance = empty.of("FamilyMemberHistory")[0], empty.of("Provenance")[0]
    assert {"reference": f"urn:uuid:{resource['id']}"} in provenance["target"]


def test_ages_and_death(empty) -> None:
    """An age is that of onset, or of death where the words say that the relative died."""
    told(empty, "breast cancer", "C50.919", relation="MTH", relation_display="mother", age=52, died=True)
    told(empty, "pneumonia", "J18.9", relation="FTH", relation_display="father", age=45)
    first, second = empty.of("FamilyMemberHistory")
    assert first["deceasedAge"]["value"] == 52 and first["condition"][0]["contributedToDeath"] is True
    assert second["condition"][0]["onsetAge"]["value"] == 45 and "deceasedAge" not in second


def test_who_is_unnamed_is_a_family_member(empty) -> None:
    """A family history that names nobody is that of a family member."""
    told(empty, "breast cancer", "C50.919")
    relationship = empty.of("FamilyMemberHistory")[0]["relationship"]
    assert relationship["coding"][0]["code"] == "FAMMEMB" and relationship["text"] == "family member"


def test_what_is_no_family_history(empty) -> None:
    """Nothing is emitted of what is denied, feared, or said of a spouse or of the patient."""
    told(empty, "breast cancer", "C50.919", flags={"negated": True})
    told(empty, "sleep apnea", "G47.30", flags={"hypothetical": True})
    told(empty, "pneumonia", "J18.9", relation="HUSB", relation_display="husband", relation_kin=False)
    empty.add("problem", "hyperglycemia", ICD10CM, "E11.65")
    assert not empty.of("FamilyMemberHistory")


def test_doubtful_words_show(empty, doubtful) -> None:
    """Words that were hard to read carry the tag and the note."""
    told(empty, "breast cancer", "C50.919", relation="MTH", relation_display="mother")
    empty.items[0] = doubtful(replace(empty.items[0]))
    resource = empty.of("FamilyMemberHistory")[0]
    assert resource["meta"]["tag"][0]["code"] == "doubtful" and resource["note"]


def test_the_claim_knows_no_relatives(case) -> None:
    """A relative's condition is no diagnosis of the Claim."""
    told(case, "Mother had breast cancer", "C50.919", relation="MTH", relation_display="mother")
    assert case.of("FamilyMemberHistory")
    codings = [d["diagnosisCodeableConcept"]["coding"][0]["code"] for d in case.of("Claim")[0]["diagnosis"]]
    assert "C50.919" not in codings
