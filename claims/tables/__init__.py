"""The tables that rules and prices ask."""
