"""HL7's published R4 examples and Synthea's bundles, and copies of them with one random fault each."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles import json

SHARED = Path(__file__).parents[4] / "shared" / "conformance"

WRONG: tuple[Any, ...] = (
    *(None, "", " ", {}, [], 0, -1, True, "x", "a b ", "2024-02-30", "2024-01-01T00:00:00", 2**40, [None], [{}]),
    *({"id": "a"}, {"banana": 1}, {"reference": "Banana/1"}, {"reference": "#nothing"}, [[]], ["x"], {"value": "1"}),
    *("http://example.org/a b", "<div>x</div>", "a\x00", "é"),
)


def _read(folder: str) -> list[tuple[str, dict[str, Any]]]:
    if not SHARED.is_dir():
        pytest.skip("no shared conformance material beside the repository")
    return [(p.name, json.decode(p.read_bytes())) for p in sorted((SHARED / folder).glob("*.json"))]


@pytest.fixture(scope="session")
def examples() -> list[tuple[str, dict[str, Any]]]:
    """The official R4 examples, by file name."""
    return _read("r4-examples")


@pytest.fixture(scope="session")
def synthea() -> list[tuple[str, dict[str, Any]]]:
    """Synthea's transaction bundles, by file name."""
    return _read("synthea")


@pytest.fixture(scope="session")
def mutants(examples: list[tuple[str, dict[str, Any]]]) -> Callable[[int], Iterator[tuple[str, dict[str, Any]]]]:
    """Copies of the small examples, each changed in one random place; the seed fixes them."""
    small = [(name, r) for name, r in examples if len(json.encode(r)) < 20_000]

    def make(each: int) -> Iterator[tuple[str, dict[str, Any]]]:
        chance = random.Random(4)
        for name, resource in small:
            for _ in range(each):
                changed = copy.deepcopy(resource)
                _break(changed, chance)
                yield name, changed

    return make


def _break(resource: dict[str, Any], chance: random.Random) -> None:
    owner, key = chance.choice(list(_places(resource)))
    kind = chance.randrange(5)
    if kind == 0:
        del owner[key]
    elif kind == 1 and isinstance(owner, dict):
        owner[f"{key}x"] = owner.pop(key)
    elif kind == 2:
        owner[key] = [owner[key]]
    else:
        owner[key] = copy.deepcopy(chance.choice(WRONG))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(child, dict | list):
            yield from _places(child)
