"""LOINC loads whole with parts, hierarchy, answers and languages, or not at all. All content is invented."""

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import LOINC
from terminology import Terminology, open_terminology
from terminology.build import install
from terminology.check_digits import loinc_check_digit
from terminology.importers import Given
from terminology.importers.loinc import read
from terminology.operations import Library, answer_call

HEADER = [
    "LOINC_NUM",
    "COMPONENT",
    "PROPERTY",
    "TIME_ASPCT",
    "SYSTEM",
    "SCALE_TYP",
    "METHOD_TYP",
    "CLASS",
    "VersionLastChanged",
    "CHNG_TYPE",
    "DefinitionDescription",
    "STATUS",
    "CONSUMER_NAME",
    "CLASSTYPE",
    "FORMULA",
    "EXMPL_ANSWERS",
    "SURVEY_QUEST_TEXT",
    "SURVEY_QUEST_SRC",
    "UNITSREQUIRED",
    "RELATEDNAMES2",
    "SHORTNAME",
    "ORDER_OBS",
    "HL7_FIELD_SUBFIELD_ID",
    "EXTERNAL_COPYRIGHT_NOTICE",
    "EXAMPLE_UNITS",
    "LONG_COMMON_NAME",
    "EXAMPLE_UCUM_UNITS",
    "STATUS_REASON",
    "STATUS_TEXT",
    "CHANGE_REASON_PUBLIC",
    "COMMON_TEST_RANK",
    "COMMON_ORDER_RANK",
    "HL7_ATTACHMENT_STRUCTURE",
    "EXTERNAL_COPYRIGHT_LINK",
    "PanelType",
    "AskAtOrderEntry",
    "AssociatedObservations",
    "VersionFirstReleased",
    "ValidHL7AttachmentRequest",
    "DisplayName",
]


def number(digits: str) -> str:
    """A LOINC number with its check digit."""
    return f"{digits}-{loinc_check_digit(digits)}"


MARSH, OLD, PANEL, COLOUR = (number(f"900000{n}") for n in range(1, 5))


def term(code: str, **said: str) -> tuple[str, ...]:
    """A line of Loinc.csv."""
    base = {"LOINC_NUM": code, "COMPONENT": "Marshine", "PROPERTY": "MCnc", "TIME_ASPCT": "Pt", "SYSTEM": "Bog",
            "SCALE_TYP": "Qn", "CLASS": "CHEM", "STATUS": "ACTIVE", "CLASSTYPE": "1", "ORDER_OBS": "Both",
            "VersionLastChanged": "2.80", "SHORTNAME": f"Short {code}", "LONG_COMMON_NAME": f"Long {code}"}  # fmt: skip
    return tuple({**base, **said}.get(name, "") for name in HEADER)


