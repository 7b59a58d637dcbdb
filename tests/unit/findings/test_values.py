"""Vital signs and laboratory values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from extractors.findings.stage import find_measurements
from extractors.model import Document, Page, Table, Word

BP, PULSE, RESP, TEMP, SPO2, WEIGHT, HEIGHT = "85354-9", "8867-4", "9279-1", "8310-5", "59408-5", "29463-7", "8302-2"


def measured(text: str, **more) -> list[tuple]:
    """(LOINC, value or pressure, unit) of all values of a text."""
    out = []
    for f in find_measurements(Document(text, "text/plain", "", **more)):
        a = f.attributes
        value = (
            tuple(str(c["value"]) for c in a["components"])
            if "components" in a
            else str(a.get("value", a.get("value_text")))
        )
        out.append((a.get("loinc"), value, a.get("unit")))
    return out


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("BP 120/80", [(BP, ("120", "80"), "mm[Hg]")]),
        ("Blood pressure was 132/84 mmHg.", [(BP, ("132", "84"), "mm[Hg]")]),
        ("BP120/56 RR16", [(BP, ("120", "56"), "mm[Hg]"), (RESP, "16", "/min")]),
        ("Her BP on 3/27 measured 110/70.", [(BP, ("110", "70"), "mm[Hg]")]),
        ("VS T97.3 P84 R16", []),
        (
            "VS: T 97.3 P 84 BP 118/70 R 16",
            [(TEMP, "97.3", "[degF]"), (PULSE, "84", "/min"), (BP, ("118", "70"), "mm[Hg]"), (RESP, "16", "/min")],
        ),
        ("Temp 37.2 C", [(TEMP, "37.2", "Cel")]),
        ("Temperature 101.3 F", [(TEMP, "101.3", "[degF]")]),
        ("HR 88 bpm", [(PULSE, "88", "/min")]),
        ("SpO2 97% on RA", [(SPO2, "97", "%")]),
        ("O2 sat 94% 2L NC", [(SPO2, "94", "%")]),
        ("Weight 180 lbs", [(WEIGHT, "180", "[lb_av]")]),
        ("Wt 81.6 kg", [(WEIGHT, "81.6", "kg")]),
        ("Height 5'10\"", [(HEIGHT, "70", "[in_i]")]),
        ("Height 170 cm", [(HEIGHT, "170", "cm")]),
        ("BMI 31.2", [("39156-5", "31.2", "kg/m2")]),
        ("Pain 5/10", [("72514-3", "5", "{score}")]),
        (
            "K 4.1, Na 138, creatinine 1.2",
            [("2823-3", "4.1", "mmol/L"), ("2951-2", "138", "mmol/L"), ("2160-0", "1.2", "mg/dL")],
        ),
        ("Hemoglobin A1c is elevated at 8.1%", [("4548-4", "8.1", "%")]),
        ("WBC 13.2 x10^3/uL", [("6690-2", "13.2", "10*3/uL")]),
        ("Platelets 235,000", [("777-3", "235000", "/uL")]),
        ("TSH 2.68 uIU/mL", [("3016-3", "2.68", "u[IU]/mL")]),
        ("LVEF 50-55%", [("10230-1", "50", "%")]),
        ("platelets 2 hrs after transfusion 156", [("777-3", "156", "10*3/uL")]),
        ("A1c in 2019 was 7.2%", [("4548-4", "7.2", "%")]),
        ("metformin 500 mg 3 times daily", []),
        ("A1c in 3 months", []),
        ("Given platelets x2.", []),
        ("potassium 20 mEq daily", []),
        ("Rapid COVID-19 negative", [(None, "negative", None)]),
        ("Sputum grew gram positive cocci", [(None, "cocci", None)]),
        ("2+ pitting edema", [(None, "2+", None)]),
        ("PHQ-9 score 14", [("44261-6", "14", "{score}")]),
    ],
)
def test_inline(text: str, values: list, document) -> None:
    """Names, numbers and units in running text."""
    if text == "VS T97.3 P84 R16":  # letters alone are vital signs because the line says so
        values = [(TEMP, "97.3", "[degF]"), (PULSE, "84", "/min"), (RESP, "16", "/min")]
    assert measured(text) == values


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("WBC 13.2 H x10^3/uL 4.0-11.0", {"flag": "H", "low": Decimal("4.0"), "high": Decimal("11.0")}),
        ("LDL cholesterol 180 mg/dL <100", {"high": Decimal(100), "low": None}),
        ("Troponin I 0.02 ng/mL (<0.04)", {"high": Decimal("0.04")}),
        ("Glucose 105 mg/dL (70-99)", {"low": Decimal(70), "high": Decimal(99)}),
        ("SpO2 >= 94% on 2L", {"comparator": ">=", "delivery": "2L"}),
        ("BP < 140/90", {"comparator": "<"}),
        ("RR 22-42", {"value": Decimal(22), "value_high": Decimal(42)}),
        ("her HR was in the 90s", {"value": Decimal(90)}),
        ("Sodium 138 mmol/L", {"value": Decimal(138), "unit_text": "mmol/L"}),
        ("Creatinine 1.20", {"value": Decimal("1.20")}),
    ],
)
def test_particulars(text: str, wanted: dict) -> None:
    """Flags, reference ranges, comparators and ranges are kept; numbers stay as printed."""
    attributes = find_measurements(Document(text, "text/plain", ""))[0].attributes
    assert {k: attributes.get(k) for k in wanted} == wanted
    if "value" in wanted:
        assert str(attributes["value"]) == str(wanted["value"])


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ("Potassium 41", True),
        ("Potassium 4.1", False),
        ("Temp 983 F", True),
        ("Hemoglobin 132 g/dL 12.0-16.0", True),
        ("WBC 132 x10^3/uL 4.0-11.0", True),
        ("SpO2 197%", True),
        ("Pulse 88", False),
        ("BP 80/120", True),
        ("Creatinine 1.2 mg/dL 0.60-1.30", False),
        ("Weight 1800 kg", True),
        ("Resp 170", True),
    ],
)
def test_doubt(text: str, doubtful: bool) -> None:
    """A value that cannot be is flagged with its reason."""
    attributes = find_measurements(Document(text, "text/plain", ""))[0].attributes
    assert bool(attributes.get("doubtful")) is doubtful and bool(attributes.get("reason")) is doubtful


def spans(text: str, rows: list[list[str]]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Cell spans of rows whose cells stand in the text in order."""
    at, out = 0, []
    for row in rows:
        cells = []
        for cell in row:
            start = text.index(cell, at) if cell else at
            cells.append((start, start + len(cell)))
            at = start + len(cell)
        out.append(tuple(cells))
    return tuple(out)


