"""Claims as X12 interchanges, out and in; see docs/claims.md."""
