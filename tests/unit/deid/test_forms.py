"""What is found by its form or by what stands around it, and what only looks so."""

import pytest

from extractors.deid.dates import find_dates, shift
from extractors.deid.find import find_identifiers
from extractors.deid.identify import Identifiers
from extractors.deid.model import Known


def _found(text, vocabulary):
    return {text[m.start : m.end] for m in find_identifiers(text, Identifiers(Known(), vocabulary), vocabulary)}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Device SN-VRUAXQAR-07 was checked.", "SN-VRUAXQAR-07"),
        ("Reach him at (614)5550143 today.", "614)5550143"),
        ("Her number abroad is 011 44 20 7946 0958 now.", "011 44 20 7946 0958"),
        ("Write to jdoe at mail dot com for results.", "jdoe at mail dot com"),
        ("Logged in from 2001:0db8:85a3::8a2e:0370:7334 at noon.", "2001:0db8:85a3::8a2e:0370:7334"),
        ("Stayed March 4-9, 2021 on the ward.", "March 4-9, 2021"),
        ("Her roommate, Mrs. Tupou, is 98. Dementia.", "98"),
        ("A great-aunt lived to 97 with diabetes.", "97"),
        ("Seen at Children's Hospital of Erie for asthma.", "Children's Hospital of Erie"),
        ("Transferred to St. Luke's for surgery.", "St. Luke's"),
        ("Employer: Brantwick Shipping. Asthma.", "Brantwick Shipping"),
        ("Home: 3 Elm St, Twin Falls, 83301. Fax to follow.", "83301"),
    ],
)
def test_a_form_is_found(text, wanted, vocabulary):
    """Numbers, days, ages, places and firms in the forms of many writers, whole."""
    assert any(wanted in found for found in _found(text, vocabulary))


@pytest.mark.parametrize("name", ["Quelvorath", "Mbazindu", "Szyklarek"])
@pytest.mark.parametrize(
    "text",
    ["As you know, {} operated on the knee.", "Cardiology ({}) will follow.", "Fever. {} aware, no orders."],
)
def test_a_name_that_no_list_has_is_found_by_what_stands_around(text, name, vocabulary):
    """The learned model knows no name, and needs none."""
    assert name in _found(text.format(name), vocabulary)


@pytest.mark.parametrize(
    "text", ["He has chronic hepatitis C. He stopped drinking.", "In room 412B the pulse is 98. Dopamine was given."]
)
def test_what_only_looks_like_somebody_stays(text, vocabulary):
    """A pronoun behind an initial, a bed, and a pulse are nobody's."""
    assert _found(text, vocabulary) == set()


def test_a_span_of_days_moves_as_a_whole():
    """Both of its days go by the same number, so that its length stays."""
    text = "Stayed March 4-9, 2021."
    [printed] = find_dates(text)
    assert shift(text, printed, -14) == "February 18-23, 2021"
