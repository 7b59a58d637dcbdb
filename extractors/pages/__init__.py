"""Bytes to pages and words: intake, triage, text layers, OCR.

`read` takes any attachment and answers a `Document`, or raises `Refused` with a text that a person can act on.
`from_text` is the short way for plain text. Everything that parses foreign bytes runs in a killable child process.
"""

from __future__ import annotations

from extractors.pages.limits import Limits, Refused
from extractors.pages.ocr import OFF
from extractors.pages.plain import from_text
from extractors.pages.reader import Cache, Lookup, read

__all__ = ["OFF", "Cache", "Limits", "Lookup", "Refused", "from_text", "read"]
