"""Findings to codes: candidates from the terminology, guideline rules, confidence."""
