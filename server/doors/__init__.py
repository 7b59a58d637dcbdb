"""The other doors in: what comes by them ends in the same interactions as any client's request."""
