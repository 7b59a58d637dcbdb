"""Text to findings: sections, mentions, assertion, values, identity."""
