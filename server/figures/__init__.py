"""Figures of the house, computed from rows that a search found: no web, no store, no clock."""
