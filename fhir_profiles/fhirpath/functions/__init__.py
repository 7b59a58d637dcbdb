"""The functions of FHIRPath by name (http://hl7.org/fhirpath/N1/#functions, https://hl7.org/fhir/R4/fhirpath.html#functions)."""

from collections.abc import Mapping

from fhir_profiles.fhirpath.functions import boundaries, collections, conversions, fhir, maths, navigation, strings
from fhir_profiles.fhirpath.functions.collections import sort
from fhir_profiles.fhirpath.functions.navigation import TYPED
from fhir_profiles.fhirpath.functions.table import Function

FUNCTIONS: Mapping[str, Function] = {
    **collections.FUNCTIONS,
    **navigation.FUNCTIONS,
    **strings.FUNCTIONS,
    **conversions.FUNCTIONS,
    **maths.FUNCTIONS,
    **boundaries.FUNCTIONS,
    **fhir.FUNCTIONS,
}

__all__ = ["FUNCTIONS", "TYPED", "Function", "sort"]
