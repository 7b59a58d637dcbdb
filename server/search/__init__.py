"""Search: query strings to cached SQL over the typed index tables (https://hl7.org/fhir/R4/search.html)."""
