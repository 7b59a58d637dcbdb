"""What a FHIR R4 resource is: definitions, validation, search values, URIs (https://hl7.org/fhir/R4/)."""
