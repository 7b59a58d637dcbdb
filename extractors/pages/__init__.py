"""Bytes to pages and words: intake, triage, text layers, OCR."""
