"""Pages for people, made on the server: no script, no foreign source, readable in light and dark."""
