"""One module for each FHIR operation (https://hl7.org/fhir/R4/operations.html)."""
