"""Learned help: how likely a claim is to be denied, and whether a charge is unusual. It explains, and never blocks."""
