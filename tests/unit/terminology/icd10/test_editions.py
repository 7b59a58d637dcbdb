"""The editions that come with the installation: exact, and chosen by version or date of service."""

from datetime import date

import pytest

from fhir_profiles.systems import ICD10CM, ICD10PCS
from terminology import Terminology
from terminology.icd10.builtin import package_sources
from terminology.operations import Library, answer_call


@pytest.mark.parametrize(
    ("system", "version", "billable", "codes"),
    [
        (ICD10CM, "2024", 74_044, 97_296),
        (ICD10CM, "2025", 74_260, 97_584),
        (ICD10CM, "2026-04", 74_719, 98_186),
        (ICD10PCS, "2024", 78_603, 78_603),
        (ICD10PCS, "2024-04", 78_638, 78_638),
    ],
)
def test_each_edition_has_its_official_number_of_codes(
    terminology: Terminology, system: str, version: str, billable: int, codes: int
) -> None:
    """The counts that CMS and NCHS publish; headers as far as a source tells them."""
    concepts = [c for c in terminology.concepts(system, version) if not c.group]
    assert (sum(bool(c.billable) for c in concepts), len(concepts)) == (billable, codes)


@pytest.mark.parametrize(
    ("system", "old", "new", "added", "gone"),
    [(ICD10CM, "2025", "2026-04", 487, 28), (ICD10CM, "2024", "2025", 252, 36), (ICD10PCS, "2024", "2024-04", 41, 6)],
)
def test_editions_differ_as_announced(
    terminology: Terminology, system: str, old: str, new: str, added: int, gone: int
) -> None:
    """New billable codes, and those no longer billable, of each update."""
    before, after = ({c.code for c in terminology.concepts(system, v) if c.billable} for v in (old, new))
    assert (len(after - before), len(before - after)) == (added, gone)


def test_every_concept_stands_below_one_that_was_told_before() -> None:
    """The lists are in book order: 22 chapters or 17 sections at the top, parents first, no code twice."""
    for source in package_sources():
        seen: set[str] = set()
        tops = 0
        for concept in source.concepts():
            assert concept.code not in seen and seen.issuperset(concept.parents)
            seen.add(concept.code)
            tops += not concept.parents
        assert (tops, len(seen)) == (22 if source.system == ICD10CM else 17, source.total)


def test_an_older_edition_has_its_own_words_and_tree(terminology: Terminology) -> None:
    """What was reworded, split or retired later stands in the older edition as it was."""
    assert terminology.lookup(ICD10CM, "G35", "2025").billable and not terminology.lookup(ICD10CM, "G35").billable
    assert terminology.lookup(ICD10CM, "K58.9", "2024").display == "Irritable bowel syndrome without diarrhea"
    assert terminology.lookup(ICD10CM, "K58.9", "2025").display == "Irritable bowel syndrome, unspecified"
    assert terminology.lookup(ICD10CM, "T81.32XA", "2024").parent == "T81.32"
    assert terminology.lookup(ICD10CM, "T81.32XA", "2025") is None
    above = [c.code for c in terminology.ancestors(ICD10CM, "E11.22", "2024")]
    assert above == ["E11.2", "E11", "E08-E13", "chapter-4"]


def test_procedures_stand_in_their_tables(terminology: Terminology) -> None:
    """A code lies below its table, body system and section, which are no codes."""
    above = terminology.ancestors(ICD10PCS, "0DTJ4ZZ")
    assert [(c.code, c.group) for c in above] == [("0DT", True), ("0D", True), ("0", True)]
    assert above[0].display == "Gastrointestinal System, Resection" and above[2].display == "Medical and Surgical"
    assert not terminology.validate_code(ICD10PCS, "0DT").result


@pytest.mark.parametrize(
    ("on", "version"),
    [
        (date(2023, 10, 1), "2024"),
        (date(2024, 9, 30), "2024"),
        (date(2024, 10, 1), "2025"),
        (date(2025, 9, 30), "2025"),
        (date(2025, 10, 1), "2026-04"),
        (date(2026, 3, 31), "2026-04"),
        (date(2026, 4, 1), "2026-04"),
        (date(2027, 1, 1), "2026-04"),
        (date(2019, 1, 1), "2024"),
    ],
)
def test_the_date_of_service_chooses(terminology: Terminology, on: date, version: str) -> None:
    """The edition in force; for the October part of FY 2026, which no source has, its April update, and it is said."""
    answer = terminology.validate_code(ICD10CM, "E11.9", on=on)
    assert answer.result and answer.version == version
    told = date(2023, 10, 1) <= on <= date(2025, 9, 30) or date(2026, 4, 1) <= on <= date(2026, 9, 30)
    assert told == (answer.message is None)
    assert told or f"no edition for {on} is loaded" in answer.message


