"""Every spelling of a National Drug Code means one package."""

import pytest

from terminology.ndc import normalise, normalise_product


@pytest.mark.parametrize("text", ["0002-1433-80", "00002-1433-80", "00002143380", " 0002-1433-80 "])
def test_spellings_of_a_package_are_one(text: str) -> None:
    """Hyphens and the zero that claims want make no difference."""
    assert normalise(text) == "00002143380"


@pytest.mark.parametrize(
    ("text", "eleven"), [("50242-040-62", "50242004062"), ("60575-4112-1", "60575411201"), ("1234-5678-9", None)]
)
def test_the_short_segment_gets_the_zero(text: str, eleven: str | None) -> None:
    """Of 5-3-2 the product, of 5-4-1 the package; other widths are none."""
    assert normalise(text) == eleven


@pytest.mark.parametrize("text", ["0002143380", "0002-1433", "0002-1433-8O", "", "000021433800", "٠٠٠٠٢١٤٣٣٨٠"])
def test_what_is_no_package_code_has_no_form(text: str) -> None:
    """Ten digits without hyphens can mean three packages, so they mean none."""
    assert normalise(text) is None


def test_a_product_has_nine_digits() -> None:
    """4-4 and 5-3 become 5-4."""
    assert normalise_product("0002-1433") == "000021433" == normalise_product("00002-1433")
    assert normalise_product("50242-040") == "502420040" and normalise_product("0002-1433-80") is None
