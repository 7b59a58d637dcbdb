"""Printed codes, evidence, status and order."""

import dataclasses
from datetime import date

from extractors.coding import code
from extractors.model import Document, Finding, Findings, Identity, Page, Word
from extractors.pages import from_text
from extractors.pipeline import Pipeline
from fhir_profiles.systems import CPT, HCPCS, ICD10CM


def printed(pipeline: Pipeline, system: str, value: str, on: date | None = None):
    """The Code that a printed code becomes."""
    document = from_text(f"Code {value}")
    start = document.text.index(value)
    finding = Finding("code", start, start + len(value), value, attributes={"system": system, "code": value})
    findings = Findings((finding,), Identity(service_date=on))
    (answer,) = code(findings, document, pipeline.terminology, pipeline.lexicon).codes
    return answer


def test_a_printed_billable_code_is_accepted(pipeline: Pipeline) -> None:
    """A valid printed code is accepted with high confidence and its place."""
    answer = printed(pipeline, ICD10CM, "E11.9")
    assert (answer.status, answer.code, answer.start, answer.end) == ("accepted", "E11.9", 5, 10)
    assert answer.confidence > 0.95 and "Printed" in answer.reason


def test_a_printed_header_or_unknown_code_is_rejected_with_reason(pipeline: Pipeline) -> None:
    """Neither a category nor a code that does not exist is accepted."""
    for value, says in (("E11", "not billable"), ("E11.99", "does not exist")):
        answer = printed(pipeline, ICD10CM, value)
        assert answer.status == "rejected" and says in answer.reason


def test_a_code_that_was_not_in_force_is_rejected(pipeline: Pipeline) -> None:
    """J1040 was retired before the date of service."""
    assert printed(pipeline, HCPCS, "J1040", date(2025, 1, 1)).status == "rejected"
    assert printed(pipeline, HCPCS, "J1040", date(2020, 1, 1)).status == "accepted"


def test_a_code_outside_the_fragment_is_only_suggested(pipeline: Pipeline) -> None:
    """What the loaded fragment does not know could not be checked."""
    assert printed(pipeline, CPT, "99999").status == "suggested"
    assert printed(pipeline, CPT, "99213").status == "accepted"


def test_a_glued_or_misread_code_is_read_where_its_words_agree(coded) -> None:
    """List numbers run into codes on faxes; without the code's own words beside it nothing is guessed."""
    text = (
        "Diagnoses:\n1.E11.65 Type 2 diabetes with hyperglycemia\n2.110 Essential (primary) hypertension\n3.119 days\n"
    )
    found = {c.code: c for c in coded(text).codes if c.status == "accepted"}
    assert {"E11.65", "I10"} <= set(found) and "I19" not in found
    assert text[found["I10"].start : found["I10"].end] == "110" and found["I10"].confidence < 0.95


def test_printed_modifiers_and_units_are_kept(coded) -> None:
    """Modifiers stand with the code that they are printed with; minutes are none."""
    text = "Procedures:\nCPT 20610-RT injection\n99214-25\nCPT 73030 LT\nCPT 99213 25 minutes\nJ1885 x 4\n"
    found = {c.code: (c.modifiers, c.units) for c in coded(text).codes}
    assert found["20610"] == (("RT",), 1) and found["99214"] == (("25",), 1) and found["73030"] == (("LT",), 1)
    assert found["99213"] == ((), 1) and found["J1885"] == ((), 4)


def test_excludes1_keeps_the_more_exact_code_and_says_why(coded) -> None:
    """Type 1 beside a mention of type 2 diabetes, pneumonia beside aspiration: one of the two waits for a coder."""
    codes = {c.code: c for c in coded("Acute kidney failure. Kidney failure.").codes}
    assert codes["N17.9"].status == "accepted" and codes["N19"].status == "suggested"
    assert codes["N19"].rule == "excludes1" and "N17.9" in codes["N19"].reason


def test_confidence_says_how_the_code_was_found(coded) -> None:
    """A printed code with its own words is surer than one without, and that than one from words alone."""
    both = coded("Diagnoses:\n1. I10 Essential hypertension\n2. E03.9\n").codes
    words = coded("Diagnoses:\nHypothyroidism\n").codes
    sure = {c.code: c.confidence for c in both}
    assert sure["I10"] > sure["E03.9"] > words[0].confidence


def test_doubtful_ink_lowers_confidence(pipeline: Pipeline) -> None:
    """The confidence of the words that were read enters that of the code."""
    quad = (0.1, 0.1, 0.2, 0.1, 0.2, 0.12, 0.1, 0.12)
    text = "E03.9 Hypothyroidism\n"

    def page(sure: float) -> Document:
        words = (Word("E03.9", 0, 5, quad, sure, 0), Word("Hypothyroidism", 6, 20, quad, sure, 0))
        return Document(text, "application/pdf", "0", (Page(1, 612, 792, 0, len(text), "ocr", words),))

    clear, faint = (pipeline.run(page(sure))[1].codes[0].confidence for sure in (96.0, 40.0))
    assert faint < clear - 0.2


def test_rules_never_replace_a_printed_code(coded) -> None:
    """A rule's better code is suggested beside the printed one."""
    codes = {
        c.code: c.status
        for c in coded("Diagnoses:\nI10 Essential hypertension\nI50.22 Chronic systolic heart failure\n").codes
    }
    assert codes["I10"] == codes["I50.22"] == "accepted" and codes["I11.0"] == "suggested"


def test_every_code_has_its_words(coded, pipeline: Pipeline) -> None:
    """Offsets are inside the text, the finding is the one they lie in, and accepted diagnoses are billable."""
    text = "HPI: cough and fever.\nPMH: HTN, CKD stage 3a, COPD.\nAssessment: COPD with acute exacerbation.\n"
    answer = coded(text)
    assert answer.codes
    for one in answer.codes:
        assert 0 <= one.start < one.end <= len(text)
        assert one.reason and 0 <= one.confidence <= 1
        if one.status == "accepted" and one.system == ICD10CM:
            assert pipeline.lexicon.billable(one.code)


def test_codes_that_only_a_rule_read_have_a_finding_of_their_own(coded) -> None:
    """The finding of every code covers or touches its words, and none is borrowed from a denied neighbour."""
    answer = coded("No diagnosis of hypertension. BP 152/94. Established patient, 25 minutes in total.")
    for one in answer.codes:
        finding = answer.findings.items[one.finding]
        assert finding.start < one.end and one.start < finding.end
        assert one.status != "accepted" or finding.assertion.present
    assert {"R03.0", "99213"} <= {c.code for c in answer.codes if c.status == "accepted"}


def test_one_code_keeps_the_evidence_of_all_mentions(coded) -> None:
    """Two mentions of one disease are one code with two places."""
    (answer,) = [c for c in coded("HTN is stable. Continue lisinopril for hypertension.").codes if c.code == "I10"]
    assert len({(answer.start, answer.end), *answer.evidence}) == 2


def test_the_same_document_is_coded_the_same(pipeline: Pipeline) -> None:
    """Coding is a pure function."""
    text = "Type 2 diabetes, HTN, obesity with BMI 36. Chest pain."
    assert pipeline.run(text)[1] == pipeline.run(text)[1]


def test_empty_documents_have_no_codes(pipeline: Pipeline) -> None:
    """Nothing in, nothing out."""
    empty = Document("", "text/plain", "0")
    answer = code(Findings(()), empty, pipeline.terminology, pipeline.lexicon)
    assert answer.codes == () and answer.setting == "outpatient"
    assert dataclasses.is_dataclass(answer)