def test_a_version_goes_before_a_date(terminology: Terminology) -> None:
    """Who names the edition gets it."""
    assert terminology.validate_code(ICD10CM, "G35", version="2025", on=date(2026, 6, 1)).billable
    assert terminology.validate_code(ICD10CM, "G35").billable is False


@pytest.mark.parametrize(
    ("code", "on", "says"),
    [
        ("S30.1XXA", date(2026, 6, 1), "retired after edition 2025 (2025-09-30)"),
        ("G35.A", date(2025, 6, 1), "exists from edition 2026-04 on (2026-04-01)"),
        ("G35", date(2026, 6, 1), "it was billable until edition 2025"),
        ("T81.32XA", date(2026, 6, 1), "retired after edition 2024 (2024-09-30)"),
    ],
)
def test_other_editions_are_named(terminology: Terminology, code: str, on: date, says: str) -> None:
    """A code that is not of the edition but of another is told so."""
    assert says in terminology.validate_code(ICD10CM, code, on=on).message


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("T36.01A", "T36.0X1A"), ("T3601A", "T36.0X1A"), ("t36.0x1a", "T36.0X1A"), ("W11A", "W11.XXXA"),
        ("E119", "E11.9"), ("e11.9", "E11.9"), (" E11 9", "E11.9"), ("E11.90", "E11.9"), ("E11.9XXA", "E11.9"),
        ("EI1.9", "E11.9"), ("E1l.9", "E11.9"), ("l10", "I10"), ("110", "I10"), ("080", "O80"), ("O9A.2ll", "O9A.211"),
        ("S72001A", "S72.001A"), ("M1AOOX0", "M1A.00X0"),
    ],
)  # fmt: skip
def test_a_misspelt_code_leads_to_the_one_meant(terminology: Terminology, code: str, meant: str) -> None:
    """Dot, case, I and O, placeholders: the answer names the code and nothing else."""
    answer = terminology.validate_code(ICD10CM, code)
    assert not answer.result and answer.message.endswith(f"did you mean {meant}?")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("0dtj4zz", "did you mean 0DTJ4ZZ?"),
        ("ODTJ4ZZ", "did you mean 0DTJ4ZZ?"),
        ("0DTJ5ZZ", "codes that begin with 0DTJ go on with 0, 4, 7, 8"),
        ("0DT", "codes that begin with 0DT go on with"),
        ("GZB1ZZZ", "retired after edition 2024 (2024-03-31)"),
        ("ZZZZZZZ", "does not exist in ICD-10-PCS 2024-04"),
    ],
)
def test_a_wrong_procedure_is_told_how_codes_go_on(terminology: Terminology, code: str, says: str) -> None:
    """The first character that no code has at that place is the one to look at."""
    answer = terminology.validate_code(ICD10PCS, code)
    assert not answer.result and says in answer.message


def test_titles_of_extended_codes_are_the_official_ones() -> None:
    """Of 51,074 titles made of a stem and a 7th character, those alone differ whose stem was reworded since FY 2025."""
    read = {s.version: s for s in package_sources() if s.system == ICD10CM}
    new, old = ({c.code: c for c in read[v].concepts()} for v in ("2026-04", "2025"))
    extended = [c for c in new.values() if "seventh" in c.properties and c.code in old]
    assert len(extended) == 51_074
    differ = [c for c in extended if c.display != old[c.code].display]
    assert len(differ) == 66
    assert all(new[c.parents[0]].display != old[c.parents[0]].display for c in differ)


@pytest.mark.parametrize(
    ("version", "code", "says"),
    [
        ("2025", "G35.A", "it exists from edition 2026-04 on"),
        ("2026-04", "S30.1XXA", "it was retired after edition 2025"),
        ("2026-04", "T36.01A", "did you mean T36.0X1A?"),
        ("2024", "E66.81", "it exists from edition 2025 on"),
    ],
)
def test_operations_tell_it_too(terminology: Terminology, version: str, code: str, says: str) -> None:
    """$validate-code names other editions and likely codes for the version that it was asked about."""
    asked = [{"name": "url", "valueUri": ICD10CM}, {"name": "code", "valueCode": code},
             {"name": "version", "valueString": version}]  # fmt: skip
    told = answer_call(
        "CodeSystem/$validate-code", {"resourceType": "Parameters", "parameter": asked}, Library(terminology)
    )
    assert {"name": "result", "valueBoolean": False} in told["parameter"]
    assert says in str(told)
