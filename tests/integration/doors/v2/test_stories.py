"""Messages that follow each other: later and older ones, corrections, merges, documents that end coded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from server.interactions.exchange import Response
from server.interactions.fhir import Fhir
from server.jobs.intake import attach
from tests.integration.jobs.test_pipeline import House

from .samples import send

Call = Callable[..., Response]
PID = "PID|1||{id}^^^H^MR||{name}^Pat||19700101|F"


def message(event: str, control: str, at: str, *segments: str) -> bytes:
    """A message of a hospital."""
    return "\r".join([f"MSH|^~\\&|APP|H|FW|FW|{at}||{event}|{control}|P|2.5", *segments]).encode()


def ask(call: Call, url: str) -> list[dict[str, Any]]:
    """What a search finds."""
    return [one["resource"] for one in json.loads(call("GET", url).body).get("entry", [])]


def test_older_message_changes_nothing(fhir: Fhir, call: Call) -> None:
    """A message that comes late does not overwrite what is newer, and says so."""
    new = message("ADT^A08", "2", "20240202", PID.format(id="1", name="New"))
    old = message("ADT^A08", "1", "20240101", PID.format(id="1", name="Old"))
    assert send(fhir, new).state == "stored"
    late = send(fhir, old)
    assert (late.state, late.written) == ("stored", ())
    assert "later is stored" in late.text
    [patient] = ask(call, "Patient?identifier=1")
    assert (patient["name"][0]["family"], patient["meta"]["versionId"]) == ("New", "1")


def test_known_patient_keeps_its_id(fhir: Fhir, call: Call) -> None:
    """A patient that a client made is found by the identifier; what the message does not say stays."""
    known = {
        "resourceType": "Patient",
        "id": "mine",
        "identifier": [{"system": "urn:id:H", "value": "7"}],
        "photo": [{"title": "x"}],
    }
    call("PUT", "Patient/mine", known)
    stay = "PV1|1|I|W^1||||||||||||||||V7^^^H"
    send(fhir, message("ADT^A01", "3", "20240101", PID.format(id="7", name="Seven"), stay))
    [patient] = ask(call, "Patient?identifier=7")
    assert (patient["id"], patient["name"][0]["family"], patient["photo"]) == ("mine", "Seven", [{"title": "x"}])
    [encounter] = ask(call, "Encounter?subject=Patient/mine")
    done = "PV1|1|I|||||||||||||||||V7^^^H||||||||||||||||||||||||||20240105"
    send(fhir, message("ADT^A03", "4", "20240105", PID.format(id="7", name="Seven"), done))
    [after] = ask(call, "Encounter?subject=Patient/mine")
    assert (after["id"], after["status"], after["location"]) == (encounter["id"], "finished", encounter["location"])
    send(fhir, message("ADT^A13", "5", "20240106", PID.format(id="7", name="Seven"), stay))
    [again] = ask(call, "Encounter?subject=Patient/mine")
    assert (again["status"], again.get("period", {}).get("end")) == ("in-progress", None)


def test_two_of_a_number(fhir: Fhir, call: Call) -> None:
    """A patient whose number two Patients have is nobody's: the message lies in quarantine until that is settled."""
    for id in ("one", "two"):
        body = {"resourceType": "Patient", "id": id, "identifier": [{"system": "urn:id:H", "value": "2"}]}
        call("PUT", f"Patient/{id}", body)
    content = message("ADT^A08", "2", "20240101", PID.format(id="2", name="Two"))
    assert (send(fhir, content).reason, ask(call, "Patient?family=Two")) == ("several", [])


def test_null_removes(fhir: Fhir, call: Call) -> None:
    """A field of two quotes removes what is stored, an empty one does not."""
    send(fhir, message("ADT^A08", "6", "20240101", f"{PID.format(id='8', name='N')}||||||||M"))
    send(fhir, message("ADT^A08", "7", "20240102", PID.format(id="8", name="N")))
    assert ask(call, "Patient?identifier=8")[0]["maritalStatus"]["coding"][0]["code"] == "M"
    send(fhir, message("ADT^A08", "8", "20240103", f'{PID.format(id="8", name="N")}||||||||""'))
    assert "maritalStatus" not in ask(call, "Patient?identifier=8")[0]


