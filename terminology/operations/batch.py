"""`ValueSet/$batch-validate-code`: many codes in one call (https://build.fhir.org/valueset-operation-batch-validate-code.html)."""

from __future__ import annotations

from typing import Any

from fhir_profiles.errors import Category, FhirError, operation_outcome
from terminology.effort import BETWEEN_LOOKS, step
from terminology.operations.call import Call, answer, wrong
from terminology.operations.shelf import Library
from terminology.operations.validate import OF_VALUE_SET, validate_in_code_system, validate_in_value_set

Json = dict[str, Any]
MOST = 1_000


def batch_validate(call: Call, library: Library, instance: Json | None = None) -> Json:
    """One `validation` for each that was asked, an OperationOutcome where it could not be answered."""
    call.only({*OF_VALUE_SET, "validation"})
    asked = call.all("validation")
    if not asked or len(asked) > MOST:
        raise wrong(f"Send 1 to {MOST} parameters validation, each a Parameters.", "validation")
    shared = tuple(pair for pair in call.parameters if pair[0] != "validation")
    return answer(*({"name": "validation", "resource": _one(one, shared, call, library, instance)} for one in asked))


def _one(asked: Any, shared: tuple[tuple[str, Any], ...], call: Call, library: Library, instance: Json | None) -> Json:
    try:
        step(BETWEEN_LOOKS)
        if not isinstance(asked, dict):
            raise wrong("A validation is a Parameters resource.", "validation")
        own = Call.of(asked).parameters
        named = {name for name, _ in own}
        kept = tuple(pair for pair in shared if pair[0] not in named or pair[0] == "tx-resource")
        one = Call((*own, *kept), call.language)
        in_value_set = instance is not None or one.all("url") or one.all("valueSet")
        return (validate_in_value_set if in_value_set else validate_in_code_system)(one, library, instance)
    except FhirError as error:
        if error.category in (Category.FAULT, Category.BUSY):
            raise
        return operation_outcome(error.problems)