TERMS = (
    term(MARSH, LONG_COMMON_NAME="Marshine in Bog", EXAMPLE_UCUM_UNITS="mg/dL", COMMON_TEST_RANK="7",
         RELATEDNAMES2="Mire; Bog juice", DisplayName="Marshine (Bog)", VersionLastChanged="2.81"),
    term(OLD, STATUS="DEPRECATED"),
    term(PANEL, PanelType="Panel", SCALE_TYP="-"),
    term(COLOUR, STATUS="DISCOURAGED", SCALE_TYP="Nom", EXTERNAL_COPYRIGHT_NOTICE="Of others"),
)  # fmt: skip
Table = tuple[Sequence[str], Sequence[Sequence[str]]]
FILES: dict[str, Table] = {
    "LoincTable/Loinc.csv": (HEADER, TERMS),
    "LoincTable/MapTo.csv": (("LOINC", "MAP_TO", "COMMENT"), ((OLD, MARSH, ""),)),
    "AccessoryFiles/PartFile/Part.csv": (
        ("PartNumber", "PartTypeName", "PartName", "PartDisplayName", "Status"),
        (("LP900001-1", "COMPONENT", "Marshine", "Marshine", "ACTIVE"), ("LP900002-2", "SYSTEM", "Bog", "", "ACTIVE"),
         ("LP900003-3", "CLASS", "CHEM", "Chemistry", "ACTIVE")),
    ),
    "AccessoryFiles/PartFile/LoincPartLink_Primary.csv": (
        ("LoincNumber", "LongCommonName", "PartNumber", "PartName", "PartCodeSystem", "PartTypeName", "LinkTypeName",
         "Property"),
        ((MARSH, "", "LP900001-1", "Marshine", LOINC, "COMPONENT", "Primary", ""),
         (MARSH, "", "LP900002-2", "Bog", LOINC, "SYSTEM", "Primary", "")),
    ),
    "AccessoryFiles/ComponentHierarchyBySystem/ComponentHierarchyBySystem.csv": (
        ("PATH_TO_ROOT", "SEQUENCE", "IMMEDIATE_PARENT", "CODE", "CODE_TEXT"),
        (("", "1", "", "LP900009-9", "Everything"), ("LP900009-9", "1", "LP900009-9", "LP900003-3", "Chemistry"),
         ("LP900009-9", "2", "LP900009-9", "LP900001-1", "Marshine"),
         ("LP900009-9.LP900003-3", "1", "LP900003-3", MARSH, "Marshine in Bog"),
         ("LP900009-9.LP900001-1", "1", "LP900001-1", MARSH, "Marshine in Bog"),
         ("LP900009-9.LP900001-1", "2", "LP900001-1", COLOUR, "Colour")),
    ),
    "AccessoryFiles/AnswerFile/AnswerList.csv": (
        ("AnswerListId", "AnswerListName", "AnswerListOID", "ExtDefinedYN", "ExtDefinedAnswerListCodeSystem",
         "ExtDefinedAnswerListLink", "AnswerStringId", "LocalAnswerCode", "LocalAnswerCodeSystem", "SequenceNumber",
         "DisplayText", "ExtCodeId", "ExtCodeDisplayName", "ExtCodeSystem", "ExtCodeSystemVersion",
         "ExtCodeSystemCopyrightNotice", "SubsequentTextPrompt", "Description", "Score"),
        (("LL9001-1", "Colours", "", "N", "", "", "LA9002-2", "", "", "1", "Peat", "", "Brown", *("",) * 6),
         ("LL9001-1", "Colours", "", "N", "", "", "LA9001-1", "", "", "2", "Moss", *("",) * 8),
         ("LL9002-2", "Elsewhere", "", "Y", "", "http://example.org/list", *("",) * 13)),
    ),
    "AccessoryFiles/AnswerFile/LoincAnswerListLink.csv": (
        ("LoincNumber", "LongCommonName", "AnswerListId", "AnswerListName", "AnswerListLinkType", "ApplicableContext"),
        ((COLOUR, "", "LL9001-1", "Colours", "NORMATIVE", ""),),
    ),
    "AccessoryFiles/ConsumerName/ConsumerName.csv": (("LoincNumber", "ConsumerName"), ((MARSH, "Bog test"),)),
    "AccessoryFiles/PanelsAndForms/PanelsAndForms.csv": (
        ("ParentId", "ParentLoinc", "ParentName", "ID", "SEQUENCE", "Loinc", "LoincName"),
        (("1", PANEL, "", "1", "1", PANEL, ""), ("1", PANEL, "", "2", "2", MARSH, "")),
    ),
    "AccessoryFiles/LinguisticVariants/deDE15LinguisticVariant.csv": (
        ("LOINC_NUM", "COMPONENT", "SHORTNAME", "LONG_COMMON_NAME", "RELATEDNAMES2", "LinguisticVariantDisplayName"),
        ((MARSH, "Marschin", "", "Marschin im Moor", "", ""),),
    ),
}  # fmt: skip


