"""`python -m server.cli` is `fhirwright`, for processes that start one another."""

from server.cli.main import main

main()
