"""Medications and allergies."""

from __future__ import annotations

from decimal import Decimal

import pytest

from extractors.findings import find

FREQUENCIES = [
    ("daily", 1, 1, "d"),
    ("QD", 1, 1, "d"),
    ("once a day", 1, 1, "d"),
    ("every day", 1, 1, "d"),
    ("BID", 2, 1, "d"),
    ("b.i.d.", 2, 1, "d"),
    ("twice daily", 2, 1, "d"),
    ("two times a day", 2, 1, "d"),
    ("TID", 3, 1, "d"),
    ("three times daily", 3, 1, "d"),
    ("QID", 4, 1, "d"),
    ("4 times a day", 4, 1, "d"),
    ("qHS", 1, 1, "d"),
    ("at bedtime", 1, 1, "d"),
    ("nightly", 1, 1, "d"),
    ("qAM", 1, 1, "d"),
    ("every morning", 1, 1, "d"),
    ("q4h", 1, 4, "h"),
    ("q 6 hours", 1, 6, "h"),
    ("every 8 hours", 1, 8, "h"),
    ("every six hours", 1, 6, "h"),
    ("q12h", 1, 12, "h"),
    ("q6-8h", 1, 6, "h"),
    ("every 4 to 6 hours", 1, 4, "h"),
    ("every other day", 1, 2, "d"),
    ("weekly", 1, 1, "wk"),
    ("once a week", 1, 1, "wk"),
    ("twice weekly", 2, 1, "wk"),
    ("every 2 weeks", 1, 2, "wk"),
    ("monthly", 1, 1, "mo"),
    ("every 3 months", 1, 3, "mo"),
    ("with meals", 3, 1, "d"),
    ("twice daily with meals", 2, 1, "d"),
    ("three times a week", 3, 1, "wk"),
    ("q72h", 1, 3, "d"),
    ("q.h.s.", 1, 1, "d"),
    ("once daily", 1, 1, "d"),
]


