"""A LOINC number that was mistyped is told by its check digit."""

from terminology.check_digits import is_loinc, loinc_check_digit, meant_loinc
from terminology.fragments import fragment_sources


def test_every_number_of_the_starter_table_is_right() -> None:
    """The check digit agrees with published numbers."""
    codes = [c.code for s in fragment_sources() if s.name == "loinc" for c in s.concepts()]
    assert len(codes) > 100 and all(map(is_loinc, codes))


def test_any_wrong_digit_and_most_swaps_are_found() -> None:
    """Changing one digit always breaks the number."""
    number = "2345"
    for place in range(len(number)):
        for digit in "0123456789":
            changed = number[:place] + digit + number[place + 1 :]
            assert is_loinc(f"{changed}-{loinc_check_digit(number)}") is (changed == number)


def test_the_right_number_is_offered() -> None:
    """The digit is put right where the shape is right, and nothing is offered else."""
    assert meant_loinc("2345-1") == "2345-7"
    assert meant_loinc("2345-7") is None and meant_loinc("2345") is None and meant_loinc("LP1-1") is None
