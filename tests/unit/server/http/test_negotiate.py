"""JSON and XML in all their names are taken, everything else is refused clearly."""

import pytest

from server.http.negotiate import (
    FHIR_JSON,
    FHIR_XML,
    HTML,
    PLAIN_JSON,
    PLAIN_XML,
    answer_type,
    encoding_for,
    format_type,
    is_form,
    is_json,
    is_xml,
)

BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (b"application/fhir+json", FHIR_JSON),
        (b"application/fhir+json; fhirVersion=4.0", FHIR_JSON),
        (b"*/*", FHIR_JSON),
        (b"", FHIR_JSON),
        (b"application/json, text/plain, */*", FHIR_JSON),
        (b"Application/FHIR+JSON;q=0.5, application/fhir+xml", FHIR_XML),
        (b"application/fhir+xml;q=0.5, application/fhir+json", FHIR_JSON),
        (b"application/json", PLAIN_JSON),
        (b"text/json", PLAIN_JSON),
        (b"application/json, application/fhir+json;q=0.1", FHIR_JSON),
        (b"application/xml", PLAIN_XML),
        (b"text/turtle, text/xml", PLAIN_XML),
        (b"application/fhir+xml, */*;q=0.1", FHIR_XML),
        (BROWSER, FHIR_JSON),
    ],
)
def test_the_best_of_both_formats_is_answered(accept, expected):
    """The client's order counts; a browser, which names XML too, gets JSON."""
    assert answer_type(accept) == expected


def test_a_browser_gets_the_page_where_there_is_one():
    """Who names HTML first gets it; who only takes anything does not."""
    assert answer_type(BROWSER, page=True) == HTML
    assert answer_type(b"*/*", page=True) == FHIR_JSON
    assert answer_type(b"application/fhir+json, text/html;q=0.5", page=True) == FHIR_JSON


@pytest.mark.parametrize(
    "accept",
    [b"text/html", b"application/fhir+json;q=0", b"application/fhir+json; fhirVersion=3.0", b"text/turtle, image/png"],
)
def test_what_cannot_be_answered_is_none(accept):
    """Turtle, another FHIR version, HTML alone: not acceptable."""
    assert answer_type(accept) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("json", FHIR_JSON),
        ("application/json", FHIR_JSON),
        ("application/fhir+json", FHIR_JSON),
        ("application/fhir json", FHIR_JSON),
        ("xml", FHIR_XML),
        ("text/xml", FHIR_XML),
        ("application/fhir+xml", FHIR_XML),
        ("application/fhir xml", FHIR_XML),
        ("html", HTML),
        ("ttl", None),
        ("application/fhir+json; fhirVersion=5.0", None),
        ("patient-name-88", None),
    ],
)
def test_format_takes_every_name(value, expected):
    """A plus sign that was not encoded arrives as a space."""
    assert format_type(value) == expected


@pytest.mark.parametrize(
    ("content_type", "json", "xml"),
    [
        (b"application/fhir+json", True, False),
        (b"application/json; charset=UTF-8", True, False),
        (b'application/fhir+json; charset="utf-8"; fhirVersion=4.0', True, False),
        (b"", True, False),
        (b"application/fhir+xml", False, True),
        (b"text/xml; charset=utf-8", False, True),
        (b"application/xml; charset=utf-16", False, False),
        (b"application/json; charset=iso-8859-1", False, False),
        (b"application/fhir+json; fhirVersion=5.0", False, False),
        (b"application/x-www-form-urlencoded", False, False),
    ],
)
def test_bodies_are_in_utf8(content_type, json, xml):
    """A body is FHIR R4 JSON or XML in UTF-8 or it is not read."""
    assert (is_json(content_type), is_xml(content_type)) == (json, xml)


def test_forms_are_known():
    """POST `_search` sends a form, with or without a charset."""
    assert is_form(b"application/x-www-form-urlencoded; charset=utf-8")
    assert not is_form(b"application/json")


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (b"gzip", b"gzip"),
        (b"br, gzip;q=0.5", b"gzip"),
        (b"gzip;q=0.5, deflate", b"deflate"),
        (b"gzip;q=0", b""),
        (b"gzip; q=0.0, br", b""),
        (b"", b""),
    ],
)
def test_compression_is_for_those_who_name_it(header, wanted):
    """A quality of 0 means never."""
    assert encoding_for(header) == wanted
