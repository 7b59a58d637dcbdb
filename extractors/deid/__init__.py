"""De-identification of what leaves: who is known, what looks like an identifier, surrogates and the way back."""
