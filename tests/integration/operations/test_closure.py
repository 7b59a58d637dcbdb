"""Closure tables stay, and tell what is new (https://hl7.org/fhir/R4/conceptmap-operation-closure.html)."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import Category, FhirError
from server.interactions.fhir import Fhir
from server.operations import closure
from server.settings import Settings
from server.store import Store
from terminology.operations.closure import MOST_AT_ONCE
from tests.conftest import make_request

Json = dict[str, Any]
Pairs = set[tuple[str, str]]
TREE = "http://example.org/tree"


def concept(code: str, *below: Json) -> Json:
    """A concept with those below it."""
    return {"code": code, **({"concept": list(below)} if below else {})}


SYSTEM: Json = {
    "resourceType": "CodeSystem", "id": "tree", "url": TREE, "version": "1", "status": "active", "content": "complete",
    "caseSensitive": True,
    "concept": [
        concept("a", concept("a1", concept("a11"), concept("a12")), concept("a2")),
        concept("b", concept("b1")),
    ],
}  # fmt: skip


def coding(code: str, system: str = TREE) -> Json:
    """A concept to add."""
    return {"name": "concept", "valueCoding": {"system": system, "code": code}}


class Client:
    """Calls `$closure` as the server would."""

    def __init__(self, fhir: Fhir) -> None:
        self._on_system, self._on_type = closure.operations(fhir)

    def ask(self, *parameters: Json, name: str = "mine", path: str = "$closure") -> Json:
        """The ConceptMap of a call."""
        body = {"resourceType": "Parameters", "parameter": [{"name": "name", "valueString": name}, *parameters]}
        operation = self._on_type if "/" in path else self._on_system
        answer: Json = json.loads(asyncio.run(operation.handler(make_request("POST", path, body))).body)
        return answer

    def pairs(self, *parameters: Json, name: str = "mine") -> Pairs:
        """What a call tells: code, code above it."""
        return told(self.ask(*parameters, name=name))


def told(concept_map: Json) -> Pairs:
    """The pairs of a ConceptMap."""
    assert concept_map["resourceType"] == "ConceptMap"
    found = set()
    for group in concept_map.get("group", ()):
        assert group["source"] == group["target"]
        for element in group["element"]:
            for target in element["target"]:
                assert target["equivalence"] == "subsumes"
                found.add((element["code"], target["code"]))
    return found


@pytest.fixture
def client(fhir: Fhir, call: Callable[..., Any]) -> Client:
    """A client of a server that holds a code system."""
    assert call("PUT", "CodeSystem/tree", SYSTEM).status == 201
    return Client(fhir)


def since(version: int) -> Json:
    """What a client has."""
    return {"name": "version", "valueString": str(version)}


def test_a_table_grows(client: Client) -> None:
    """Each call tells the pairs that are new with its concepts, in both directions, and the version rises."""
    begun = client.ask()
    assert begun["version"] == "0"
    assert told(begun) == set()
    assert client.pairs(coding("a11")) == set()
    assert client.pairs(coding("a"), coding("b")) == {("a11", "a")}
    grown = client.ask(coding("a1"), coding("a12"))
    assert told(grown) == {("a11", "a1"), ("a1", "a"), ("a12", "a1"), ("a12", "a")}
    assert grown["version"] == "3"


def test_what_is_known_is_not_told_again(client: Client) -> None:
    """The same concept once more changes nothing, not even the version."""
    client.ask()
    client.ask(coding("a"), coding("a1"))
    again = client.ask(coding("a1"))
    assert told(again) == set()
    assert again["version"] == "1"
    assert client.pairs(coding("a"), coding("a11")) == {("a11", "a1"), ("a11", "a")}


def test_what_was_missed_is_told_again(client: Client) -> None:
    """Since version 0 that is everything, since the last nothing."""
    client.ask()
    steps = [client.pairs(*map(coding, codes)) for codes in (("a", "a1"), ("a11",), ("b", "b1"))]
    for version in range(4):
        assert client.pairs(since(version)) == set().union(*steps[version:])
    with pytest.raises(FhirError, match="no such version"):
        client.ask(since(4))


def test_a_table_begins_anew(client: Client) -> None:
    """The name alone forgets what was there."""
    client.ask()
    client.ask(coding("a"), coding("a1"))
    client.ask()
    assert client.pairs(since(0)) == set()
    assert client.pairs(coding("a11"), coding("a")) == {("a11", "a")}


def test_names_are_apart(client: Client) -> None:
    """Two tables know nothing of each other; one that was not begun is not there."""
    client.ask(name="one")
    client.ask(name="two")
    client.ask(coding("a"), name="one")
    assert client.pairs(coding("a1"), name="two") == set()
    for parameters in ((coding("a"),), (since(0),)):
        with pytest.raises(FhirError) as error:
            client.ask(*parameters, name="three")
        assert error.value.category is Category.NOT_FOUND


def test_a_restart_keeps_tables(store: Store, settings: Settings, client: Client) -> None:
    """What was told stays known to the next server on the same database."""
    client.ask()
    client.ask(coding("a"))
    assert Client(Fhir(store, settings)).pairs(coding("a1")) == {("a1", "a")}


def test_unknown_concepts_add_nothing(client: Client) -> None:
    """A code or a system that is not known is refused, and so are the concepts beside it."""
    client.ask()
    for wrong in (coding("zz"), coding("a", "http://example.org/none")):
        with pytest.raises(FhirError) as error:
            client.ask(coding("a"), wrong)
        assert error.value.category is Category.NOT_FOUND
    assert client.ask(since(0))["version"] == "0"


def test_a_call_must_be_clear(client: Client) -> None:
    """Concepts and version together, too many concepts, no name, a name that is too long."""
    client.ask()
    for parameters, name in (
        ((coding("a"), since(0)), "mine"),
        ([coding("a")] * (MOST_AT_ONCE - 1) + [coding("b")] * 2, "mine"),
        ((), ""),
        ((), "x" * 201),
        (({"name": "concept", "valueCoding": {"code": "a"}},), "mine"),
        (({"name": "other", "valueString": "a"},), "mine"),
    ):
        with pytest.raises(FhirError):
            client.ask(*parameters, name=name)


def test_it_is_there_on_concept_maps_too(client: Client) -> None:
    """`ConceptMap/$closure` is the same."""
    client.ask(path="ConceptMap/$closure")
    assert told(client.ask(coding("a"), coding("a2"), path="ConceptMap/$closure")) == {("a2", "a")}


def test_any_order_tells_the_same(client: Client) -> None:
    """However the concepts come, together they are the whole closure."""
    codes = ["a", "a1", "a11", "a12", "a2", "b", "b1"]
    whole = {(x, y) for x, y in itertools.permutations(codes, 2) if x.startswith(y)}
    chance = random.Random(4)
    for turn in range(4):
        name = f"turn {turn}"
        chance.shuffle(codes)
        client.ask(name=name)
        found = [client.pairs(*map(coding, codes[n : n + 2]), name=name) for n in range(0, len(codes), 2)]
        assert set().union(*found) == whole
        assert sum(map(len, found)) == len(whole)


def test_loaded_systems_are_asked_by_their_order(furnish: Callable[..., Any], store: Store, settings: Settings) -> None:
    """ICD-10-CM, as it is loaded."""
    furnish(settings.data)
    client = Client(Fhir(store, settings))
    icd = "http://hl7.org/fhir/sid/icd-10-cm"
    client.ask()
    client.ask(coding("E11.65", icd), coding("I10", icd))
    assert client.pairs(coding("E11", icd), coding("E11.6", icd)) == {
        ("E11.65", "E11.6"),
        ("E11.65", "E11"),
        ("E11.6", "E11"),
    }
