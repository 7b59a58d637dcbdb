"""`Patient/$match`: who is found, how sure, and what never happens (https://hl7.org/fhir/R4/patient-operation-match.html)."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.matching.names import is_nickname, sound
from server.matching.scoring import score
from server.operations import match
from tests.integration.operations.people import Person, hurried, person

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
Found = list[tuple[str, str, float]]


def _match(fhir: Fhir, one: Person, **more: Any) -> Found:
    """Id, grade and score of each match."""
    parameter = [{"name": "resource", "resource": one}]
    parameter += [
        {"name": name, "valueBoolean" if isinstance(value, bool) else "valueInteger": value}
        for name, value in more.items()
    ]
    body = json.dumps({"resourceType": "Parameters", "parameter": parameter}).encode()
    request = Request(caller=ANYBODY, method="POST", path=("Patient", "$match"), body=body, base_url="http://test/fhir")
    bundle = json.loads(asyncio.run(match.operations(fhir)[0].handler(request)).body)
    entries = bundle.get("entry", [])
    assert all(entry["search"]["extension"][0]["url"] == GRADE for entry in entries)
    return [(e["resource"]["id"], e["search"]["extension"][0]["valueCode"], e["search"]["score"]) for e in entries]


def _load(call: Callable[..., Any], people: list[Person]) -> None:
    entries = [{"resource": one, "request": {"method": "PUT", "url": f"Patient/{one['id']}"}} for one in people]
    for at in range(0, len(entries), 500):
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries[at : at + 500]}
        assert call("POST", "", bundle).status == 200


def test_people_in_a_hurry_are_found_and_strangers_are_not(fhir: Fhir, call: Callable[..., Any]) -> None:
    """Of people written down again with up to three errors nearly all are found; strangers nearly never."""
    dice = random.Random(7)
    people = [person(n, dice) for n in range(1000)]
    _load(call, people)
    right = wrong = missed = certain_and_wrong = 0
    for one in dice.sample(people, 150):
        for errors in (1, 2, 3):
            found = [hit for hit in _match(fhir, hurried(one, dice, errors)) if hit[1] in ("certain", "probable")]
            names = [name for name, _, _ in found]
            right += one["id"] in names
            missed += one["id"] not in names
            wrong += sum(name != one["id"] for name in names)
            certain_and_wrong += sum(name != one["id"] and grade == "certain" for name, grade, _ in found)
    strangers = [hurried(person(n, dice), dice, 0) for n in range(5000, 5100)]
    wrong += sum(hit[1] in ("certain", "probable") for one in strangers for hit in _match(fhir, one))
    recall, precision = right / (right + missed), right / (right + wrong)
    assert recall >= 0.93 and precision >= 0.985 and certain_and_wrong == 0, (recall, precision, certain_and_wrong)


def test_the_best_comes_first_and_count_limits(fhir: Fhir, call: Callable[..., Any]) -> None:
    """Sorted by score; twins with one birth date are told apart by their given names."""
    one = person(1, random.Random(1)) | {"name": [{"family": "Stone", "given": ["Ann"]}]}
    twin = one | {"id": "n2", "identifier": [], "name": [{"family": "Stone", "given": ["Beth"]}]}
    del twin["identifier"]
    _load(call, [one, twin])
    found = _match(fhir, hurried(one, random.Random(2), 0))
    assert found[0][0] == "n1" and found[0][1] == "certain"
    assert [score for *_, score in found] == sorted((score for *_, score in found), reverse=True)
    assert len(_match(fhir, hurried(one, random.Random(2), 0), count=1)) == 1


def test_only_certain_matches_means_one_or_none(fhir: Fhir, call: Callable[..., Any]) -> None:
    """Of two that are certain none is told: the caller must not take one by chance."""
    one = person(1, random.Random(1))
    double = one | {"id": "n2"}
    _load(call, [one])
    assert [name for name, *_ in _match(fhir, hurried(one, random.Random(2), 0), onlyCertainMatches=True)] == ["n1"]
    _load(call, [double])
    assert _match(fhir, hurried(one, random.Random(2), 0), onlyCertainMatches=True) == []


def test_nothing_is_written(fhir: Fhir, call: Callable[..., Any]) -> None:
    """Matching merges nothing and links nothing."""
    one = person(1, random.Random(1))
    _load(call, [one, one | {"id": "n2"}])
    _match(fhir, hurried(one, random.Random(2), 0))
    assert json.loads(call("GET", "_history?_count=10").body)["total"] == 2


@pytest.mark.parametrize("wrong", [{"resourceType": "Patient"}, {"resourceType": "Observation"}, {"gender": "x"}])
def test_what_cannot_be_matched_is_refused(fhir: Fhir, wrong: dict[str, Any]) -> None:
    """Nobody without anything to look for, and nothing that is no valid Patient."""
    with pytest.raises(FhirError):
        _match(fhir, wrong)


def test_what_speaks_against_is_heard() -> None:
    """Another birth date and given name outweigh the same address; another medical record number forbids certainty."""
    dice = random.Random(3)
    one = person(1, dice)
    child = one | {"name": [{"family": one["name"][0]["family"], "given": ["Zoe"]}], "birthDate": "2012-01-01"}
    assert score(one, child | {"identifier": []}).grade in ("possible", "certainly-not")
    other = one | {"identifier": [{"system": "urn:mrn", "value": "999999"}]}
    assert score(one, one).grade == "certain" and score(one, other).grade != "certain"


def test_names_sound_and_have_short_forms() -> None:
    """The Soundex codes of the National Archives' own examples, and nicknames either way."""
    examples = {"washington": "w252", "lee": "l000", "gutierrez": "g362", "pfister": "p236", "jackson": "j250",
                "tymczak": "t522", "ashcraft": "a261"}  # fmt: skip
    assert {name: sound(name) for name in examples} == examples
    assert is_nickname("bob", "robert") and is_nickname("peggy", "margaret") and not is_nickname("bob", "william")
