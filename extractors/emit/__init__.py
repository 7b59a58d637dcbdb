"""Codes to FHIR R4 resources with their evidence."""
