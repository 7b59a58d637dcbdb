"""Nobody sees what is not theirs: a world of two patients, what each caller may see of it, and requests by chance."""
