"""What a document says: sections, mentions, assertions, medications, values, identity and printed codes."""

from extractors.findings.stage import find

__all__ = ["find"]
