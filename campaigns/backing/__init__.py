"""Backups of a stated size: how long, how large, how much is lost and how long until it answers again."""
