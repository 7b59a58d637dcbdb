"""The parts of the fuzz campaign."""