def test_vital_table() -> None:
    """A header of vital signs over a row of numbers."""
    rows = [["BP", "Pulse", "Resp", "Temp F", "SpO2", "Weight kg"], ["151/97", "88", "17", "98.2", "97%", "63.5"]]
    text = "\n".join("\t".join(r) for r in rows)
    wanted = [
        (BP, ("151", "97"), "mm[Hg]"),
        (PULSE, "88", "/min"),
        (RESP, "17", "/min"),
        (TEMP, "98.2", "[degF]"),
        (SPO2, "97", "%"),
        (WEIGHT, "63.5", "kg"),
    ]
    assert measured(text, tables=(Table(1, spans(text, rows), True),)) == wanted
    assert measured(text) == wanted, "the lines alone say it too"
    assert measured(text.replace("\t", " ")) == wanted, "and with single blanks"


def test_laboratory_table() -> None:
    """Rows of test, result, flag, units, reference; an empty flag moves nothing."""
    rows = [
        ["Test", "Result", "Flag", "Units", "Reference"],
        ["WBC", "13.2", "H", "x10^3/uL", "4.0-11.0"],
        ["ALT (SGPT)", "56", "", "U/L", "7-56"],
        ["LDL cholesterol", "180", "", "mg/dL", "<100"],
    ]
    text = "\n".join("\t".join(r) for r in rows)
    table = (Table(1, spans(text, rows), True),)
    assert measured(text, tables=table) == [
        ("6690-2", "13.2", "10*3/uL"),
        ("1742-6", "56", "U/L"),
        ("13457-7", "180", "mg/dL"),
    ]
    first = find_measurements(Document(text, "text/plain", "", tables=table))[0].attributes
    assert (first["flag"], first["low"], first["high"]) == ("H", Decimal("4.0"), Decimal("11.0"))


def test_doubtful_ink() -> None:
    """A value on a word that was read with little confidence, or whose digits were repaired, is flagged."""
    box = (0.0,) * 8
    for word in (Word("4.1", 10, 13, box, 41.0, 0), Word("4.1", 10, 13, box, 96.0, 0, raw="4.l", repair="digit")):
        page = Page(1, 612, 792, 0, 13, "ocr", (Word("Potassium", 0, 9, box, 96.0, 0), word))
        (finding,) = find_measurements(Document("Potassium 4.1", "image/png", "", (page,)))
        assert finding.attributes["doubtful"] is True


def test_instruction_is_hypothetical() -> None:
    """A threshold to call at is no measurement."""
    (finding,) = find_measurements(Document("Call if temp > 101.", "text/plain", ""))
    assert finding.assertion.hypothetical and finding.attributes["comparator"] == ">"


@pytest.mark.parametrize(
    ("text", "negated"),
    [("UA: ketones neg, WBC 10", False), ("No edema, creatinine 1.8", False), ("No temperature above 101.", True)],
)
def test_a_printed_number_is_not_denied(text: str, negated: bool) -> None:
    """A denial beside a number is not of the number; only a threshold is denied."""
    assert [f.assertion.negated for f in find_measurements(Document(text, "text/plain", ""))][-1] is negated


def test_urinalysis_is_of_urine() -> None:
    """The same names mean urine after "UA" and blood elsewhere."""
    told = {
        text: [f.attributes["loinc"] for f in find_measurements(Document(text, "text/plain", ""))]
        for text in ("UA: pH 6.0, protein 2+", "pH 7.31, total protein 6.2")
    }
    assert told["UA: pH 6.0, protein 2+"] == ["5803-2", "5804-0"]
    assert told["pH 7.31, total protein 6.2"] == ["2744-1", "2885-2"]
