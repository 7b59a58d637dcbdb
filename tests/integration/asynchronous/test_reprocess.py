"""`Claim/$reprocess`: stored claims by the rules and tables of today, and what that changes."""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import pytest

from campaigns.claiming.making import claim
from campaigns.claiming.tables import made_tables
from claims.answer.scrub import Scrub
from claims.rules.rule import own_rules
from claims.tables.own import own_tables
from server.jobs.claiming import reprocess

Json = dict[str, Any]
COUNT = 7


def made(number: int) -> Json:
    """A sound claim that can be stored; every third charges less than nothing."""
    found = claim(random.Random(number), number)
    for item in found["item"]:
        item["quantity"]["system"] = "urn:units"
    if number % 3 == 0:
        found["item"][0]["net"]["value"] = -5
    return found


@cache
def of_yesterday() -> Scrub:
    """A rule less, and no fee schedule."""
    return Scrub.over(own_tables(), [rule for rule in own_rules() if rule.id != "CHG-002"])


@cache
def of_today() -> Scrub:
    """Every rule, over tables that are made."""
    return Scrub.over(made_tables())


class Rules:
    """The rules and tables of the house, which tests change."""

    def __init__(self, house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = house.parts.operations.find(("Claim", "$submit")).handler.desk
        self.patch = monkeypatch
        self.yesterday, self.today = of_yesterday(), of_today()

    def use(self, scrub: Scrub) -> None:
        self.patch.setattr(self.desk, "scrub", lambda: scrub)


@pytest.fixture
async def rules(house: Any, monkeypatch: pytest.MonkeyPatch) -> Rules:
    """Claims that were answered yesterday, without a rule and without a fee schedule; today both are there."""
    found = Rules(house, monkeypatch)
    found.use(found.yesterday)
    for number in range(COUNT):
        one = made(number)
        assert (await house.client.put(f"Claim/{one['id']}", json=one)).status_code == 201
        assert (await house.client.post("Claim/$submit", json=one)).status_code == 200
    found.use(found.today)
    monkeypatch.setattr(reprocess, "PAGE", 2)
    return found


async def kick_off(house: Any, query: str = "") -> str:
    answer = await house.client.post(f"Claim/$reprocess{query}")
    assert answer.status_code == 202, answer.text
    return str(answer.headers["content-location"])


async def result(house: Any, status: str) -> Json:
    """The parameters of the result by name; rules by id."""
    await house.work()
    answer = await house.client.get(status)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/fhir+json")
    return named(answer.json())


def named(parameters: Json) -> Json:
    found: Json = {"rules": {}}
    for one in parameters["parameter"]:
        if one["name"] == "rule":
            part = {p["name"]: p.get("valueCode", p.get("valueInteger")) for p in one["part"]}
            found["rules"][part["id"]] = (part["gained"], part["lost"])
        else:
            found[one["name"]] = one.get("part") or next(v for k, v in one.items() if k.startswith("value"))
    return found


async def lines(house: Any, status: str) -> list[Json]:
    found = named((await house.client.get(status)).json())
    url = next(part["valueUrl"] for part in found["output"] if part["name"] == "url")
    return [named(json.loads(line)) for line in (await house.client.get(url)).text.splitlines()]


async def stored(house: Any) -> int:
    return int((await house.client.get("ClaimResponse?_summary=count")).json()["total"])


async def test_the_difference_is_told_in_findings_and_dollars(house: Any, rules: Rules) -> None:
    """New answers beside the old; findings by rule, claims, prices, and each claim that changed; Tasks follow."""
    status = await kick_off(house)
    found = await result(house, status)
    assert (found["claims"], found["answered"], found["changed"], found["first"]) == (COUNT, COUNT, COUNT, 0)
    assert found["rules"]["CHG-002"] == (3, 0)
    assert found["cleanBefore"] >= found["cleanAfter"]
    assert found["expectedBefore"]["value"] == 0
    assert found["expectedAfter"]["value"] > COUNT * 3 * 80
    assert await stored(house) == 2 * COUNT
    told = await lines(house, status)
    assert len(told) == COUNT and sum("CHG-002" in one["rules"] for one in told) == 3
    one = next(one for one in told if one["claim"]["reference"] == "Claim/c3")
    for side in ("before", "after"):
        answer = (await house.client.get(one[side]["reference"])).json()
        assert answer["request"]["reference"] == "Claim/c3"
    task = (await house.client.get("Task?focus=Claim/c3")).json()["entry"][0]["resource"]
    assert task["status"] == "requested"
    assert {"reference": one["after"]["reference"]} in [o["valueReference"] for o in task["output"]]


async def test_it_answers_as_submit_does_and_only_once(house: Any, rules: Rules) -> None:
    """The new answer is the one that $submit gives; a second run finds nothing to change."""
    status = await kick_off(house)
    await result(house, status)
    before = await stored(house)
    again = (await house.client.post("Claim/$submit", json=made(1))).json()
    told = {one["after"]["reference"] for one in await lines(house, status)}
    assert f"ClaimResponse/{again['id']}" in told
    found = await result(house, await kick_off(house))
    assert (found["claims"], found["answered"], found["changed"]) == (COUNT, 0, 0) and "output" not in found
    assert await stored(house) == before


async def test_a_dry_run_tells_the_same_and_stores_nothing(house: Any, rules: Rules) -> None:
    """With `dryRun` the differences are told, and no answer and no Task is written."""
    tasks = (await house.client.get("Task?_summary=count")).json()["total"]
    dry = await result(house, await kick_off(house, "?dryRun=true"))
    assert await stored(house) == COUNT
    assert (await house.client.get("Task?_summary=count")).json()["total"] == tasks
    wet = await result(house, await kick_off(house))
    for name in ("moment", "dryRun", "output"):
        dry.pop(name), wet.pop(name)
    assert dry == wet


class Killed(Exception):
    """What a worker that dies looks like."""


async def test_a_killed_job_comes_to_the_same(house: Any, rules: Rules) -> None:
    """Killed before every other step, the job tells and stores what it would have without."""
    dry = await kick_off(house, "?dryRun=true")
    calm = await result(house, dry)
    expected = await lines(house, dry)
    status = await kick_off(house)
    [(job, _)] = house.queued()
    steps, deaths = house.steps(), 0

    def kill(_: str) -> None:
        nonlocal deaths
        deaths += 1
        if deaths % 2:
            raise Killed

    steps.before = kill
    while True:
        try:
            await house.store.run(house.run, job, steps)
            break
        except Killed:
            continue
    assert deaths > 8
    found = named((await house.client.get(status)).json())
    for name in ("moment", "dryRun", "output"):
        calm.pop(name), found.pop(name)
    assert found == calm and await lines(house, status) == expected
    assert await stored(house) == 2 * COUNT


CHOSEN = {
    "?claim=Claim/c1,c2": {"c1", "c2"},
    "?rule=CHG-002": set(),
    "?rule=PRC-001": {f"c{n}" for n in range(COUNT)},
    "?release=rvu": {f"c{n}" for n in range(COUNT)},
    "?release=rvu|2026": set(),
    "?outcome=none": set(),
    "?payer=12345": {f"c{n}" for n in range(COUNT)},
    "?payer=99999": set(),
    "?payer=Organization/x": set(),
    "?status=cancelled": set(),
    "?date=lt2020-01-01": set(),
    "?date=ge2020-01-01&claim=c1": {"c1"},
    "?state=clean": set(),
}


async def test_claims_are_chosen(house: Any, rules: Rules) -> None:
    """By rule (found or not run), release of a table, payer, status, state of the Task, outcome, date and name."""
    for query, expected in CHOSEN.items():
        status = await kick_off(house, query + "&dryRun=true")
        assert (await result(house, status))["claims"] == len(expected), query
        told = await lines(house, status) if expected else []
        assert {one["claim"]["reference"] for one in told} == {f"Claim/{n}" for n in expected}, query


async def test_rules_that_change_meanwhile_end_it(house: Any, rules: Rules) -> None:
    """Every page rests on the same rules and tables; what was answered stays, and the status says what happened."""
    status = await kick_off(house)
    [(job, _)] = house.queued()
    steps = house.steps()
    steps.before = lambda name: rules.use(rules.yesterday) if name == "page-1" else None
    assert await house.store.run(house.run, job, steps) == "failed"
    assert (await house.client.get(status)).status_code == 409
    assert await stored(house) == COUNT + 2


async def test_it_can_be_followed_and_cancelled(house: Any, rules: Rules) -> None:
    """Progress counts claims; DELETE ends it before its next page."""
    status = await kick_off(house)
    [(job, _)] = house.queued()
    steps = house.steps()

    def kill(name: str) -> None:
        if name == "page-2":
            raise Killed

    steps.before = kill
    with pytest.raises(Killed):
        await house.store.run(house.run, job, steps)
    assert (await house.client.get(status)).headers["x-progress"] == f"4 of {COUNT} (57 %)"
    assert (await house.client.delete(status)).status_code == 202
    assert (await house.client.get(status)).status_code == 404
    assert await stored(house) == COUNT + 4


@pytest.mark.parametrize(
    "query", ["?outcome=maybe", "?what=x", "?dryRun=perhaps", "?payer=Organization/x,12", "?date=soon"]
)
async def test_what_is_not_understood_is_refused_at_once(house: Any, query: str) -> None:
    """400, and no job."""
    assert (await house.client.post(f"Claim/$reprocess{query}")).status_code == 400
    assert house.queued() == []
