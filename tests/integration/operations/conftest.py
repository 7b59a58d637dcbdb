"""A way to call an operation as the server would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from server.interactions.fhir import Fhir
from server.operations import document, everything, lastn, meta, terminology
from server.operations.registry import Operations
from tests.conftest import make_request

Operate = Callable[..., Any]


@pytest.fixture
def operate(fhir: Fhir) -> Operate:
    """`operate("GET", "Patient/p/$everything?_count=2")`: the JSON that comes back."""
    made = [
        operation for room in (everything, meta, lastn, document, terminology) for operation in room.operations(fhir)
    ]
    found = Operations(made)

    def call(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
        request = make_request(method, url.removeprefix("http://test/fhir/"), body)
        operation = found.find(request.path)
        assert operation is not None and method in operation.methods
        return json.loads(asyncio.run(operation.handler(request)).body)

    return call
