"""Learning from what coders decided on the server, and telling a tracking server how a model does."""
