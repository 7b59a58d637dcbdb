"""What a claim is worth: drafting, edits and prices, as pure functions over plain FHIR dicts."""
