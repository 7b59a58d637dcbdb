"""Continuity: backups beside a live server, restoring elsewhere and to a moment, and the proof that nothing is lost."""
