"""Pixels: what is done to a page image before it is read. Each step gives back the matrix that undoes it."""
