"""What a code means: code systems by edition, validation, look-up and search, without a web or an ORM."""
