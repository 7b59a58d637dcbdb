"""The demo: an invented fax goes in, coded FHIR comes out, on a server started for it."""
