"""The `fhirwright` command."""
