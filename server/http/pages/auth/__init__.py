"""The pages on which people sign in, choose a patient, agree, and see what they agreed to."""
