"""Parts of the `scanbench` campaign: pages with their truth, and the scorers."""
