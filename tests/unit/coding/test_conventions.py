"""Which convention a text is coded by when nobody says."""

from __future__ import annotations

import pytest

from extractors.coding.conventions import SHORTEST, fitting
from extractors.pages import from_text
from extractors.pipeline import Pipeline

STORY = (
    "We report a man of 54 years who was admitted for abdominal pain of two weeks. He had no fever. On examination the "
    "liver was enlarged. A computed tomography showed a mass in the right lobe, and a biopsy gave a hepatocellular "
    "carcinoma. He was operated on, had a wound infection that was treated with antibiotics, and went home "
    "after twelve days. Two years later there was no sign of a recurrence, and he was back at work as a carpenter."
)
VISIT = f"Mr A is here for his hypertension. He denies chest pain. {STORY}"
NOTE = f"CHIEF COMPLAINT: abdominal pain\n\nHISTORY OF PRESENT ILLNESS: {STORY}\n\nPLAN: Follow up in two weeks."


@pytest.mark.parametrize(
    ("text", "setting", "convention"),
    [
        (STORY, None, "mentions"),
        (STORY, "outpatient", "guidelines"),
        (STORY[: SHORTEST - 1], None, "guidelines"),
        (NOTE, None, "guidelines"),
        (VISIT, None, "guidelines"),
        (f"{STORY} Capillary refill was slow; we went on with follow-up in the clinic.", None, "mentions"),
        (STORY.replace("He had no fever", "He denies fever"), None, "mentions"),
        (f"MRN: 4471820\n{STORY}", None, "guidelines"),
    ],
    ids=[
        "a story",
        "a story of a visit",
        "a few lines",
        "a note",
        "a visit",
        "words of an examination",
        "a report that denies",
        "a page of a chart",
    ],
)
def test_only_a_long_story_without_an_encounter_is_coded_by_its_mentions(
    text: str, setting: str | None, convention: str, pipeline: Pipeline
) -> None:
    """Whatever shows an encounter, or is too short to tell, is coded by the guidelines."""
    document = from_text(text)
    assert fitting(document, pipeline.find(document), setting) == convention  # type: ignore[arg-type]
