"""Durable jobs: the five-call interface, the worker and the document pipeline."""
