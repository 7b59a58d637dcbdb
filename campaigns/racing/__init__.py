"""Processes that write the same resources at the same moment."""
