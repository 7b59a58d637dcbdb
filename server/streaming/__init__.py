"""Kafka: what comes by topics goes through the doors' ledger, what changes here is published from the outbox."""
