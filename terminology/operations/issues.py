"""What terminology operations have to say, in the catalogue and the wording that validators expect.

https://hl7.org/fhir/tools/CodeSystem-tx-issue-type.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from fhir_profiles.errors import Category, FhirError, Problem, Severity
from fhir_profiles.systems import MESSAGE_ID, TX_ISSUE_TYPE

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Issue(Problem):
    """A problem with its kind and message id; `told` when the answer's `message` repeats it, `located` when `location`
    repeats where it is.

    Unlike other texts of the server these name codes and displays: the caller sent them, and they go to nobody else.
    """

    kind: str = ""
    id: str = ""
    told: bool = True
    located: bool = True

    def as_issue(self) -> Json:
        """The problem as an `OperationOutcome.issue`."""
        issue: Json = {"severity": self.severity, "code": self.code, "details": {"text": self.text}}
        if self.kind:
            issue["details"] = {"coding": [{"system": TX_ISSUE_TYPE, "code": self.kind}], "text": self.text}
        if self.id:
            issue["extension"] = [{"url": MESSAGE_ID, "valueString": self.id}]
        if self.expression:
            issue["expression"] = [self.expression]
            if self.located:
                issue["location"] = [self.expression]
        return issue


class _Kind(NamedTuple):
    severity: Severity
    code: str
    kind: str
    text: str
    told: bool = True


MOST_REPEATED = 1_000
"""Letters of a value that a text repeats."""

_Head = tuple[Severity, str, str]
_NOT_FOUND: _Head = ("error", "not-found", "not-found")
_STATUS: _Head = ("information", "business-rule", "status-check")

CATALOGUE: dict[str, _Kind] = {
    "None_of_the_provided_codes_are_in_the_value_set_one": _Kind(
        "error", "code-invalid", "not-in-vs", "The provided code '{}' was not found in the value set '{}'"
    ),
    "TX_GENERAL_CC_ERROR_MESSAGE": _Kind(
        "error", "code-invalid", "not-in-vs", "No valid coding was found for the value set '{}'"
    ),
    "Unknown_Code_in_Version": _Kind(
        "error", "code-invalid", "invalid-code", "Unknown code '{}' in the CodeSystem '{}' version '{}'"
    ),
    "EXPRESSION_NOT_SUPPORTED": _Kind(
        "error", "not-supported", "invalid-code", "The code '{}' of the CodeSystem '{}' cannot be checked: {}"
    ),
    "Unknown_Code_in": _Kind("error", "code-invalid", "invalid-code", "Unknown code '{}' in the CodeSystem '{}'"),
    "UNKNOWN_CODE_IN_FRAGMENT": _Kind(
        "warning", "code-invalid", "invalid-code",
        "Unknown Code '{}' in the CodeSystem '{}' version '{}' - note that the code system is labeled as a fragment, "
        "so the code may be valid in some other fragment", False,
    ),
    "UNKNOWN_CODESYSTEM": _Kind(
        *_NOT_FOUND, "A definition for CodeSystem '{}' could not be found, so the code cannot be validated"
    ),
    "UNKNOWN_CODESYSTEM_VERSION": _Kind(
        *_NOT_FOUND,
        "A definition for CodeSystem '{}' version '{}' could not be found, so the code cannot be validated. "
        "Valid versions: {}",
    ),
    "UNKNOWN_CODESYSTEM_VERSION_NONE": _Kind(
        *_NOT_FOUND,
        "A definition for CodeSystem '{}' version '{}' could not be found, so the code cannot be validated. "
        "No versions of this code system are known",
    ),
    "UNKNOWN_CODESYSTEM_EXP": _Kind(
        *_NOT_FOUND, "A definition for CodeSystem '{}' could not be found, so the value set cannot be expanded"
    ),
    "UNKNOWN_CODESYSTEM_VERSION_EXP": _Kind(
        *_NOT_FOUND,
        "A definition for CodeSystem '{}' version '{}' could not be found, so the value set cannot be expanded. "
        "Valid versions: {}",
    ),
    "UNKNOWN_CODESYSTEM_VERSION_EXP_NONE": _Kind(
        *_NOT_FOUND,
        "A definition for CodeSystem '{}' version '{}' could not be found, so the value set cannot be expanded. "
        "No versions of this code system are known",
    ),
    "UNKNOWN_CODESYSTEM_CODING_NOT_CHECKED": _Kind(
        "warning", "not-found", "not-found",
        "A definition for CodeSystem '{}' could not be found, so this coding was not checked. Another coding of the "
        "concept is in the value set",
    ),
    "Unable_to_resolve_value_Set_": _Kind(*_NOT_FOUND, "A definition for the value Set '{}' could not be found"),
    "VS_EXP_IMPORT_UNK_PINNED": _Kind(
        *_NOT_FOUND,
        "Unable to find imported value set '{}' version '{}' (pinned by a default-valueset-version parameter)",
    ),
    "VALUESET_SUPPLEMENT_MISSING": _Kind("error", "not-found", "not-found", "Required supplement not found: {}"),
    "VALUESET_CIRCULAR_REFERENCE": _Kind(
        "error", "processing", "vs-invalid", "Cyclic reference detected when including {} via {}"
    ),
    "VALUESET_TOO_COSTLY": _Kind(
        "error", "too-costly", "", "The value set '{}' expansion has too many codes to display (>{})"
    ),
    "VALUESET_UNLISTABLE": _Kind(
        "error", "too-costly", "", "The code system '{}' has no end, so the value set '{}' cannot be expanded"
    ),
    "UNABLE_TO_HANDLE_SYSTEM_FILTER_WITH_NO_VALUE": _Kind(
        "error", "invalid", "vs-invalid", "The system {} filter with property = {}, op = {} has no value"
    ),
    "VALUESET_VALUE_MISMATCH": _Kind(
        "error", "invalid", "vs-invalid",
        "The code system '{}' version '{}' in the ValueSet include is different to the one in the value ('{}')",
    ),
    "VALUESET_VALUE_MISMATCH_CHANGED": _Kind(
        "error", "invalid", "vs-invalid",
        "The code system '{}' version '{}' resulting from the version '{}' in the ValueSet include is different to "
        "the one in the value ('{}')",
    ),
    "VALUESET_VALUE_MISMATCH_DEFAULT": _Kind(
        "warning", "invalid", "vs-invalid",
        "The code system '{}' version '{}' for the versionless include in the ValueSet include is different to the "
        "one in the value ('{}')", False,
    ),
    "VALUESET_VERSION_CHECK": _Kind(
        "error", "exception", "version-error",
        "The version '{}' is not allowed for system '{}': required to be '{}' by a version-check parameter",
    ),
    "UNABLE_TO_INFER_CODESYSTEM": _Kind(
        "error", "not-found", "cannot-infer",
        "The System URI could not be determined for the code '{}' in the ValueSet '{}' (looked in {})",
    ),
    "Unable_to_resolve_system__value_set_has_multiple_matches": _Kind(
        "error", "not-found", "cannot-infer",
        "The System URI could not be determined for the code '{}' in the ValueSet '{}': value set expansion has "
        "multiple matches: [{}]",
    ),
    "Coding_has_no_system__cannot_validate": _Kind(
        "warning", "invalid", "invalid-data",
        "Coding has no system. A code with no system has no defined meaning, and it cannot be validated. "
        "A system should be provided",
    ),
    "Coding_has_no_system_or_code__cannot_validate": _Kind(
        "warning", "invalid", "invalid-data",
        "Coding has neither a system nor a code, so it cannot be validated. A system and a code should be provided",
    ),
    "Coding_has_no_code__cannot_validate": _Kind(
        "warning", "invalid", "invalid-data", "Coding has no code{} and cannot be validated"
    ),
    "Terminology_TX_System_Relative": _Kind(
        "error", "invalid", "invalid-data", "Coding.system must be an absolute reference, not a local reference"
    ),
    "Terminology_TX_System_ValueSet2": _Kind(
        "error", "invalid", "invalid-data", "The Coding references a value set, not a code system ('{}')"
    ),
    "CODESYSTEM_CS_NO_SUPPLEMENT": _Kind(
        "error", "invalid", "invalid-data",
        "CodeSystem {} is a supplement, so can't be used as a value in Coding.system",
    ),
    "Display_Name_for__should_be_one_of__instead_of": _Kind(
        "error", "invalid", "invalid-display", "Wrong Display Name '{}' for {}#{}. {} (for the language(s) '{}')"
    ),
    "Display_Name_WS_for__should_be_one_of__instead_of": _Kind(
        "error", "invalid", "invalid-display",
        "Wrong whitespace in Display Name '{}' for {}#{}. {} (for the language(s) '{}')",
    ),
    "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_ERR": _Kind(
        "error", "invalid", "invalid-display",
        "Wrong Display Name '{}' for {}#{}. There are no valid display names found for language(s) '{}'. "
        "Default display is '{}'",
    ),
    "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_OK": _Kind(
        "information", "invalid", "invalid-display",
        "There are no valid display names found for the code {}#{} for language(s) '{}'. The display is '{}' which "
        "is a valid display for the default language",
    ),
    "INVALID_DISPLAY_NAME": _Kind("error", "processing", "invalid-display", "Invalid displayLanguage: '{}'"),
    "INACTIVE_DISPLAY_FOUND": _Kind(
        "warning", "invalid", "display-comment",
        "'{}' is no longer considered a correct display for code '{}' (status = {}). "
        "The correct display is one of {}.", False,
    ),
    "CODE_CASE_DIFFERENCE": _Kind(
        "information", "business-rule", "code-rule",
        "The code '{}' differs from the correct code '{}' by case. Although the code system '{}' is case "
        "insensitive, implementers are strongly encouraged to use the correct case anyway", False,
    ),
    "STATUS_CODE_WARNING_CODE": _Kind(
        "error", "business-rule", "code-rule", "The concept '{}' is valid but is not active"
    ),
    "ABSTRACT_CODE_NOT_ALLOWED": _Kind(
        "error", "business-rule", "code-rule", "Code '{}#{}' is abstract, and not allowed in this context"
    ),
    "INACTIVE_CONCEPT_FOUND": _Kind(
        "warning", "business-rule", "code-comment",
        "The concept '{}' has a status of {} and its use should be reviewed",
    ),
    "DEPRECATED_CONCEPT_FOUND": _Kind(
        "warning", "business-rule", "code-comment", "The concept '{}' is {} and its use should be reviewed"
    ),
    "CONCEPT_DEPRECATED_IN_VALUESET": _Kind(
        "warning", "business-rule", "code-comment",
        "The presence of the concept '{}' in the system '{}' in the value set {} is marked with a status of {} and "
        "its use should be reviewed", False,
    ),
    "MSG_DEPRECATED": _Kind(*_STATUS, "Reference to deprecated {} {}", False),
    "MSG_WITHDRAWN": _Kind(*_STATUS, "Reference to withdrawn {} {}", False),
    "MSG_RETIRED": _Kind(*_STATUS, "Reference to retired {} {}", False),
    "MSG_EXPERIMENTAL": _Kind(*_STATUS, "Reference to experimental {} {}", False),
    "MSG_DRAFT": _Kind(*_STATUS, "Reference to draft {} {}", False),
    "CODE_NOT_IN_FORCE": _Kind("error", "business-rule", "code-rule", "{}"),
    "CODE_REMARK": _Kind("information", "informational", "code-comment", "{}"),
    "CODE_NOT_SENT": _Kind(
        "error", "invalid", "",
        "Unable to find code to validate (looked for coding | codeableConcept | code+system | code+inferSystem in "
        "parameters",
    ),
}  # fmt: skip
"""Message id → what it says."""


def issue(id: str, *values: object, at: str | None = None, severity: Severity | None = None) -> Issue:
    """An issue of the catalogue, about the place `at` of the input."""
    kind = CATALOGUE[id]
    text = kind.text.format(*map(_brief, values))
    return Issue(severity or kind.severity, kind.code, text, at, kind.kind, id, kind.told)


def _brief(value: object) -> str:
    """A value as a text repeats it."""
    text = str(value)
    return text if len(text) <= MOST_REPEATED else f"{text[:MOST_REPEATED]}…"


def refused(category: Category, *issues: Issue) -> FhirError:
    """The error of an operation that has no answer."""
    return FhirError(category, *issues)


def explained(error: FhirError, kind: str) -> FhirError:
    """The same error with its kind said of each problem: clients read `details`, which other problems have not."""
    told = (
        p if isinstance(p, Issue) else Issue(p.severity, p.code, p.text, p.expression, kind) for p in error.problems
    )
    return FhirError(error.category, *told)