def text(table: Table) -> bytes:
    """A table as LOINC writes it: every field in quotation marks."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows((table[0], *table[1]))
    return out.getvalue().encode()


def archive(tmp_path: Path, name: str = "Loinc_2.81.zip", **changed: Table | bytes | None) -> Path:
    """A release; a file is changed by its name without folders and ending."""
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as packed:
        for file, table in FILES.items():
            table = changed.get(file.rsplit("/", 1)[-1].removesuffix(".csv"), table)
            if table is not None:
                packed.writestr(file, table if isinstance(table, bytes) else text(table))
    return path


def load(data: Path, given: Given) -> list[Path | None]:
    """Install the edition."""
    return [install(data, f"{s.name}@{s.version}", [s]) for s in read(given)]


@pytest.fixture
def terminology(tmp_path: Path) -> Terminology:
    """The release, loaded."""
    load(tmp_path, Given((archive(tmp_path),)))
    return open_terminology(tmp_path)


def ask(terminology: Terminology, name: str, **said: str) -> dict:
    """The answer of an operation."""
    parameters = [{"name": k, "valueUri" if k in ("url", "system") else "valueCode": v} for k, v in said.items()]
    return answer_call(name, {"resourceType": "Parameters", "parameter": parameters}, Library(terminology))


def test_terms_carry_what_all_files_say(terminology: Terminology) -> None:
    """Axes are Codings of parts, and names, units, ranks, panels and replacements are kept."""
    marsh = terminology.lookup(LOINC, MARSH)
    assert marsh.display == "Marshine in Bog" and marsh.version == "2.81"
    assert marsh.properties["COMPONENT"] == {"code": "LP900001-1", "display": "Marshine"}
    assert marsh.properties["SCALE_TYP"] == "Qn" and marsh.properties["EXAMPLE_UCUM_UNITS"] == "mg/dL"
    assert marsh.properties["COMMON_TEST_RANK"] == 7 and marsh.properties["copyright"] == "LOINC"
    names = {(n.kind, n.text, n.language) for n in terminology.names(LOINC, MARSH)}
    assert ("consumer", "Bog test", "en") in names and ("long", "Marschin im Moor", "de-DE") in names
    assert ("short", f"Short {MARSH}", "en") in names
    assert terminology.lookup(LOINC, OLD).properties["MAP_TO"] == [MARSH]
    assert not terminology.lookup(LOINC, OLD).active and terminology.lookup(LOINC, COLOUR).active
    assert terminology.lookup(LOINC, COLOUR).properties["copyright"] == "3rdParty"
    assert [(r.type, r.target) for r in terminology.relations(LOINC, PANEL)] == [("panel-member", MARSH)]


def test_the_hierarchy_has_several_parents(terminology: Terminology) -> None:
    """A term lies below each part that it is listed under; a part that only the hierarchy knows is a code too."""
    assert [c.code for c in terminology.parents(LOINC, MARSH)] == ["LP900003-3", "LP900001-1"]
    assert terminology.subsumes(LOINC, "LP900001-1", MARSH) and terminology.subsumes(LOINC, "LP900003-3", MARSH)
    assert not terminology.subsumes(LOINC, "LP900003-3", COLOUR)
    assert terminology.lookup(LOINC, "LP900009-9").display == "Everything"


def test_answer_lists_are_subsets(terminology: Terminology) -> None:
    """The answers of a list keep their order, and answers and terms know their lists."""
    assert terminology.subset(LOINC, "LL9001-1").codes == ("LA9002-2", "LA9001-1")
    assert terminology.subset(LOINC, "LL9002-2") is None
    assert terminology.lookup(LOINC, COLOUR).properties["answer-list"] == [{"code": "LL9001-1", "display": "Colours"}]
    assert terminology.lookup(LOINC, "LA9002-2").properties["LIST"] == ["LL9001-1"]


def test_a_folder_loads_once_and_a_table_alone(tmp_path: Path) -> None:
    """A folder reads as the archive does; Loinc.csv alone says its release by its newest change."""
    folder = tmp_path / "Loinc_2.81"
    with zipfile.ZipFile(archive(tmp_path)) as packed:
        packed.extractall(folder)
    assert all(load(tmp_path, Given((folder,))))
    assert load(tmp_path, Given((archive(tmp_path),))) == [None]
    alone = tmp_path / "Loinc.csv"
    alone.write_bytes(text(FILES["LoincTable/Loinc.csv"]))
    (source,) = read(Given((alone,)))
    assert source.version == "2.81" and {c.code for c in source.concepts()} == {MARSH, OLD, PANEL, COLOUR}


def test_a_copy_that_is_only_about_panels_is_left_alone(tmp_path: Path) -> None:
    """The tables of the folder of panels do not count where the whole ones are there."""
    path = archive(tmp_path)
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("AccessoryFiles/PanelsAndForms/Loinc.csv", text((HEADER, TERMS[:1])))
    (source,) = read(Given((path,)))
    assert {MARSH, OLD, PANEL, COLOUR} <= {c.code for c in source.concepts()}


def test_two_editions_stand_side_by_side(tmp_path: Path) -> None:
    """Each answers for its version, the newest where none is asked for."""
    load(tmp_path, Given((archive(tmp_path),)))
    newer = (HEADER, (term(MARSH, LONG_COMMON_NAME="Marshine anew"), *TERMS[1:]))
    load(tmp_path, Given((archive(tmp_path, "Loinc_2.82.zip", Loinc=newer),)))
    both = open_terminology(tmp_path)
    assert both.lookup(LOINC, MARSH, "2.81").display == "Marshine in Bog"
    assert both.lookup(LOINC, MARSH).display == "Marshine anew"


def _but(file: str, row: int, column: str, value: str) -> dict[str, Table]:
    """A file with one field changed; rows count from 0."""
    name = next(f for f in FILES if f.endswith(f"/{file}.csv"))
    head, rows = FILES[name]
    new = tuple(
        tuple(value if n == row and h == column else v for h, v in zip(head, r, strict=True))
        for n, r in enumerate(rows)
    )
    return {file: (head, new)}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (_but("Loinc", 1, "LOINC_NUM", f"{OLD[:-1]}{(int(OLD[-1]) + 1) % 10}"), r"Loinc\.csv, line 3, column 1: a LOI"),
        (_but("Loinc", 1, "LOINC_NUM", MARSH), r"Loinc\.csv, line 3, column 1: the term stands twice"),
        (_but("Loinc", 0, "STATUS", "RETIRED"), r"Loinc\.csv, line 2, column 70: one of ACTIVE"),
        (_but("Loinc", 0, "LONG_COMMON_NAME", ""), r"Loinc\.csv, line 2, column \d+: a name"),
        (_but("Loinc", 0, "COMMON_TEST_RANK", "x"), r"Loinc\.csv, line 2, column \d+: a number"),
        ({"Loinc": (HEADER[1:], ())}, r"Loinc\.csv, line 1: the column LOINC_NUM is missing"),
        ({"Loinc": (HEADER, (TERMS[0][:-1],))}, r"Loinc\.csv, line 2, column \d+: 40 fields are expected"),
        ({"Loinc": (HEADER, ())}, r"Loinc\.csv, line 2, column 1: the file has no terms"),
        ({"Loinc": text((HEADER, TERMS))[:-9]}, r"Loinc\.csv, line \d, column"),
        ({"Loinc": text((HEADER, TERMS)).replace(b"Mire", b"M\xefre")}, r"Loinc\.csv, line 2, column \d+: this is not"),
        (_but("Part", 1, "PartNumber", "LP900001-1"), r"Part\.csv, line 3, column 1: the part stands twice"),
        (_but("LoincPartLink_Primary", 0, "PartNumber", "LP8-8"), r"Primary\.csv, line 2, column 16: the part is none"),
        (_but("ComponentHierarchyBySystem", 1, "IMMEDIATE_PARENT", "LP7-7"), r"line 3, column \d+: the parent has no"),
        (_but("ComponentHierarchyBySystem", 0, "IMMEDIATE_PARENT", "LP900001-1"), r"line \d: LP\d+-\d lies below its"),
        (_but("AnswerList", 0, "AnswerStringId", "9002"), r"AnswerList\.csv, line 2, column \d+: the id of an answer"),
        (_but("AnswerList", 0, "DisplayText", ""), r"AnswerList\.csv, line 2, column \d+: the text"),
        (_but("LoincAnswerListLink", 0, "AnswerListLinkType", "LOOSE"), r"Link\.csv, line 2, column \d+: one of NORM"),
        (_but("MapTo", 0, "MAP_TO", "12-1"), r"MapTo\.csv, line 2, column 13: a LOINC number"),
    ],
)
def test_damage_is_refused_by_line_and_column(tmp_path: Path, changed: dict[str, Table], says: str) -> None:
    """Nothing of a damaged release is loaded, and the message says where it is damaged."""
    with pytest.raises(FhirError, match=says):
        load(tmp_path, Given((archive(tmp_path, **changed),)))
    assert not list(tmp_path.glob("terminology/*"))


def test_lookup_tells_axes_and_names(terminology: Terminology) -> None:
    """`$lookup` gives axes as Codings and names in other languages as designations."""
    answer = ask(terminology, "CodeSystem/$lookup", system=LOINC, code=MARSH)
    told = [{p["name"]: next(v for k, v in p.items() if k != "name") for p in part["part"]}
            for part in answer["parameter"] if part["name"] == "property"]  # fmt: skip
    component = next(p["value"] for p in told if p["code"] == "COMPONENT")
    assert component["code"] == "LP900001-1" and component["display"] == "Marshine"
    assert any(p.get("language") == "de-DE" for p in (
        {x["name"]: next(v for k, v in x.items() if k != "name") for x in part["part"]}
        for part in answer["parameter"] if part["name"] == "designation"))  # fmt: skip


@pytest.mark.parametrize(
    ("url", "codes"),
    [
        ("LL9001-1", ["LA9002-2", "LA9001-1"]),
        ("LP900001-1", [MARSH, COLOUR]),
        ("LP900003-3", [MARSH]),
    ],
)
def test_implied_value_sets_of_lists_and_parts(terminology: Terminology, url: str, codes: list[str]) -> None:
    """An answer list holds its answers in their order, a part the terms below it."""
    answer = ask(terminology, "ValueSet/$expand", url=f"{LOINC}/vs/{url}", excludeNested="true")
    assert [c["code"] for c in answer["expansion"]["contains"] if c["code"] != url] == codes
    told = ask(terminology, "ValueSet/$validate-code", url=f"{LOINC}/vs/{url}", system=LOINC, code=codes[0])
    assert {p["name"]: p for p in told["parameter"]}["result"]["valueBoolean"] is True
    told = ask(terminology, "ValueSet/$validate-code", url=f"{LOINC}/vs/{url}", system=LOINC, code=OLD)
    assert {p["name"]: p for p in told["parameter"]}["result"]["valueBoolean"] is False


@pytest.mark.parametrize(
    ("name", "value", "codes"),
    [
        ("COMPONENT", "LP900001-1", [MARSH]),
        ("COMPONENT", "Marshine", [MARSH, OLD, PANEL, COLOUR]),
        ("SCALE_TYP", "Nom", [COLOUR]),
        ("copyright", "3rdParty", [COLOUR]),
        ("answer-list", "LL9001-1", [COLOUR]),
        ("LIST", "LL9001-1", ["LA9002-2", "LA9001-1"]),
        ("STATUS", "DEPRECATED", [OLD]),
    ],
)
def test_filters_of_value_sets_use_the_properties(
    terminology: Terminology, name: str, value: str, codes: list[str]
) -> None:
    """The axes are found by the number and by the name of the part, the rest by its text."""
    include = {"system": LOINC, "filter": [{"property": name, "op": "=", "value": value}]}
    resource = {"resourceType": "ValueSet", "status": "active", "compose": {"include": [include]}}
    asked = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": resource}]}
    answer = answer_call("ValueSet/$expand", asked, Library(terminology))
    assert sorted(c["code"] for c in answer["expansion"]["contains"]) == sorted(codes)


def test_a_mistyped_number_is_told(terminology: Terminology) -> None:
    """Where the check digit is wrong the code that may be meant is named."""
    found = terminology.validate_code(LOINC, f"{MARSH[:-1]}{(int(MARSH[-1]) + 1) % 10}")
    assert not found.result and found.message.endswith(f"did you mean {MARSH}?")
    assert "check digit" in terminology.validate_code(LOINC, "9999999-1").message


def test_a_deprecated_term_names_its_successor(terminology: Terminology) -> None:
    """It is valid for what was recorded with it, and the message says what to use."""
    found = terminology.validate_code(LOINC, OLD)
    assert found.result and found.message == f"The code is inactive: use {MARSH}"
