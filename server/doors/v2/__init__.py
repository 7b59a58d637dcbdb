"""HL7 v2 messages: read them, and say in FHIR what they say (http://hl7.org/fhir/uv/v2mappings)."""
