"""One user who sends what schemathesis makes of an OpenAPI document: values at their limits, at random, along links."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import hypothesis
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode

from campaigns.fuzzing.tidy import tidy

Open = Callable[[str], Any]
"""Gives the schema of a resource type's document."""


@dataclass
class Report:
    """What was sent and what came back."""

    requests: int = 0
    stateful: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    succeeded: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: dict[str, Any]) -> None:
        """Take in what another user reported."""
        self.requests += other["requests"]
        self.stateful += other["stateful"]
        self.statuses.update({int(status): count for status, count in other["statuses"].items()})
        self.succeeded.update(other["succeeded"])
        self.failures += other["failures"]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return vars(self)


class User:
    """Sends requests and keeps what is wrong with the answers; nothing stops it before it is done."""

    def __init__(self, name: str, open_schema: Open, seed: int, session: Any = None) -> None:
        self.name = name
        self.report = Report()
        self._open = open_schema
        self._seed = seed
        self._session = session

    def cover(self, types: Sequence[str], most: int, *, beside: bool = False) -> None:
        """Every operation of the types with each value at and beyond its limits, at most so many cases each."""
        for schema, operation in self._operations(types, beside=beside):
            modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
            config = schema.config.generation_for(operation=operation)
            cases = schema.iter_coverage_cases(operation, generation_modes=modes, generation_config=config)
            for case in islice(cases, most):
                if case.meta.generation.mode is GenerationMode.POSITIVE:
                    tidy(case, self.name)
                self._send(case)

    def send_each(self, types: Sequence[str], examples: int, *, beside: bool = False) -> None:
        """Every operation of the types, with right and with wrong requests; `beside` adds those of no type."""
        for _, operation in self._operations(types, beside=beside):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                self._drive(operation, mode, examples)

    def _operations(self, types: Sequence[str], *, beside: bool) -> Iterator[tuple[Any, Any]]:
        """Schema and operation; those of no type come with the first type only."""
        for number, name in enumerate(types):
            sys.stderr.write(f"{self.name}: {name} after {self.report.requests} requests\n")
            schema = self._open(name)
            for result in schema.get_all_operations():
                operation = result.ok()
                typed = operation.path.startswith(f"/fhir/{name}")
                if typed or (beside and number == 0):
                    yield schema, operation

    def follow_links(self, types: Sequence[str], scenarios: int, steps: int) -> None:
        """Scenarios of create, read, update, patch, delete and history, each with the answers of the steps before."""
        for name in types:
            machine = self._machine(self._open(name).as_state_machine())
            settings = hypothesis.settings(_settings(scenarios), stateful_step_count=steps)
            run_state_machine_as_test(hypothesis.seed(self._seed)(machine), settings=settings)

    def _drive(self, operation: Any, mode: GenerationMode, examples: int) -> None:
        @hypothesis.seed(self._seed)
        @_settings(examples)
        @hypothesis.given(case=operation.as_strategy(mode))
        def send(case: Any) -> None:
            if mode is GenerationMode.POSITIVE:
                tidy(case, self.name)
            self._send(case)

        try:
            send()
        except hypothesis.errors.Unsatisfiable:
            return  # this operation cannot be called wrongly

    def _machine(self, base: Any) -> Any:
        user = self

        class Machine(base):  # type: ignore[misc]
            def before_call(self, case: Any) -> None:
                tidy(case, user.name)

            def get_call_kwargs(self, case: Any) -> dict[str, Any]:  # noqa: ARG002 - the base's shape
                return {"session": user._session}

            def after_call(self, response: Any, case: Any) -> None:
                user.report.stateful += 1
                user._note(case, response)

            def validate_response(self, response: Any, case: Any, *_: Any, **__: Any) -> None:
                """What is wrong was noted."""

        return Machine

    def _send(self, case: Any) -> None:
        self._note(case, case.call(session=self._session))

    def _note(self, case: Any, response: Any) -> None:
        self.report.requests += 1
        self.report.statuses[response.status_code] += 1
        if response.status_code < 300:
            self.report.succeeded[case.method] += 1
        if complaint := _complaint(case.operation.path, response):
            self.report.failures.append(f"{complaint}: {case.as_curl_command()}")


def _settings(examples: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )


def _complaint(path: str, response: Any) -> str | None:
    """What is wrong with an answer."""
    status = response.status_code
    if status >= 500 and path != "/readyz":  # which may truly be unavailable
        return f"status {status}"
    if path.startswith("/fhir") and status >= 400 and response.content and not _is_outcome(response):
        return f"status {status} without an OperationOutcome"
    return None


def _is_outcome(response: Any) -> bool:
    if "xml" in str(response.headers.get("content-type")):
        return b"<OperationOutcome" in response.content
    if b'"errors"' in response.content:
        return True  # GraphQL has a form of its own
    try:
        return bool(json.loads(response.content).get("resourceType") == "OperationOutcome")
    except ValueError:
        return False
