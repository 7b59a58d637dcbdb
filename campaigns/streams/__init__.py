"""What the campaign `streaming` is made of."""
