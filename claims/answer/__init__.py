"""What is answered to a claim: its findings and prices as a ClaimResponse."""
