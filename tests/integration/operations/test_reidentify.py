"""`$deidentify` with `keep` and `stable`, and `$reidentify`: who may undo it, and with whose map."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fhir_profiles.errors import FhirError
from server.access.caller import ANYBODY, Caller
from server.interactions.fhir import Fhir
from server.operations import deidentify
from server.operations.registry import Operations
from server.settings import Settings
from tests.conftest import make_request

PATIENT = {"resourceType": "Patient", "id": "pat-1", "birthDate": "1971-08-19", "name": [{"family": "Brandvold"}]}
CLINICIAN = Caller(who="c")
ADMIN = Caller(who="a", admin=True)
Ask = Callable[..., Any]


@pytest.fixture
def houses(fhir: Fhir, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Ask]:
    """`houses(name)`: a way to ask the operations of a server whose data directory has that name."""
    vocabulary = deidentify.vocabulary_of(built)
    monkeypatch.setattr(deidentify, "vocabulary_of", lambda _: vocabulary)

    def house(name: str) -> Ask:
        operations = Operations(deidentify.operations(fhir, Settings(data=tmp_path / name, open=True)))

        def ask(path: str, body: dict[str, Any], caller: Caller = ANYBODY) -> Any:
            request = msgspec.structs.replace(make_request("POST", path, body), caller=caller)
            operation = operations.find(request.path)
            assert operation is not None
            operation.admit(caller)
            return json.loads(asyncio.run(operation.handler(request)).body)

        return ask

    return house


def _sent(**given: Any) -> dict[str, Any]:
    parts = [{"name": name, key: value} for name, (key, value) in given.items()]
    return {"resourceType": "Parameters", "parameter": parts}


def _kept(ask: Ask) -> tuple[dict[str, Any], str]:
    sent = _sent(resource=("resource", PATIENT), keep=("valueBoolean", True))
    made, kept = ask("$deidentify", sent, CLINICIAN)["parameter"]
    return made["resource"], kept["valueBase64Binary"]


def test_who_looks_after_the_server_undoes_it(houses: Callable[[str], Ask]) -> None:
    """The map comes sealed with the answer; with it the resource, and a text about it, are in clear again."""
    ask = houses("here")
    made, sealed = _kept(ask)
    family = made["name"][0]["family"]
    assert family != "Brandvold" and b"Brandvold" not in base64.b64decode(sealed)
    back = ask("$reidentify", _sent(resource=("resource", made), map=("valueBase64Binary", sealed)), ADMIN)
    assert {key: back[key] for key in PATIENT} == PATIENT
    text = _sent(text=("valueString", f"Seen: Ms. {family}."), map=("valueBase64Binary", sealed))
    assert ask("$reidentify", text, ADMIN)["parameter"][0]["valueString"] == "Seen: Ms. Brandvold."


def test_nobody_else_does(houses: Callable[[str], Ask]) -> None:
    """403 for other roles, also for whoever had the map made."""
    ask = houses("here")
    made, sealed = _kept(ask)
    with pytest.raises(FhirError, match="those who look after this server"):
        ask("$reidentify", _sent(resource=("resource", made), map=("valueBase64Binary", sealed)), CLINICIAN)


@pytest.mark.parametrize("change", ["another's", "edited", "none"])
def test_only_a_map_of_this_server_opens(houses: Callable[[str], Ask], change: str) -> None:
    """A map of another tenant, a changed one, or none at all is refused without a word of it."""
    ask = houses("here")
    made, sealed = _kept(houses("there") if change == "another's" else ask)
    edited = bytearray(base64.b64decode(sealed))
    edited[-1] ^= 1
    given = {"another's": sealed, "edited": base64.b64encode(edited).decode(), "none": ""}[change]
    with pytest.raises(FhirError, match="none that this server sealed"):
        ask("$reidentify", _sent(resource=("resource", made), map=("valueBase64Binary", given)), ADMIN)


def test_stand_ins_stay_the_same_when_that_is_asked_for(houses: Callable[[str], Ask]) -> None:
    """By `stable` two answers agree, after a restart too; another tenant's differ; without it no two agree."""
    sent = _sent(resource=("resource", PATIENT), stable=("valueBoolean", True))
    first, again = (houses("here")("$deidentify", sent, ADMIN) for _ in range(2))
    assert first == again != houses("there")("$deidentify", sent, ADMIN)
    assert houses("here")("$deidentify", PATIENT)["id"] != first["id"]


def test_not_everybody_may_ask_for_the_same_stand_ins(houses: Callable[[str], Ask]) -> None:
    """Whoever could try names until a known stand-in comes out would undo it without the map."""
    with pytest.raises(FhirError, match="always the same"):
        houses("here")("$deidentify", _sent(resource=("resource", PATIENT), stable=("valueBoolean", True)), CLINICIAN)