@pytest.mark.parametrize(("printed", "frequency", "period", "unit"), FREQUENCIES)
def test_frequency(printed: str, frequency: int, period: int, unit: str, document, lexicon) -> None:
    """Each way to write how often becomes FHIR timing."""
    (finding,) = find(document(f"lisinopril 10 mg PO {printed}"), lexicon).items
    timing = finding.attributes["timing"]
    assert (timing["frequency"], timing["period"], timing["period_unit"]) == (frequency, period, unit)
    assert finding.attributes["route"] == "PO" and finding.attributes["dose"] == 10


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("insulin glargine 18 units SC qHS", {"dose": Decimal(18), "dose_unit": "[iU]", "route": "SC"}),
        (
            "albuterol HFA 90 mcg 2 puffs q4h PRN",
            {"dose": Decimal(2), "dose_unit": "{puff}", "strength": "90 mcg", "as_needed": True},
        ),
        ("warfarin 2.5 mg PO daily", {"dose": Decimal("2.5"), "dose_unit": "mg", "rxnorm": "11289"}),
        ("metformin 1,000 mg twice daily with meals", {"dose": Decimal(1000)}),
        ("levothyroxine 88mcg daily", {"dose": Decimal(88), "dose_unit": "ug"}),
        ("amoxicillin 500 mg three times a day for 10 days", {"duration": {"value": Decimal(10), "unit": "d"}}),
        ("prednisone 40 mg daily x 5 days", {"duration": {"value": Decimal(5), "unit": "d"}}),
        ("ibuprofen 600 mg every 6 hours as needed for pain", {"as_needed": True, "as_needed_for": "pain"}),
        ("lorazepam 0.5-1 mg q8h prn anxiety", {"as_needed_for": "anxiety", "as_needed": True}),
        (
            "acetaminophen 325 mg 1-2 tablets q6h prn",
            {"dose": Decimal(1), "dose_high": Decimal(2), "dose_unit": "{tablet}"},
        ),
        (
            "lisinopril 20 mg tablet, take one tablet by mouth daily",
            {"dose": Decimal(1), "strength": "20 mg", "route": "PO"},
        ),
        ("Take two tablets of aspirin daily", {"dose": Decimal(2), "dose_unit": "{tablet}"}),
        ("ibuprofen 15 mg/kg PO q8h", {"dose": Decimal(15), "dose_unit": "mg/kg"}),
        ("furosemide 10 mg/hr IV", {"dose": Decimal(10), "dose_unit": "mg/h"}),
        ("Lasix 40 mg BID, up from 20 mg daily", {"dose": Decimal(40), "dose_unit": "mg"}),
        ("20 mg of Lasix daily", {"dose": Decimal(20), "ingredient": "furosemide"}),
        ("furosemide 40 mg IV BID", {"route": "IV"}),
        ("potassium chloride 20 mEq PO daily", {"dose": Decimal(20), "dose_unit": "meq"}),
        ("metformin ER 500 mg tablet PO BID #60 3 refills", {"release": "er", "quantity": 60, "form": "tablet"}),
        ("warfarin 5 mg half tablet daily", {"dose": Decimal("0.5"), "strength": "5 mg"}),
    ],
)
def test_sig(text: str, wanted: dict, document, lexicon) -> None:
    """Dose, strength, form, route, duration and reason are read from the sig."""
    (finding,) = [f for f in find(document(text), lexicon).items if f.kind == "medication"]
    assert {k: finding.attributes.get(k) for k in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "drug", "status"),
    [
        ("Discontinue metformin.", "metformin", "stopped"),
        ("Metformin was discontinued.", "Metformin", "stopped"),
        ("She stopped taking aspirin.", "aspirin", "stopped"),
        ("Hold warfarin before surgery.", "warfarin", "on-hold"),
        ("Warfarin was held.", "Warfarin", "on-hold"),
        ("We will start lisinopril 10 mg daily.", "lisinopril", "started"),
        ("Increase metformin to 1000 mg twice daily.", "metformin", "changed"),
        ("Continue aspirin 81 mg daily.", "aspirin", "active"),
        ("Initiate Lasix 40 mg daily, and continue with aspirin 81 mg daily.", "aspirin", "active"),
        ("Aspirin 81 mg daily.", "Aspirin", None),
        ("Aspirin 81 mg daily discontinued due to bleeding.", "Aspirin", "stopped"),
        ("Prednisone taper, then off. Aspirin 81 mg daily.", "Aspirin", None),
        ("DISCONTINUED MEDICATIONS:\nAspirin 81 mg daily\n", "Aspirin", "stopped"),
    ],
)
def test_status(text: str, drug: str, status: str | None, document, lexicon) -> None:
    """The words around a drug say what becomes of it."""
    found = {
        f.attributes["drug"]: f.attributes.get("status")
        for f in find(document(text), lexicon).items
        if f.kind == "medication"
    }
    assert found[drug] == status


def test_every_drug_keeps_its_own_sig(document, lexicon) -> None:
    """Neighbours in a list do not borrow from each other."""
    text = "MEDICATIONS\nlisinopril 10 mg PO daily\nalbuterol HFA 90 mcg 2 puffs q4h PRN\nwarfarin 2.5 mg PO BID\n"
    found = [f for f in find(document(text), lexicon).items if f.kind == "medication"]
    assert [f.text for f in found] == text.splitlines()[1:]
    assert [f.assertion.present for f in found] == [True, True, True]


def test_unknown_drug_in_a_list(document, lexicon) -> None:
    """A line of a medication list that begins with an unknown name and a dose is a medication without a code."""
    (finding,) = find(document("MEDICATIONS\nfoozumab 40 mg SC every 2 weeks\n"), lexicon).items
    assert finding.attributes["drug"] == "foozumab" and "rxnorm" not in finding.attributes


def test_a_value_is_no_drug(document, lexicon) -> None:
    """Potassium with a result is a result; potassium with a dose is a drug."""
    kinds = [f.kind for f in find(document("Potassium 4.1 today. Give potassium 20 mEq PO."), lexicon).items]
    assert kinds == ["lab", "medication"]


