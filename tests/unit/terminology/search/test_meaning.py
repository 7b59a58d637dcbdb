"""The search finds what a person means in ICD-10-CM."""

import pytest

from fhir_profiles.systems import HCPCS, ICD10CM, LOINC, RXNORM
from terminology import Terminology
from terminology.search.find import Found
from terminology.search.order import Why

FIRST = [
    ("sugar diabetes kidney", "E11.2"),
    ("heart attack", "I21"),
    ("high blood pressure", "I10"),
    ("broken hip", "S72.0"),
    ("water on the lungs", "J81"),
    ("stroke", "I63"),
    ("pink eye", "H10"),
    ("shingles", "B02"),
    ("blood clot leg", "I82.4"),
    ("COPD", "J44"),
    ("CHF", "I50"),
    ("MI", "I21"),
    ("DM2", "E11"),
    ("HTN", "I10"),
    ("UTI", "N39.0"),
    ("GERD", "K21"),
    ("CKD 3", "N18.3"),
    ("stage 3b ckd", "N18.32"),
    ("A-fib", "I48"),
    ("type II diabetes", "E11"),
    ("oesophagitis", "K20"),
    ("anaemia of chronic disease", "D63.8"),
    ("posttraumatic stress", "F43.1"),
    ("post traumatic stress", "F43.1"),
    ("rt knee pain", "M25.561"),
    ("pain knee lt", "M25.562"),
    ("bilateral otitis media", "H66.93"),
    ("crohn's disease", "K50"),
    ("hepatitis A", "B15"),
    ("kidn diab", "E11.2"),
]


def _codes(found: Found) -> list[str]:
    return [hit.concept.code for hit in found]


@pytest.mark.parametrize(("text", "code"), FIRST)
def test_the_first_answer_is_what_is_meant(terminology: Terminology, text: str, code: str) -> None:
    """Lay terms, abbreviations, numbers, sides and British spelling lead to the category first."""
    assert _codes(terminology.search(ICD10CM, text))[0].startswith(code)


@pytest.mark.parametrize(
    ("text", "code", "instead"),
    [
        ("pnemonia", "J18", {"pnemonia": "pneumonia"}),
        ("diabtes", "E11", {"diabtes": "diabetes"}),
        ("hart attack", "I21", {"hart": "heart"}),
        ("sezure", "R56", {"sezure": "seizure"}),
        ("asthma", "J45", {}),
        ("chest pian", "R07", {"pian": "pain"}),
    ],
)
def test_misspelled_words_are_corrected_and_told(
    terminology: Terminology, text: str, code: str, instead: dict[str, str]
) -> None:
    """A word that nobody has, or nobody together with the others, is taken for the nearest; the answer says so."""
    found = terminology.search(ICD10CM, text)
    assert _codes(found)[0].startswith(code) and found.corrected == instead


def test_words_that_nothing_has_are_left_out_and_told(terminology: Terminology) -> None:
    """The rest still finds something."""
    found = terminology.search(ICD10CM, "diabetic nephropathy xyzzyqq")
    assert _codes(found)[0] == "E11.21" and found.left_out == ("xyzzyqq",)
    assert terminology.search(ICD10CM, "xyzzyqq") == Found(left_out=())


@pytest.mark.parametrize(
    ("text", "first", "total"),
    [
        ("e119", "E11.9", 1),
        ("E11.9", "E11.9", 1),
        ("s72.0", "S72.0", 621),
        ("E11", "E11", 117),
        ("n18.30", "N18.30", 1),
    ],
)
def test_codes_are_found_as_people_type_them(terminology: Terminology, text: str, first: str, total: int) -> None:
    """Without the dot, in lower case, in part: in the order of the book, with the exact number."""
    found = terminology.search(ICD10CM, text)
    assert _codes(found)[0] == first and found.total == total and found.hits[0].why is Why.CODE


def test_a_range_of_codes_is_a_text_too(terminology: Terminology) -> None:
    """`E08-E13` spans its categories."""
    found = terminology.search(ICD10CM, "e08-e13", count=1_000)
    categories = {code[:3] for code in _codes(found)}
    assert categories == {"E08", "E09", "E10", "E11", "E13"} and found.total == len(found)


def test_a_code_beside_words_narrows_them(terminology: Terminology) -> None:
    """`E11 kidney` finds what has kidney below E11."""
    assert {code[:5] for code in _codes(terminology.search(ICD10CM, "E11 kidney"))} == {"E11.2"}


def test_a_heading_comes_with_a_leaf_that_says_the_same(terminology: Terminology) -> None:
    """`morbilli` names the category B05; the leaf without complication comes before it."""
    assert {"B05", "B05.9"} == set(_codes(terminology.search(ICD10CM, "morbilli"))[:2])


def test_a_search_keeps_to_what_is_asked_for(terminology: Terminology) -> None:
    """Billable codes alone, codes below another alone."""
    billable = terminology.search(ICD10CM, "asthma", billable=True, count=100)
    assert billable.total and all(hit.concept.billable for hit in billable)
    below = terminology.search(ICD10CM, "kidney", under="E11", count=100)
    assert below.total and all(code.startswith("E11") for code in _codes(below))


def test_pages_follow_one_another_without_gap_or_repetition(terminology: Terminology) -> None:
    """Pages of 7 are the long list; the total is exact."""
    whole = terminology.search(ICD10CM, "fracture of femur", count=50_000)
    pages = [terminology.search(ICD10CM, "fracture of femur", count=7, offset=n) for n in range(0, 70, 7)]
    assert [code for page in pages for code in _codes(page)] == _codes(whole)[:70]
    assert whole.total == len(whole) == len(set(_codes(whole))) == pages[0].total


def test_words_come_in_any_order(terminology: Terminology) -> None:
    """The same concepts are found."""
    one, other = (terminology.search(ICD10CM, text) for text in ("acute kidney failure ", "failure kidney acute "))
    assert one.total == other.total and _codes(one)[0] == _codes(other)[0] == "N17.9"


def test_a_hit_says_by_which_name_it_was_found(terminology: Terminology) -> None:
    """The name that people use, and how it answers."""
    hit = terminology.search(ICD10CM, "heart attack").hits[0]
    assert (hit.name, hit.why) == ("heart attack", Why.NAME)


@pytest.mark.parametrize(
    ("system", "text", "code"),
    [
        (LOINC, "hba1c", "4548-4"),
        (LOINC, "systolic", "8480-6"),
        (RXNORM, "tylenol", "161"),
        (HCPCS, "ambulance", "A04"),
    ],
)
def test_other_systems_are_searched_alike(terminology: Terminology, system: str, text: str, code: str) -> None:
    """Laboratory tests, drugs and supplies by the names that people use."""
    assert _codes(terminology.search(system, text))[0].startswith(code)


@pytest.mark.parametrize(
    "text", ["", " ", "...", "-", "*", "'\"", "a" * 10_000, "x " * 10_000, "\0", "E11-", "% OR 1=1"]
)
def test_any_text_has_an_answer(terminology: Terminology, text: str) -> None:
    """Nothing, signs alone and endless texts are answered; what asks for nothing finds nothing."""
    found = terminology.search(ICD10CM, text)
    assert found.total >= len(found)


def test_titles_find_themselves_however_alike(terminology: Terminology) -> None:
    """A title is told from one that says the same words more often; before a header comes its leaf."""
    for title in (
        "Laceration without foreign body of left ring finger without damage to nail",
        "Unspecified injury of flexor muscle, fascia and tendon of other and unspecified finger at wrist and hand"
        " level",
    ):
        assert title in [concept.display for concept in terminology.search(ICD10CM, title).concepts[:3]]
