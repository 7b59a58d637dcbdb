"""Encryption at rest: keys, envelopes and blind indexes, without a database (NIST SP 800-38D, SP 800-57)."""
