"""A language model as adjudicator of suggested codes: what it is asked, and what of its answer counts."""
