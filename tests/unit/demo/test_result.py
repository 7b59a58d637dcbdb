"""What the demo shows of coded resources."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from fhir_profiles.systems import CONFIDENCE, EVIDENCE_BOX, ICD10CM, LOINC, REVIEW_TAG
from server.demo.annotate import COLOURS, LEGEND, annotate
from server.demo.fax import HEIGHT, WIDTH, fax
from server.demo.show import STAGES, stage_of, summary, tables
from server.demo.table import PLACES, claimed, rows
from server.jobs import tasks


def coding(system: str, code: str, page: int, text: str) -> dict[str, Any]:
    """A proved coding."""
    sides = {"left": "0.2", "top": "0.5", "width": "0.3", "height": "0.02"}
    parts = [{"url": "page", "valuePositiveInt": page}, {"url": "text", "valueString": text}]
    parts += [{"url": side, "valueDecimal": Decimal(value)} for side, value in sides.items()]
    extension = [{"url": EVIDENCE_BOX, "extension": parts}, {"url": CONFIDENCE, "valueDecimal": Decimal("0.912")}]
    return {"system": system, "code": code, "display": f"Display of {code}", "extension": extension}


@pytest.fixture
def resources() -> list[dict[str, Any]]:
    """A few stored resources."""
    diagnosis = {"coding": [coding(ICD10CM, "E11.65", 2, "diabetes")]}
    return [
        {"resourceType": "Patient", "name": [{"family": "Quill", "given": ["Ada"]}], "identifier": [{"value": "77"}]},
        {"resourceType": "Claim", "diagnosis": [{"diagnosisCodeableConcept": diagnosis}]},
        {
            "resourceType": "Condition",
            "code": diagnosis,
            "meta": {"tag": [{"system": REVIEW_TAG, "code": "suggested"}]},
        },
        {
            "resourceType": "Observation",
            "code": {"coding": [coding(LOINC, "29463-7", 1, "81.60")]},
            "valueQuantity": {"value": Decimal("81.60"), "unit": "kg"},
            "interpretation": [{"text": "H"}],
        },
    ]


def test_rows_tell_code_value_confidence_page_and_words(resources: list[dict[str, Any]]) -> None:
    """Each coding is a row; decimals are shown as printed, review tags are told."""
    condition, observation = rows(resources)
    assert (condition.system, condition.code, condition.pages, condition.words) == (
        "ICD-10-CM",
        "E11.65",
        "2",
        "diabetes",
    )
    assert (condition.confidence, condition.note) == (0.912, "suggested")
    assert observation.value == "81.60 kg (H)"


def test_what_has_no_code_is_a_row_too() -> None:
    """A drug that no table knows is shown with its words and without a code."""
    proof = coding(LOINC, "", 1, "quinoxol 5 mg")["extension"][:1]
    statement = {
        "resourceType": "MedicationStatement",
        "medicationCodeableConcept": {"text": "quinoxol", "extension": proof},
    }
    (row,) = rows([statement])
    assert (row.code, row.meaning, row.words, row.confidence) == ("", "quinoxol", "quinoxol 5 mg", None)


def test_claimed_codes_are_marked(resources: list[dict[str, Any]]) -> None:
    """What stands on the Claim is known by system and code."""
    assert claimed(resources) == {("ICD-10-CM", "E11.65")}


def test_tables_print_everything(resources: list[dict[str, Any]]) -> None:
    """The tables and the summary hold codes, words and the patient."""
    console = Console(width=140, file=StringIO())
    console.print(tables(rows(resources), claimed(resources)))
    summary(console, resources)
    shown = console.file.getvalue()
    for text in ("E11.65 ●", "diabetes", "91%", "81.60 kg", "Ada Quill", "MRN 77", "1 diagnoses"):
        assert text in shown


def test_annotated_pages_show_each_box_in_the_colour_of_its_kind(
    resources: list[dict[str, Any]], tmp_path: Path
) -> None:
    """A picture for each page, a frame in the colour of its kind where the evidence stands, a legend at the foot."""
    pages = annotate(fax(), rows(resources), tmp_path)
    assert [page.name for page in pages] == ["fax-page-1.png", "fax-page-2.png"]
    for page, kind in zip(pages, ("Observation", "Condition"), strict=True):
        with Image.open(page) as image:
            assert image.size == (WIDTH, HEIGHT + LEGEND)
            x, y = int(0.2 * WIDTH) - 5, int(0.51 * HEIGHT)
            assert COLOURS[kind][1] in [image.getpixel((x + step, y)) for step in range(4)]


def test_every_kind_of_row_has_a_colour() -> None:
    """The table and the picture agree on what there is."""
    assert set(PLACES) == set(COLOURS)


@pytest.mark.parametrize("stage", STAGES)
def test_progress_follows_the_stages_of_the_task(stage: str) -> None:
    """Each stage that a Task can tell moves the bar, the last one to its end."""
    task = {"businessStatus": {"coding": [{"code": stage, "display": tasks.STAGES[stage]}]}}
    assert stage_of(task) == (STAGES.index(stage) + 1, tasks.STAGES[stage])
