"""How many machines a load takes: unit costs that were measured, a queueing model over them, and the plan they give."""
