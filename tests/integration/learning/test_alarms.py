"""Alarms of learning as Tasks: one for each cause, with reason and due date, over when the cause is gone."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.interactions.fhir import Fhir
from server.learning import watch
from server.learning.drift import Alarm, Look
from server.settings import Settings
from tests.conftest import make_request


class House:
    """A server whose looks at drift are told what they find."""

    def __init__(self, store: Any, data: Path) -> None:
        self.fhir = Fhir(store, Settings(data=data, open=True, learn_alarm_days=3))

    def look(self, *alarms: str, enough: bool = True) -> None:
        """A look that finds these of all that is watched to have moved."""
        found = [Alarm(of, 0.25, 0.001, of in alarms, 0.1, 0.35) for of in ("category", "calibration")]
        self.fhir.store.write_sync(lambda tx: watch.keep(self.fhir, tx, Look(60, 80, enough, found if enough else [])))

    def ask(self, method: str, url: str, body: Any = None) -> Any:
        """What a client is answered."""
        answer = self.fhir.handle_sync(make_request(method, url, body))
        assert answer.status in (200, 201, 204), answer.body
        return orjson.loads(answer.body) if answer.body else None

    def tasks(self, more: str = "") -> list[Any]:
        """The Tasks of alarms, as a client finds them."""
        return [one["resource"] for one in self.ask("GET", f"Task?code=learning-alarm{more}").get("entry", ())]


@pytest.fixture
def house(store: Any, tmp_path: Path) -> House:
    return House(store, tmp_path)


def test_an_alarm_is_one_open_task_until_its_cause_is_gone(house: House) -> None:
    """It says why and until when, for whom; further looks open no second one, and a calm one completes it."""
    house.look()
    assert house.tasks() == []
    house.look("category")
    house.look("category")
    [task] = house.tasks("&status=requested")
    assert task["meta"]["versionId"] == "1"
    assert task["reasonCode"]["text"] == "category: moved 0.2500, by chance 0.0010"
    due, begun = (datetime.fromisoformat(at) for at in (task["restriction"]["period"]["end"], task["authoredOn"]))
    assert due - begun == timedelta(days=3)
    assert task["performerType"][0]["coding"][0]["code"] == "auditor"
    house.ask("PUT", f"Task/{task['id']}", {**task, "status": "in-progress", "owner": {"display": "Ada"}})
    house.look("category", "calibration")
    assert {one["status"] for one in house.tasks()} == {"in-progress", "requested"}
    house.look(enough=False)
    assert len(house.tasks("&status=requested,in-progress")) == 2
    house.look("calibration")
    [done] = house.tasks("&status=completed")
    assert (done["id"], done["owner"]) == (task["id"], {"display": "Ada"})
    house.look("category", "calibration")
    assert len(house.tasks("&status=requested")) == len(house.tasks()) == 2


def test_what_a_person_ended_stays_so_while_the_alarm_lasts(house: House) -> None:
    """Nobody is asked twice about the same; when it comes back after it was gone, it is asked again."""
    house.look("category")
    [task] = house.tasks()
    house.ask("PUT", f"Task/{task['id']}", {**task, "status": "cancelled"})
    house.look("category")
    assert house.tasks()[0]["status"] == "cancelled"
    house.look()
    house.look("category")
    assert house.tasks()[0]["status"] == "requested"
    house.ask("DELETE", f"Task/{task['id']}")
    house.look("category")
    assert house.tasks() == []