@pytest.mark.parametrize(
    ("text", "substances"),
    [
        ("ALLERGIES: penicillin (rash), codeine.\n", [("penicillin", "rash"), ("codeine", None)]),
        ("ALLERGIES\n- Penicillin - hives\n- shellfish\n", [("Penicillin", "hives"), ("shellfish", None)]),
        ("She is allergic to penicillin and codeine.", [("penicillin", None), ("codeine", None)]),
        ("Allergies: NKDA", [(None, None)]),
        ("ALLERGIES\nNo known drug allergies.\n", [(None, None)]),
        ("Denies any drug allergies.", [(None, None)]),
        ("Allergies: aspirin causes wheezing", [("aspirin", "wheezing")]),
    ],
)
def test_allergies(text: str, substances: list, document, lexicon) -> None:
    """Substances that are not tolerated are allergies, never medications; "none known" is denied."""
    items = find(document(text), lexicon).items
    assert not [f for f in items if f.kind == "medication"]
    found = [f for f in items if f.kind == "allergy"]
    assert [(f.attributes["substance"], f.attributes.get("reaction")) for f in found] == substances
    assert all(f.assertion.negated == (f.attributes["substance"] is None) for f in found)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("metformin 500 mg tablet\nSig: 1 po bid\nDisp: #60\nRefills: 3", {"dose": 1, "quantity": 60, "refills": 3}),
        ("metformin 500 mg tablet\nDisp: 60 tablets\nSig: Take 2 tablets daily", {"dose": 2, "quantity": 60}),
        ("metformin 500 mg\nTake ½ tablet by mouth daily", {"dose": Decimal("0.5"), "dose_unit": "{tablet}"}),
    ],
)
def test_a_prescription_goes_on_over_lines(text: str, parts: dict, document, lexicon) -> None:
    """Lines that begin as instructions or supplies do belong to the drug above them."""
    (finding,) = find(document(text), lexicon).items
    assert {name: finding.attributes.get(name) for name in parts} == parts


def test_an_instruction_alone_names_no_drug(document, lexicon) -> None:
    """Verbs and "Sig" are never taken for a drug."""
    for text in ("Give 7.5 ml po bid", "Sig: 1 tab po bid", "Inhale 2 puffs every 4 hours"):
        assert not [f for f in find(document(text), lexicon).items if f.kind == "medication"]


def test_a_bare_number_after_a_drug_is_no_count(document, lexicon) -> None:
    """ "furosemide 40 po" leaves the unit out: no dose is better than forty tablets."""
    (finding,) = find(document("furosemide 40 po daily"), lexicon).items
    assert "dose" not in finding.attributes and finding.attributes["route"] == "PO"


def test_a_second_name_in_brackets_is_no_second_drug(document, lexicon) -> None:
    """ "furosemide (Lasix) 40 mg" is one statement, with the sig that stands behind both names."""
    (finding,) = [f for f in find(document("furosemide (Lasix) 40 mg daily"), lexicon).items if f.kind == "medication"]
    assert finding.attributes["dose"] == 40


def test_a_drug_of_a_test_or_a_reaction_is_not_taken(document, lexicon) -> None:
    """What was given to test something, or did harm once, is no medication of the patient."""
    for text in (
        "Furosemide stimulation test normal.",
        "He had a bad reaction to codeine.",
        "Lisinopril caused cough.",
    ):
        assert not [f for f in find(document(text), lexicon).items if f.kind == "medication"]


def test_a_week_before_is_no_frequency(document, lexicon) -> None:
    """ "Stop furosemide a week before surgery" says when, "40 mg a week" how often."""
    text = "Stop furosemide a week before surgery. Furosemide 40 mg a week."
    first, second = [f for f in find(document(text), lexicon).items if f.kind == "medication"]
    assert "timing" not in first.attributes and second.attributes["timing"]["period_unit"] == "wk"
