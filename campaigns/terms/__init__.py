"""Searches that coders type, to measure the terminology with."""