def test_merge(fhir: Fhir, call: Call) -> None:
    """After a merge the old patient points to the one that stays, which later messages about the old one are about."""
    send(fhir, message("ADT^A28", "9", "20240101", PID.format(id="OLD", name="Twice")))
    send(fhir, message("ADT^A40", "10", "20240102", PID.format(id="KEEP", name="Once"), "MRG|OLD^^^H^MR"))
    [old], [kept] = ask(call, "Patient?identifier=OLD"), ask(call, "Patient?identifier=KEEP")
    assert old["active"] is False
    assert old["link"] == [{"other": {"reference": f"Patient/{kept['id']}"}, "type": "replaced-by"}]
    assert kept["link"][0]["type"] == "replaces"
    stay = "PV1|1|I|||||||||||||||||V9^^^H"
    send(fhir, message("ADT^A01", "11", "20240103", PID.format(id="OLD", name="Twice"), stay))
    assert len(ask(call, f"Encounter?subject=Patient/{kept['id']}")) == 1
    assert ask(call, "Patient?identifier=OLD")[0]["active"] is False


def test_correction(fhir: Fhir, call: Call) -> None:
    """A corrected result is the same Observation in a new version."""
    head = "OBR|1||F1^LAB|2345-7^Glucose^LN|||20240401||||||||||||||||||{}"
    value = "OBX|1|NM|2345-7^Glucose^LN||{}|mg/dL|||||{}"
    for control, number, status in (("12", "90", "F"), ("13", "99", "C")):
        lines = head.format(status), value.format(number, status)
        send(fhir, message("ORU^R01", control, f"202404{control}", PID.format(id="9", name="Lab"), *lines))
    [observation] = ask(call, "Observation")
    assert (observation["valueQuantity"]["value"], observation["status"]) == (99, "corrected")
    assert observation["meta"]["versionId"] == "2"
    [report] = ask(call, "DiagnosticReport")
    assert report["result"] == [{"reference": f"Observation/{observation['id']}"}]


@pytest.mark.parametrize(
    ("event", "parent", "code", "status"),
    [("MDM^T06", "D1^H", "appends", "current"), ("MDM^T10", "D1^H", "replaces", "superseded")],
)
def test_documents(fhir: Fhir, call: Call, event: str, parent: str, code: str, status: str) -> None:
    """A document queues its coding like any that is posted; an addendum and a replacement say whose they are."""
    attach(fhir, fhir.settings)
    person = PID.format(id="5", name="Doc")
    text = "OBX|1|TX|HP||Essential hypertension.||||||F"
    send(fhir, message("MDM^T02", "20", "20240101", person, "TXA|1|HP|TX|20240101||||||||D1^H|||||AU", text))
    assert [task["status"] for task in ask(call, "Task")] == ["requested"]
    send(fhir, message(event, "21", "20240102", person, f"TXA|1|HP|TX|20240102||||||||D2^H|{parent}||||AU", text))
    [first], [second] = ask(call, "DocumentReference?identifier=D1"), ask(call, "DocumentReference?identifier=D2")
    assert first["status"] == status
    assert second["relatesTo"] == [{"code": code, "target": {"reference": f"DocumentReference/{first['id']}"}}]
    send(fhir, message("MDM^T11", "22", "20240103", person, "TXA|1|HP|TX|20240102||||||||D2^H"))
    assert ask(call, "DocumentReference?identifier=D2")[0]["status"] == "entered-in-error"


def test_document_ends_coded(fhir: Fhir, call: Call) -> None:
    """A document of an MDM goes the way of any that is posted: its job runs and its codes are stored."""
    house = House(fhir, fhir.settings)
    lines = ("OBX|1|TX|HP||Essential hypertension.||||||F", "OBX|2|TX|HP||Type 2 diabetes mellitus.||||||F")
    head = "TXA|1|HP|TX|20240101||||||||D1^H|||||AU"
    found = send(fhir, message("MDM^T02", "30", "20240101", PID.format(id="6", name="Doc"), head, *lines))
    [document] = [one.partition("/")[2] for one in found.written if one.startswith("DocumentReference/")]
    house.work(document)
    assert house.task(document)["status"] == "completed"
    assert len(ask(call, "Condition")) == 2
