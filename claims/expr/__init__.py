"""The language of rules: one expression, two forms (`vector` over tables of claims, `single` over one claim)."""
