"""A C-CDA document that is posted: its entries are mapped, its other words are read, nothing twice."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from extractors.pages import read
from fhir_profiles import json
from fhir_profiles.systems import PROCESSING_TAG
from fhir_profiles.validate import check
from server.jobs.attachments import read_attachment
from server.jobs.bounds import bounds_of
from server.jobs.children import Failure
from server.jobs.stages import Stages
from server.settings import Settings

SAMPLES = Path(__file__).parents[2] / "unit" / "doors" / "ccda_samples"
AROUND: dict[str, Any] = {"resourceType": "DocumentReference", "id": "d", "subject": {"reference": "Patient/7"}}


@pytest.fixture(scope="module")
def stages(built: Path) -> Stages:
    """The stages of a worker."""
    return Stages(bounds_of(Settings(data=built, open=True)))


def coded(stages: Stages, name: str, **around: Any) -> list[dict[str, Any]]:
    """What the pipeline makes of a sample."""
    data = (SAMPLES / f"{name}.xml").read_bytes()
    made = json.decode(stages.bundle(data, json.encode(AROUND | around), "2026-01-01T00:00:00Z"))
    return [entry["resource"] for entry in made["entry"]]


def test_entries_are_mapped_and_other_words_are_read(stages: Stages) -> None:
    """A consultation: medication and result by their entries, the assessment by its words, about the posted patient."""
    found = coded(stages, "consultation_note")
    kinds = Counter(one["resourceType"] for one in found)
    assert (kinds["MedicationStatement"] >= 1, kinds["DiagnosticReport"], kinds["Patient"]) == (True, 1, 0)
    results = [one for one in found if one["resourceType"] == "Observation" and "4548-4" in str(one["code"])]
    assert len(results) == 1
    conditions = [one for one in found if one["resourceType"] == "Condition"]
    assert [one["code"]["coding"][0]["code"] for one in conditions] == ["E03.9"]
    assert {one["subject"]["reference"] for one in [*results, *conditions]} == {"Patient/7"}
    assert [problem for one in found for problem in check(one)] == []
    assert len({(one["resourceType"], one.get("id"), str(one)) for one in found}) == len(found)


def test_what_a_door_has_mapped_is_not_mapped_again(stages: Stages) -> None:
    """Its DocumentReference says so."""
    tagged = coded(stages, "consultation_note", meta={"tag": [{"system": PROCESSING_TAG, "code": "mapped"}]})
    kinds = Counter(one["resourceType"] for one in tagged)
    assert (kinds["DiagnosticReport"], kinds["Condition"]) == (0, 1)


def test_coded_sections_are_not_read_as_words() -> None:
    """Of a document whose sections all have entries only its header is text."""
    text = read((SAMPLES / "ccd.xml").read_bytes()).text
    assert "Odile" in text
    assert "hives" not in text
    assert "Assessment and plan" in read((SAMPLES / "progress_note.xml").read_bytes()).text


def test_the_file_inside_is_what_is_read() -> None:
    """A posted unstructured document is read as the file that it holds; a damaged one has its reason."""

    def posted(name: str) -> bytes:
        data = base64.b64encode((SAMPLES / f"{name}.xml").read_bytes()).decode()
        document = {"content": [{"attachment": {"contentType": "text/xml", "data": data}}]}
        return read_attachment(document, None, lambda _: None, 1_000_000)

    assert posted("unstructured_pdf").startswith(b"%PDF")
    assert posted("unstructured_text") == b"Seen for asthma. No wheeze."
    with pytest.raises(Failure) as failure:
        posted("body_not_base64")
    assert failure.value.code == "structure"


def test_a_posted_document_about_two_patients_is_refused(stages: Stages) -> None:
    """Nothing of it is mapped to either."""
    with pytest.raises(Exception, match="several patients"):
        coded(stages, "two_patients")
