"""What can be wrong with an expression or its evaluation (http://hl7.org/fhirpath/N1/#expressions)."""

from __future__ import annotations

from fhir_profiles.errors import Category, FhirError, Problem


class PathError(FhirError):
    """The expression cannot be read, or cannot be evaluated on this input. The text holds no value of the input."""

    def __init__(self, text: str, code: str = "invalid") -> None:
        super().__init__(Category.INCORRECT, Problem("error", code, f"FHIRPath: {text}"))


class TooCostly(PathError):
    """The evaluation took more steps, time or room than it may."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "too-costly")
