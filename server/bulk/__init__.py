"""Documents, notes, claims and stored resources by the million: on this machine, on Ray, or on Spark."""
