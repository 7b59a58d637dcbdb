"""How a language model is asked: kept answers, budget, circuit breaker, retries, and the one endpoint."""
