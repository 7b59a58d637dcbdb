"""FHIR XML in and out, as the JSON that the rest of the house speaks (https://hl7.org/fhir/R4/xml.html).

Lossless both ways: elements in the order of their definition, decimals digit by digit, ids and extensions beside
primitives, contained resources. A narrative is kept in one canonical form. Comments and instructions are dropped.
"""

from fhir_profiles.xml.read import to_json
from fhir_profiles.xml.write import from_json

__all__ = ["from_json", "to_json"]
