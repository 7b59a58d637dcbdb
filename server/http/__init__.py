"""The wire: routes, negotiation, errors, health and metrics."""
