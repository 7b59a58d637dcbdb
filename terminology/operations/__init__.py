"""The terminology operations as pure functions: Parameters in, a resource out (https://hl7.org/fhir/R4/terminology-service.html)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from terminology.operations.batch import batch_validate
from terminology.operations.call import Call
from terminology.operations.expand import expand
from terminology.operations.find_matches import find_matches
from terminology.operations.lookup import lookup
from terminology.operations.shelf import Library
from terminology.operations.subsumes import subsumes
from terminology.operations.translate import translate
from terminology.operations.validate import validate_in_code_system, validate_in_value_set

Json = dict[str, Any]
Answer = Callable[[Call, Library, Json | None], Json]

OPERATIONS: dict[str, Answer] = {
    "CodeSystem/$validate-code": validate_in_code_system,
    "ValueSet/$validate-code": validate_in_value_set,
    "CodeSystem/$lookup": lookup,
    "CodeSystem/$subsumes": subsumes,
    "CodeSystem/$find-matches": find_matches,
    "ValueSet/$expand": expand,
    "ValueSet/$batch-validate-code": batch_validate,
    "ConceptMap/$translate": translate,
}
"""Operation → what answers it; the third argument is the resource that it is called on."""


def answer_call(name: str, parameters: Json, library: Library, language: str = "") -> Json:
    """The answer of an operation by name; FhirError when it has none."""
    return OPERATIONS[name](Call.of(parameters, language), library, None)


__all__ = ["OPERATIONS", "Answer", "Call", "Library", "answer_call"]
