"""What campaigns/phi.py works with: invented people, the ways their identifiers are written, requests, and sinks."""
