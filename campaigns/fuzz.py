"""Schemathesis against the whole application: no request, right or wrong, may end in a 5xx.

`make campaign NAME=fuzz ARGS="--examples 200"`; every failure is printed with the request that caused it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import schemathesis
from schemathesis import GenerationMode

TYPES = ("Patient", "Observation", "Encounter", "Claim", "DocumentReference", "Binary", "Task", "ValueSet")


@dataclass
class Report:
    """What was sent and what came back."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def fuzz(app: Any, types: tuple[str, ...], examples: int, seed: int) -> Report:
    """Drive every operation of some types, and those of the system, with right and wrong requests."""
    report = Report()
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    for operation in _operations(schema, types):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _drive(operation, mode, examples, seed, report)
    return report


def _operations(schema: Any, types: tuple[str, ...]) -> Iterator[Any]:
    for result in schema.get_all_operations():
        operation = result.ok()
        parts = operation.path.split("/")
        if parts[1] != "fhir" or len(parts) < 3 or parts[2] in types or parts[2] == "metadata":
            yield operation


def _drive(operation: Any, mode: GenerationMode, examples: int, seed: int, report: Report) -> None:
    """Send the examples of one operation; a failure is noted and the rest goes on."""

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(mode))
    def send(case: Any) -> None:
        response = case.call()
        report.requests += 1
        report.statuses[response.status_code] += 1
        if complaint := _complaint(operation.path, response):
            report.failures.append(f"{complaint}: {case.as_curl_command()}")

    try:
        send()
    except hypothesis.errors.Unsatisfiable:
        return  # this operation cannot be called wrongly


def _complaint(path: str, response: Any) -> str | None:
    """What is wrong with an answer."""
    status = response.status_code
    if status >= 500 and path != "/readyz":  # which may truly be unavailable
        return f"status {status}"
    failed = path.startswith("/fhir") and status >= 400 and response.content
    if failed and json.loads(response.content).get("resourceType") != "OperationOutcome":
        return f"status {status} without an OperationOutcome"
    return None


def main() -> int:
    """Fuzz a fresh application and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="requests per operation, right and wrong each")
    parser.add_argument("--type", action="append", help="resource types; default: eight that differ")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    options = parser.parse_args()
    from server.app import create_app
    from server.settings import Settings

    with tempfile.TemporaryDirectory(prefix="fhirwright-fuzz-") as folder:
        app = create_app(Settings(data=Path(folder), coding="off", log_level="error"))
        try:
            report = fuzz(app, tuple(options.type or TYPES), options.examples, options.seed)
        finally:
            app.state.fhir.store.close()
    print(f"seed {options.seed}: {report.requests} requests, {len(report.failures)} failures")
    print(", ".join(f"{status}: {count}" for status, count in sorted(report.statuses.items())))
    for failure in report.failures[:20]:
        print(failure)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
