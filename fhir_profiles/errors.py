"""Errors as values: what is wrong, where and what to do (https://hl7.org/fhir/R4/operationoutcome.html)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

Severity = Literal["fatal", "error", "warning", "information"]


class Category(StrEnum):
    """The nine kinds of failure; `server.http.errors` turns each into a status."""

    INCORRECT = "incorrect"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    BUSY = "busy"
    FAULT = "fault"
    FORBIDDEN = "forbidden"
    UNSUPPORTED = "unsupported"
    UNAVAILABLE = "unavailable"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Problem:
    """One issue. `text` says what and what to do and never repeats a value that may be PHI.

    `code` is from http://hl7.org/fhir/issue-type; `expression` is a FHIRPath into the input.
    """

    severity: Severity
    code: str
    text: str
    expression: str | None = None

    def as_issue(self) -> dict[str, Any]:
        """The problem as an `OperationOutcome.issue`."""
        issue: dict[str, Any] = {"severity": self.severity, "code": self.code, "diagnostics": self.text}
        if self.expression:
            issue["expression"] = [self.expression]
        return issue


class FhirError(Exception):
    """An interaction that ended in problems; the first problem is the message."""

    def __init__(self, category: Category, *problems: Problem) -> None:
        super().__init__(problems[0].text if problems else category.value)
        self.category = category
        self.problems = problems

    def __reduce__(self) -> tuple[type[FhirError], tuple[Category | Problem, ...]]:
        """What another process makes of it: the same problems, without what a kind of its own may know beside them."""
        return FhirError, (self.category, *self.problems)

    @classmethod
    def of(cls, category: Category, code: str, text: str, expression: str | None = None) -> FhirError:
        """An error with a single problem of severity `error`."""
        return cls(category, Problem("error", code, text, expression))


def operation_outcome(problems: tuple[Problem, ...] | list[Problem]) -> dict[str, Any]:
    """An OperationOutcome that lists `problems`; never empty."""
    issues = [p.as_issue() for p in problems]
    return {
        "resourceType": "OperationOutcome",
        "issue": issues or [{"severity": "information", "code": "informational", "diagnostics": "All OK"}],
    }
