"""The review of a coded document by a person, as pure functions over its FHIR resources: no web, no store, no clock."""
