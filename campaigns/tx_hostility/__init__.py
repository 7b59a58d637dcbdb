"""Calls made to break a terminology server, in groups."""
