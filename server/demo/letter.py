"""The invented clinic letter that the demo faxes: nobody in it exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Style = Literal["fax", "title", "heading", "text", "rule", "table", "space", "sign"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the letter: lines of text, or the rows of a table whose first row is the header."""

    style: Style
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    columns: tuple[float, ...] = ()  # left edge of each column, as a fraction of the text's width


def _fax(page: int) -> Block:
    return Block("fax", (f"03/13/2026 08:41   FROM: LARKMOOR INTERNAL MEDICINE   FAX 555-0142   PAGE {page} OF 2",))


def _identity(page: int) -> Block:
    return Block(
        "text",
        (
            "Patient: Castellane, Rosalind     DOB: 07/09/1958     Sex: F     MRN: 40718265",
            f"Date of service: 03/12/2026     Provider: Imogen Tarrow, MD     NPI: 1487650321     Page {page} of 2",
        ),
    )


FIRST = (
    _fax(1),
    Block("title", ("LARKMOOR INTERNAL MEDICINE", "214 Alder Street, Larkmoor     Phone 555-0140")),
    Block("rule"),
    _identity(1),
    Block("rule"),
    Block("heading", ("REASON FOR VISIT",)),
    Block("text", ("Follow-up of diabetes and blood pressure, office visit.",)),
    Block("heading", ("HISTORY OF PRESENT ILLNESS",)),
    Block(
        "text",
        (
            "67-year-old woman who returns after three months. Morning glucose at home is 130 to 180.",
            "The right knee hurts on stairs; known osteoarthritis of the right knee.",
            "She denies chest pain, shortness of breath, syncope and leg swelling. No fever.",
            "History of community-acquired pneumonia in 2019, fully recovered.",
        ),
    ),
    Block("heading", ("VITAL SIGNS",)),
    Block(
        "table",
        rows=(
            ("BP", "Pulse", "Resp", "Temp F", "SpO2", "Weight kg", "Height cm"),
            ("142/86", "76", "16", "98.4", "97%", "81.60", "165"),
        ),
        columns=(0, 0.15, 0.29, 0.43, 0.58, 0.72, 0.87),
    ),
    Block("heading", ("LABORATORY RESULTS",)),
    Block(
        "table",
        rows=(
            ("Test", "Result", "Flag", "Units", "Reference"),
            ("Hemoglobin A1c", "7.4", "H", "%", "4.0-5.6"),
            ("LDL cholesterol", "131", "H", "mg/dL", "<100"),
            ("Creatinine", "0.92", "", "mg/dL", "0.60-1.30"),
            ("Potassium", "4.3", "", "mmol/L", "3.5-5.1"),
            ("TSH", "3.10", "", "uIU/mL", "0.40-4.50"),
        ),
        columns=(0, 0.32, 0.47, 0.6, 0.8),
    ),
    Block("heading", ("MEDICATIONS",)),
    Block(
        "text",
        (
            "metformin 500 mg PO BID",
            "lisinopril 10 mg PO daily",
            "atorvastatin 40 mg PO qHS",
            "levothyroxine 88 mcg PO daily",
            "albuterol HFA 90 mcg 2 puffs q4h PRN",
        ),
    ),
)

SECOND = (
    _fax(2),
    _identity(2),
    Block("rule"),
    Block("heading", ("PAST MEDICAL HISTORY",)),
    Block("text", ("Acquired hypothyroidism. Mixed hyperlipidemia. Appendectomy in 1981.",)),
    Block("heading", ("FAMILY HISTORY",)),
    Block("text", ("Mother had breast cancer. Father died of a stroke. Sister with asthma.",)),
    Block("heading", ("PHYSICAL EXAMINATION",)),
    Block(
        "text",
        (
            "Well appearing. Heart regular, no murmur. Lungs clear, no wheezing. Abdomen soft, no hepatomegaly.",
            "Right knee with crepitus, no effusion. Feet without ulcer, pulses present.",
        ),
    ),
    Block("heading", ("ASSESSMENT AND PLAN",)),
    Block(
        "text",
        (
            "E11.65  Type 2 diabetes mellitus with hyperglycemia. A1c above target, metformin continued.",
            "I10  Essential (primary) hypertension. Lisinopril continued, home readings in two weeks.",
            "Mixed hyperlipidemia, LDL above goal. Atorvastatin continued.",
            "Osteoarthritis of the right knee. Physical therapy.",
            "Acquired hypothyroidism, TSH in range on levothyroxine.",
            "No evidence of diabetic retinopathy at last eye examination.",
            "Return in three months, sooner if chest pain occurs.",
        ),
    ),
    Block("heading", ("SERVICES",)),
    Block("text", ("CPT/HCPCS: 99214  83036  36415",)),
    Block("space"),
    Block("sign", ("Electronically signed by Imogen Tarrow, MD     03/12/2026",)),
)

PAGES = (FIRST, SECOND)
