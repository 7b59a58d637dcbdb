"""What a document says: pages and words, findings, codes, and the FHIR resources they become."""
