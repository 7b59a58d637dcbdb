"""Which diagnosis each line of a draft Claim is for: notes of our own, and what holds of any line."""

from __future__ import annotations

import json
from bisect import bisect_left
from pathlib import Path

from extractors.emit.claim import BILLED, accepted_diagnoses
from extractors.emit.pointers import MOST, needs, pointers
from extractors.emit.procedures import services
from extractors.model import Code, Coded, Document
from extractors.pages import from_text
from fhir_profiles.systems import CPT, ICD10CM

CASES = Path(__file__).with_name("pointers.jsonl")


def pointed(document: Document, coded: Coded) -> dict[str, list[str]]:
    """Of each billed line the diagnoses that it points to."""
    diagnoses = accepted_diagnoses(coded)
    codes = [*diagnoses]
    return {
        line[0].code: [codes[n - 1] for n in pointers(document.text, line, [*diagnoses.values()])]
        for line in services(coded).values()
        if line[0].system in BILLED
    }


def test_each_line_points_first_to_what_it_was_done_for(pipeline) -> None:
    """A panel to what it measures, an injection to its joint, a visit to what it treated."""
    wrong = []
    for row in map(json.loads, CASES.read_text("utf-8").splitlines()):
        document = from_text(row["text"])
        told = pointed(document, pipeline.code(pipeline.find(document), document))
        wrong += [
            (service, first, told.get(service))
            for service, first in row["first"].items()
            if not told.get(service, [""])[0].startswith(tuple(first))
        ]
    assert wrong == []


def code(value: str, display: str, start: int, system: str = ICD10CM, modifiers: tuple[str, ...] = ()) -> list[Code]:
    """A code as if its words stood at `start`."""
    return [Code(system, value, display, start, start + 4, 0.9, "accepted", "", -1, modifiers=modifiers)]


def test_an_injury_of_the_other_side_is_not_pointed_to() -> None:
    """A film of the right wrist is for the right wrist, wherever the words stand."""
    text = "Sprain of left wrist and of right wrist. X-ray wrist."
    both = [code("S63.502A", "Unspecified sprain of left wrist", 0), code("S63.501A", "Sprain of right wrist", 0)]
    film = code("73110", "Wrist X-ray", text.index("X-ray"), CPT, ("RT",))
    assert pointers(text, film, both) == [2]


def test_what_nothing_ties_points_to_the_first_and_never_to_what_happened() -> None:
    """A service that the table does not know points to its sentence, else to the claim's diagnoses in order."""
    text = "Gout. Wound treated with 99999. Fell on stairs."
    listed = [code("W10.9XXA", "Fall", 35), code("M10.9", "Gout", 0), code("S61.401A", "Open wound", 6)]
    assert pointers(text, code("99999", "", text.index("99999"), CPT), listed) == [3]
    assert pointers(text + "x" * 900, code("99999", "", 900, CPT), listed) == [2, 3]
    assert pointers(text, code("99999", "", 25, CPT), listed[:1]) == [1]


def test_no_line_points_beyond_what_a_claim_holds() -> None:
    """A thirteenth diagnosis is pointed to by none, though the table would have it first."""
    many = [*(code(f"M25.51{n}", "Pain", 0) for n in range(MOST)), code("E78.5", "Hyperlipidemia", 0)]
    assert pointers("", code("80061", "", 0, CPT), many) == [*range(1, MOST + 1)]


def test_a_visit_is_for_what_it_treats_and_a_preventive_one_for_itself() -> None:
    """Z codes of immunization and screening come last for a visit; the examination comes first for a preventive one."""
    listed = [code("Z23", "Immunization", 0), code("I10", "Hypertension", 9), code("Z00.00", "Examination", 20)]
    assert pointers("", code("99213", "", 0, CPT), listed) == [2, 1, 3]
    assert pointers("", code("99396", "", 0, CPT), listed)[0] == 3


def test_the_table_names_what_there_is(pipeline) -> None:
    """Each beginning of a diagnosis begins a code of the tables."""
    codes = sorted(pipeline.lexicon.codes(ICD10CM))
    begun = {begins for _, wanted in needs().families for begins in wanted}
    unknown = [begins for begins in sorted(begun) if not codes[bisect_left(codes, begins)].startswith(begins)]
    assert unknown == []
