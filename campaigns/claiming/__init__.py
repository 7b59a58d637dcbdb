"""Made claims for tests, benchmarks and campaigns."""
