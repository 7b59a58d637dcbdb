"""The authorization server: people, clients, what was granted to whom, and the tokens that show it."""
