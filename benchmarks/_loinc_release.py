"""A made-up LOINC release of the official size and layout, about 110,000 terms (https://loinc.org/downloads)."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from terminology.check_digits import loinc_check_digit

COLUMNS = """
LOINC_NUM,COMPONENT,PROPERTY,TIME_ASPCT,SYSTEM,SCALE_TYP,METHOD_TYP,CLASS,VersionLastChanged,CHNG_TYPE,
DefinitionDescription,STATUS,CONSUMER_NAME,CLASSTYPE,FORMULA,EXMPL_ANSWERS,SURVEY_QUEST_TEXT,SURVEY_QUEST_SRC,
UNITSREQUIRED,RELATEDNAMES2,SHORTNAME,ORDER_OBS,HL7_FIELD_SUBFIELD_ID,EXTERNAL_COPYRIGHT_NOTICE,EXAMPLE_UNITS,
LONG_COMMON_NAME,EXAMPLE_UCUM_UNITS,STATUS_REASON,STATUS_TEXT,CHANGE_REASON_PUBLIC,COMMON_TEST_RANK,
COMMON_ORDER_RANK,HL7_ATTACHMENT_STRUCTURE,EXTERNAL_COPYRIGHT_LINK,PanelType,AskAtOrderEntry,
AssociatedObservations,VersionFirstReleased,ValidHL7AttachmentRequest,DisplayName
""".replace("\n", "").split(",")
LANGUAGES = ("deDE15", "esMX28", "frFR18", "itIT16", "nlNL22", "ptBR12", "zhCN5", "trTR19", "ruRU21", "koKR20")
SYLLABLES = ("mar", "bog", "fen", "lac", "tri", "oxy", "gly", "pro", "ser", "val", "hem", "cel", "plas", "urin", "tox")


def write_release(folder: Path, terms: int) -> None:
    """Write a release of so many terms, with two parts for three terms and half as many answers."""
    dice = random.Random(1)
    words = [_word(dice) for _ in range(20_000)]
    numbers = [f"{n}-{loinc_check_digit(str(n))}" for n in range(10_000, 10_000 + terms)]
    parts = [f"LP{n}-{n % 10}" for n in range(10_000, 10_000 + terms * 2 // 3)]
    lists = [f"LL{n}-{n % 10}" for n in range(1_000, 1_000 + terms // 28)]
    answers = [f"LA{n}-{n % 10}" for n in range(10_000, 10_000 + terms // 2)]
    files: dict[str, tuple[Sequence[str], Iterable[Sequence[object]]]] = {
        "LoincTable/Loinc.csv": (COLUMNS, _terms(dice, words, numbers)),
        "LoincTable/MapTo.csv": (("LOINC", "MAP_TO", "COMMENT"), ((n, numbers[0], "") for n in numbers[1::20])),
        "AccessoryFiles/PartFile/Part.csv": (
            ("PartNumber", "PartTypeName", "PartName", "PartDisplayName", "Status"),
            ((p, "COMPONENT", f"{dice.choice(words)} {p}", dice.choice(words), "ACTIVE") for p in parts),
        ),
        "AccessoryFiles/PartFile/LoincPartLink_Primary.csv": (
            ("LoincNumber", "LongCommonName", "PartNumber", "PartName", "PartCodeSystem", "PartTypeName",
             "LinkTypeName", "Property"),
            ((n, "x", dice.choice(parts), "x", "", axis, "Primary", "")
             for n in numbers for axis in ("COMPONENT", "PROPERTY", "TIME", "SYSTEM", "SCALE", "METHOD")),
        ),
        "AccessoryFiles/ComponentHierarchyBySystem/ComponentHierarchyBySystem.csv": (
            ("PATH_TO_ROOT", "SEQUENCE", "IMMEDIATE_PARENT", "CODE", "CODE_TEXT"), _hierarchy(dice, parts, numbers)
        ),
        "AccessoryFiles/AnswerFile/AnswerList.csv": (
            ("AnswerListId", "AnswerListName", "AnswerStringId", "SequenceNumber", "DisplayText", "ExtCodeDisplayName"),
            ((dice.choice(lists), "Answers", a, "1", dice.choice(words), "") for a in answers),
        ),
        "AccessoryFiles/ConsumerName/ConsumerName.csv": (
            ("LoincNumber", "ConsumerName"), ((n, _phrase(dice, words, 3)) for n in numbers)
        ),
        "AccessoryFiles/PanelsAndForms/PanelsAndForms.csv": (
            ("ParentId", "ParentLoinc", "SEQUENCE", "Loinc"),
            (("1", dice.choice(numbers[:3000]), "1", n) for n in numbers[: terms * 9 // 10]),
        ),
        **{
            f"AccessoryFiles/LinguisticVariants/{language}LinguisticVariant.csv": (
                ("LOINC_NUM", "LONG_COMMON_NAME", "LinguisticVariantDisplayName"),
                ((n, _phrase(dice, words, 8), "") for n in islice(numbers, terms * 2 // 3)),
            )
            for language in LANGUAGES
        },
    }  # fmt: skip
    for name, (head, rows) in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerow(head)
            writer.writerows(rows)


def _word(dice: random.Random) -> str:
    return "".join(dice.choices(SYLLABLES, k=dice.randint(2, 4)))


def _phrase(dice: random.Random, words: Sequence[str], count: int) -> str:
    return " ".join(dice.choices(words, k=count))


def _terms(dice: random.Random, words: Sequence[str], numbers: Sequence[str]) -> Iterator[list[str]]:
    for code in numbers:
        said = dict.fromkeys(COLUMNS, "")
        said |= {
            "LOINC_NUM": code, "COMPONENT": dice.choice(words), "PROPERTY": "MCnc", "TIME_ASPCT": "Pt",
            "SYSTEM": "Ser/Plas", "SCALE_TYP": "Qn", "CLASS": "CHEM", "VersionLastChanged": "2.81", "CHNG_TYPE": "MIN",
            "STATUS": "ACTIVE", "CLASSTYPE": "1", "SHORTNAME": _phrase(dice, words, 2), "ORDER_OBS": "Both",
            "RELATEDNAMES2": "; ".join(dice.choices(words, k=25)), "LONG_COMMON_NAME": _phrase(dice, words, 7),
            "EXAMPLE_UCUM_UNITS": "mg/dL", "COMMON_TEST_RANK": "0", "VersionFirstReleased": "1.0",
            "DisplayName": _phrase(dice, words, 4),
        }  # fmt: skip
        yield list(said.values())


def _hierarchy(dice: random.Random, parts: Sequence[str], numbers: Sequence[str]) -> Iterator[Sequence[object]]:
    yield "", 1, "", parts[0], "Everything"
    inner = parts[: len(parts) // 2]
    for place, code in enumerate(inner[1:], 1):
        for above in {dice.randrange(max(0, place // 10), place) for _ in range(dice.choice((1, 1, 1, 2)))}:
            yield "", 1, inner[above], code, "Part"
    for code in numbers:
        for over in {dice.choice(inner) for _ in range(dice.choice((1, 1, 2)))}:
            yield "", 1, over, code, "Term"
