"""Every failure has exactly one status, from one table."""

import pytest

from fhir_profiles.errors import Category, FhirError, Problem
from server.http.errors import STATUS, STATUS_OF_CODE, not_supported, outcome_of, status_of


def test_every_category_has_a_status():
    """No category is forgotten."""
    assert set(STATUS) == set(Category)


def test_only_the_server_itself_answers_500():
    """A 5xx says that the server is at fault or busy, never that the client is."""
    fives = {category for category, status in STATUS.items() if status >= 500}
    assert fives == {Category.FAULT, Category.BUSY, Category.UNAVAILABLE, Category.INTERRUPTED}


@pytest.mark.parametrize(
    ("category", "code", "status"),
    [
        (Category.INCORRECT, "structure", 400),
        (Category.INCORRECT, "business-rule", 422),
        (Category.INCORRECT, "too-long", 413),
        (Category.NOT_FOUND, "not-found", 404),
        (Category.NOT_FOUND, "deleted", 410),
        (Category.CONFLICT, "conflict", 412),
        (Category.CONFLICT, "duplicate", 409),
        (Category.CONFLICT, "multiple-matches", 412),
        (Category.CONFLICT, "lock-error", 409),
        (Category.CONFLICT, "business-rule", 409),
        (Category.BUSY, "throttled", 429),
        (Category.FORBIDDEN, "login", 401),
        (Category.FAULT, "exception", 500),
    ],
)
def test_the_code_refines_the_category(category, code, status):
    """The status of FHIR for the usual failures (https://hl7.org/fhir/R4/http.html#summary)."""
    assert status_of(FhirError.of(category, code, "…")) == status


def test_every_refinement_differs_from_its_category():
    """A row that changes nothing is dead."""
    for (category, _), status in STATUS_OF_CODE.items():
        assert status != STATUS[category]


def test_the_first_problem_that_is_known_decides():
    """Further problems do not hide a status."""
    error = FhirError(Category.INCORRECT, Problem("error", "value", "a"), Problem("error", "business-rule", "b"))
    assert status_of(error) == 422


def test_http_errors_bring_their_own_status():
    """405, 406 and 415 share an issue code and differ by what HTTP says."""
    error = not_supported(405, "This route answers GET only.")
    assert status_of(error) == 405
    assert outcome_of(error)["issue"] == [
        {"severity": "error", "code": "not-supported", "diagnostics": "This route answers GET only."}
    ]
