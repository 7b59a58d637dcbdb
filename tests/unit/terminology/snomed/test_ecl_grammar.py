"""Expressions are read as the specification says, and a mistake is told with its place."""

from __future__ import annotations

import pytest

from fhir_profiles.errors import Category, FhirError
from terminology.ecl import read
from terminology.ecl.scan import MAX_LENGTH
from terminology.ecl.tree import Compound, Concept, Refined, Walk

WRONG = [
    ("", 1, "identifier"),
    ("   ", 4, "identifier"),
    ("<<", 3, "identifier"),
    ("12345", 1, "6 to 18 digits"),
    ("1234567890123456789", 1, "6 to 18 digits"),
    ("012345", 1, "6 to 18 digits"),
    ("123456 234567", 8, "AND, OR, MINUS"),
    ("123456 AND", 11, "identifier"),
    ("AND 123456", 1, "identifier"),
    ("123456 AND 234567 OR 345678", 19, "not mixed"),
    ("123456 OR 234567 , 345678", 18, "not mixed"),
    ("123456 MINUS 234567 MINUS 345678", 21, "not mixed"),
    ("(123456", 8, "has no end"),
    ("(123456]", 8, "AND, OR, MINUS"),
    ("123456)", 7, "AND, OR, MINUS"),
    ("()", 2, "identifier"),
    ("< < 123456", 3, "identifier"),
    ("^ << 123456", 3, "identifier"),
    ("123456 |no end", 8, "no end"),
    ("|a| 123456", 1, "follows the identifier"),
    ("123456 /* no end", 8, "comment"),
    ("123456 : ", 10, "identifier"),
    ("123456 : 234567", 16, "comparison"),
    ("123456 : 234567 =", 18, "identifier"),
    ("123456 : = 234567", 10, "identifier"),
    ("123456 : 234567 = #", 19, "number is expected"),
    ("123456 : 234567 < 345678", 17, "only numbers"),
    ('123456 : 234567 = "open', 19, "no end"),
    ("123456 : R 234567 = #10", 19, "reversed"),
    ("123456 : { R 234567 = 345678 }", 12, "reversed"),
    ("123456 : { 234567 = 345678", 27, "has no end"),
    ("123456 : { { 234567 = 345678 } }", 12, "no other group"),
    ("123456 : {}", 11, "identifier"),
    ("123456 : [1..] 234567 = *", 14, "whole number"),
    ("123456 : [..1] 234567 = *", 11, "whole number"),
    ("123456 : [3..1] 234567 = *", 14, "not below the lower"),
    ("123456 : [1..2 234567 = *", 16, "] is expected"),
    ("123456 : 234567 = * , 345678 = * OR 456789 = *", 34, "not mixed"),
    ("123456 AND 234567 : 345678 = *", 19, "parentheses"),
    ("123456 OR 234567 . 345678", 18, "parentheses"),
    ("123456 .", 9, "identifier"),
    ("123456 {{ X active = 1 }}", 11, "is expected in a filter"),
    ("123456 {{ C term = 1 }}", 13, "is expected in a filter"),
    ("123456 {{ C active = 2 }}", 22, "true or false"),
    ("123456 {{ C active < 1 }}", 20, "= or !="),
    ("123456 {{ C active = 1 ", 24, "}} is expected"),
    ("123456 {{ M mapTarget = 1 }}", 11, "not supported"),
    ("123456 {{ term = 5 }}", 18, "text in quotes"),
    ('123456 {{ term = "  " }}', 18, "empty"),
    ("123456 {{ + FUTURE }}", 13, "HISTORY"),
    ("^ [mapTarget] 123456", 4, "referencedComponentId"),
    ("123456 ; 234567", 8, "nothing that the language knows"),
    ("123456 \x00", 8, "nothing that the language knows"),
]


@pytest.mark.parametrize(("text", "at", "why"), WRONG)
def test_mistakes(text: str, at: int, why: str) -> None:
    """Each mistake is told with the character where it stands."""
    with pytest.raises(FhirError) as error:
        read(text)
    assert error.value.category is Category.INCORRECT
    said = error.value.problems[0].text
    assert f"at character {at}:" in said, said
    assert why in said


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "123456" + ")" * 10_000,
        "(" * 10_000,
        "123456 : (" * 5_000,
        "123456 : 234567 = (" * 5_000,
        "123456" + "{{ C active = 1 }}" * 5_000,
        "< (" * 10_000,
        "123456 OR " * 12_000,
        "* : [0..0] {" * 1_000,
    ],
)
def test_bombs_are_refused(text: str) -> None:
    """Depth and length have limits, and no recursion comes near Python's."""
    with pytest.raises(FhirError):
        read(text)


def test_length_is_bounded() -> None:
    """A longer text is not even looked at."""
    with pytest.raises(FhirError, match=str(MAX_LENGTH)):
        read("*" * (MAX_LENGTH + 1))


def test_terms_and_comments_fall_away() -> None:
    """What is written for people changes nothing."""
    assert read("<< 123456 |a (b): {c}, d OR e|") == Walk("<<", Concept("123456"))
    assert read("/* << */ 123456 /* AND * 5 **/") == Concept("123456")


def test_a_name_in_parentheses_is_no_refinement() -> None:
    """What stands before a comparison is the name of an attribute."""
    found = read("* : (123456 OR 234567) = *")
    assert isinstance(found, Refined)
    assert found == read("*:( ( 123456 OR 234567 ) = * )")


def test_many_parts_are_one_level() -> None:
    """A long list is wide, not deep."""
    found = read(" OR ".join(["123456"] * 9_000))
    assert isinstance(found, Compound)
    assert len(found.of) == 9_000
