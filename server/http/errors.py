"""One table from (category, issue code) to HTTP status (https://hl7.org/fhir/R4/http.html#summary)."""

from __future__ import annotations

from typing import Any

from fhir_profiles.errors import Category, FhirError, operation_outcome

# The status of a category, unless the issue code says more.
STATUS: dict[Category, int] = {
    Category.INCORRECT: 400,
    Category.NOT_FOUND: 404,
    Category.CONFLICT: 409,
    Category.BUSY: 503,
    Category.FAULT: 500,
    Category.FORBIDDEN: 403,
    Category.UNSUPPORTED: 400,
    Category.UNAVAILABLE: 503,
    Category.INTERRUPTED: 503,
}

STATUS_OF_CODE: dict[tuple[Category, str], int] = {
    (Category.INCORRECT, "business-rule"): 422,
    (Category.INCORRECT, "processing"): 422,
    (Category.INCORRECT, "too-long"): 413,
    (Category.INCORRECT, "too-costly"): 413,
    (Category.INCORRECT, "multiple-matches"): 412,
    (Category.UNSUPPORTED, "too-costly"): 422,
    (Category.NOT_FOUND, "deleted"): 410,
    (Category.CONFLICT, "conflict"): 412,
    (Category.CONFLICT, "multiple-matches"): 412,
    (Category.CONFLICT, "required"): 428,
    (Category.BUSY, "throttled"): 429,
    (Category.FORBIDDEN, "login"): 401,
    (Category.FORBIDDEN, "expired"): 401,
}


class HttpError(FhirError):
    """An error that only HTTP knows: it brings its status and headers."""

    def __init__(
        self, status: int, code: str, text: str, *, category: Category, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(category, *FhirError.of(category, code, text).problems)
        self.status = status
        self.headers = headers


def status_of(error: FhirError) -> int:
    """The HTTP status that `error` is answered with."""
    if isinstance(error, HttpError):
        return error.status
    for problem in error.problems:
        status = STATUS_OF_CODE.get((error.category, problem.code))
        if status is not None:
            return status
    return STATUS[error.category]


def headers_of(error: FhirError) -> list[tuple[bytes, bytes]]:
    """The headers that `error` brings; when it may pass, also when to come again."""
    headers = list(getattr(error, "headers", ()))
    may_pass = status_of(error) in (429, 503) or any(problem.code == "lock-error" for problem in error.problems)
    if may_pass and not any(name == b"retry-after" for name, _ in headers):
        headers.append((b"retry-after", b"1"))
    return headers


def outcome_of(error: FhirError) -> dict[str, Any]:
    """The OperationOutcome that `error` is answered with."""
    return operation_outcome(error.problems)


def not_supported(status: int, text: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> HttpError:
    """405, 406, 415 and their like: what the client asks for is not something this server does."""
    return HttpError(status, "not-supported", text, category=Category.UNSUPPORTED, headers=headers)
