"""FHIRPath over the JSON of R4 resources (http://hl7.org/fhirpath/N1/, https://hl7.org/fhir/R4/fhirpath.html).

path = compile("name.where(use = 'official').given")
path.evaluate(patient)                      # ["Ada"]
compile("start <= end").holds(resource, focus=node(period, "Period"))
"""

from fhir_profiles.fhirpath.path import Path, compile
from fhir_profiles.fhirpath.values import Node, node

__all__ = ["Node", "Path", "compile", "node"]
