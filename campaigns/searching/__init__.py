"""A second, slow reading of FHIR search, to hold the server's against."""
