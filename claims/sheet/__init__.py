"""Claims laid out as tables, and one claim as rows."""
