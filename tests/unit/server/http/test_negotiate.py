"""JSON in all its names is taken, everything else is refused clearly."""

import pytest

from fhir_profiles.errors import FhirError
from server.http.errors import status_of
from server.http.negotiate import FHIR_JSON, PLAIN_JSON, answer_type, check_format, is_form, is_json, takes_gzip


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (b"application/fhir+json", FHIR_JSON),
        (b"application/fhir+json; fhirVersion=4.0", FHIR_JSON),
        (b"*/*", FHIR_JSON),
        (b"", FHIR_JSON),
        (b"text/html, application/xhtml+xml, */*;q=0.8", FHIR_JSON),
        (b"Application/FHIR+JSON;q=0.5, application/fhir+xml", FHIR_JSON),
        (b"application/json", PLAIN_JSON),
        (b"text/json", PLAIN_JSON),
        (b"application/json, application/fhir+json;q=0.1", FHIR_JSON),
    ],
)
def test_json_is_answered(accept, expected):
    """A client that can take JSON gets it, as FHIR JSON when it can take that."""
    assert answer_type(accept) == expected


@pytest.mark.parametrize(
    "accept",
    [
        b"application/fhir+xml",
        b"text/html",
        b"application/fhir+json;q=0",
        b"application/fhir+json; fhirVersion=3.0",
        b"text/turtle, application/xml",
    ],
)
def test_what_cannot_be_answered_is_406(accept):
    """XML, Turtle, another FHIR version: not acceptable, and the text says what to ask for."""
    with pytest.raises(FhirError, match="Accept: application/fhir") as caught:
        answer_type(accept)
    assert status_of(caught.value) == 406


@pytest.mark.parametrize("value", ["json", "application/json", "application/fhir+json", "application/fhir json"])
def test_format_takes_every_name_of_json(value):
    """A plus sign that was not encoded arrives as a space."""
    check_format(value)


@pytest.mark.parametrize("value", ["xml", "ttl", "html", "application/fhir+xml", "patient-name-88"])
def test_format_refuses_the_rest_without_repeating_it(value):
    """An unknown `_format` is 406 and its value is not quoted."""
    with pytest.raises(FhirError) as caught:
        check_format(value)
    assert status_of(caught.value) == 406
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"application/fhir+json", True),
        (b"application/json; charset=UTF-8", True),
        (b'application/fhir+json; charset="utf-8"; fhirVersion=4.0', True),
        (b"", True),
        (b"application/fhir+xml", False),
        (b"application/json; charset=iso-8859-1", False),
        (b"application/fhir+json; fhirVersion=5.0", False),
        (b"application/x-www-form-urlencoded", False),
    ],
)
def test_bodies_are_utf8_json(content_type, expected):
    """A body is FHIR R4 JSON in UTF-8 or it is not read."""
    assert is_json(content_type) is expected


def test_forms_are_known():
    """POST `_search` sends a form, with or without a charset."""
    assert is_form(b"application/x-www-form-urlencoded; charset=utf-8")
    assert not is_form(b"application/json")


@pytest.mark.parametrize(
    ("header", "wanted"),
    [(b"gzip", True), (b"br, gzip;q=0.5", True), (b"gzip;q=0", False), (b"gzip; q=0.0, br", False), (b"", False)],
)
def test_gzip_is_sent_to_those_who_name_it(header, wanted):
    """A quality of 0 means never."""
    assert takes_gzip(header) is wanted
