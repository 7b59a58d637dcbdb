"""What a payer would reject, as data: each rule one sentence and one expression."""
