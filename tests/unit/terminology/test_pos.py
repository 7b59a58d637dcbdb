"""The place of service codes that ship with the package."""

from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.systems import PLACE_OF_SERVICE
from terminology import Terminology, open_terminology
from terminology.build import install
from terminology.fragments import fragment_sources


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Terminology:
    """The table alone."""
    data: Path = tmp_path_factory.mktemp("data")
    (source,) = [s for s in fragment_sources() if s.system == PLACE_OF_SERVICE]
    install(data, f"{source.name}@{source.version}", [source])
    return open_terminology(data)


def test_the_code_set_is_whole(places: Terminology) -> None:
    """52 codes of two digits; any other does not exist."""
    codes = [c.code for c in places.concepts(PLACE_OF_SERVICE)]
    assert len(codes) == len(set(codes)) == 52 and all(len(c) == 2 and c.isdigit() for c in codes)
    assert places.validate_code("pos", "11", "office").result
    answer = places.validate_code("pos", "35")
    assert not answer.result and answer.issue == "code-invalid"


def test_a_code_is_valid_from_its_day(places: Terminology) -> None:
    """Telehealth at home came in 2022; before that the code is refused with the day."""
    assert places.validate_code("pos", "10", on=date(2022, 1, 1)).result
    early = places.validate_code("pos", "10", on=date(2021, 12, 31))
    assert not early.result and "2022-01-01" in early.message
    assert places.validate_code("pos", "23", on=date(1999, 1, 1)).result


def test_people_find_places_by_their_words(places: Terminology) -> None:
    """Abbreviations and everyday words lead to the code."""
    for text, code in (("ASC", "24"), ("dialysis", "65"), ("nursing home", "32"), ("emergency", "23")):
        assert code in [hit.concept.code for hit in places.search(PLACE_OF_SERVICE, text)]
