"""Subscriptions: who wants to hear of which writes, and how they are told."""
