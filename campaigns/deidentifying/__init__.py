"""Generated notes with their identifiers marked."""
