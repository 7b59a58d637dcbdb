"""The way back from a code to the ink."""

from __future__ import annotations

from extractors.emit import Box, boxes
from extractors.emit.evidence import page_of
from extractors.model import Document
from fhir_profiles.systems import CONFIDENCE, DERIVATION_REFERENCE, EVIDENCE_BOX


def test_one_box_for_the_words_of_one_line(case) -> None:
    """The box of a span holds all its words and no other."""
    assert [round_box(b) for b in boxes(case.document, *case.find("72.50 kg"))] == [
        (1, 0.17, 0.18, 0.08, 0.02, "72.50 kg")
    ]


def test_a_span_over_two_lines_has_two_boxes(case) -> None:
    """Evidence that wraps is one box a line, in reading order."""
    found = boxes(case.document, *case.find("Type 2 diabetes mellitus with\nhyperglycemia"))
    assert [(box.page, box.text) for box in found] == [(2, "Type 2 diabetes mellitus with"), (2, "hyperglycemia")]


def test_part_of_a_word_lights_the_whole_word(case) -> None:
    """A span inside a token, as in 128/76, still finds the token's box."""
    start, _ = case.find("76 mmHg")
    assert [box.text for box in boxes(case.document, start, start + 2)] == ["128/76"]


def test_a_document_without_pages_has_no_boxes(case) -> None:
    """Plain text is proved by offsets alone."""
    assert boxes(Document("E11.65", "text/plain", "0"), 0, 6) == []
    assert page_of(Document("E11.65", "text/plain", "0"), 0) is None


def test_page_of_finds_the_page_of_an_offset(case) -> None:
    """Offsets on the second page are on the second page."""
    assert page_of(case.document, case.find("Patient")[0]) == 1
    assert page_of(case.document, case.find("metformin")[0]) == 2


def test_every_coding_of_what_the_words_say_is_proved(case) -> None:
    """Each coding has offset and length whose words stand in the text, a box on the right page, and a confidence."""
    seen = 0
    for coding in proved_codings(case.emit()):
        extensions = coding["extension"]
        places = [parts(e) for e in extensions if e["url"] == DERIVATION_REFERENCE]
        assert places
        for place in places:
            assert place["reference"] == {"reference": "DocumentReference/doc-1"}
            assert place["path"] == "DocumentReference.content[0].attachment"
            assert case.document.text[place["offset"] : place["offset"] + place["length"]].strip()
        drawn = [parts(e) for e in extensions if e["url"] == EVIDENCE_BOX]
        assert drawn
        quoted = {case.document.text[p["offset"] : p["offset"] + p["length"]] for p in places}
        assert all(any(box["text"].rstrip(".") in " ".join(words.split()) for words in quoted) for box in drawn)
        seen += 1
    assert seen == 13
    assert sum(e["url"] == CONFIDENCE for c in proved_codings(case.emit()) for e in c["extension"]) == 13


def test_equal_codes_are_one_coding_with_all_their_places(case) -> None:
    """A diagnosis in words and as a printed code is one Condition that shows both."""
    condition = next(c for c in case.of("Condition") if c["code"]["coding"][0]["code"] == "E11.65")
    extensions = condition["code"]["coding"][0]["extension"]
    assert sum(e["url"] == DERIVATION_REFERENCE for e in extensions) == 2
    assert [parts(e)["text"] for e in extensions if e["url"] == EVIDENCE_BOX] == [
        "Type 2 diabetes mellitus with",
        "hyperglycemia",
        "E11.65",
    ]


def round_box(box: Box) -> tuple[object, ...]:
    """A box that compares well."""
    return (box.page, *(round(side, 4) for side in (box.left, box.top, box.width, box.height)), box.text)


def parts(extension: dict) -> dict:
    """The sub-extensions of an extension by name."""
    return {part["url"]: next(v for k, v in part.items() if k != "url") for part in extension["extension"]}


def proved_codings(resources: list[dict]) -> list[dict]:
    """The codings of what the document says; FHIR's own vocabulary is not evidence."""
    concepts = []
    for resource in resources:
        kind = resource["resourceType"]
        if kind in ("Observation", "Condition", "Procedure"):
            concepts += [resource["code"], *(part["code"] for part in resource.get("component", ()))]
        elif kind == "MedicationStatement":
            concepts.append(resource["medicationCodeableConcept"])
        elif kind == "Claim":
            concepts += [d["diagnosisCodeableConcept"] for d in resource["diagnosis"]]
            concepts += [item["productOrService"] for item in resource["item"]]
    return [coding for concept in concepts for coding in concept["coding"]]
