"""Random searches give what a plain evaluation of every resource gives, page by page, on both engines."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.dates import OPEN_HIGH, OPEN_LOW, interval
from fhir_profiles.extract import index, normalise
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir

Resource = dict[str, Any]
BASE = "http://test/fhir"
CODES = ["a", "b", "c"]
SYSTEMS = ["urn:s", "urn:t", None]
NAMES = ["Smith", "Smythe", "Müller", "mull", "O'Hara, x"]
DATES = ["2019", "2019-05", "2020-01-15", "2020-01-15T10:00:00Z", "2020-02", "2021-12-31T23:59:59+01:00"]
QUERIES = 400


def _coding(dice: random.Random) -> dict[str, str]:
    system = dice.choice(SYSTEMS)
    return {"code": dice.choice(CODES), **({"system": system} if system else {})}


def _patient(n: int, dice: random.Random) -> Resource:
    patient: Resource = {"resourceType": "Patient", "id": f"p{n}", "active": dice.random() < 0.5}
    if dice.random() < 0.9:
        patient["name"] = [{"family": dice.choice(NAMES)} for _ in range(dice.randint(1, 2))]
    if dice.random() < 0.8:
        patient["birthDate"] = dice.choice(["1970-01-01", "1980", "1990-06"])
    return patient


def _observation(n: int, dice: random.Random) -> Resource:
    observation: Resource = {
        "resourceType": "Observation",
        "id": f"o{n}",
        "status": dice.choice(["final", "amended"]),
        "code": {"coding": [_coding(dice) for _ in range(dice.randint(1, 2))]},
    }
    if categories := dice.randint(0, 2):
        observation["category"] = [{"coding": [_coding(dice)]} for _ in range(categories)]
    if dice.random() < 0.9:
        observation["subject"] = {"reference": f"Patient/p{dice.randint(0, 5)}"}
    if dice.random() < 0.4:
        observation["performer"] = [{"reference": f"Patient/p{dice.randint(0, 5)}"}]
    shape = dice.random()
    if shape < 0.6:
        observation["effectiveDateTime"] = dice.choice(DATES)
    elif shape < 0.9:
        start, end = dice.choice(["2019-01-01", None]), dice.choice(["2020-01-20", None])
        observation["effectivePeriod"] = {k: v for k, v in (("start", start), ("end", end)) if v} or {"start": "2020"}
    if dice.random() < 0.7:
        observation["valueQuantity"] = {"value": dice.choice([5, 5.4, 6, 100]), "unit": dice.choice(["kg", "g"])}
    return observation


Test = Callable[[Resource], bool]


def _token(code: str, dice: random.Random) -> tuple[str, str, Test]:
    system, value = dice.choice([*SYSTEMS, "any"]), dice.choice(CODES)
    text = value if system == "any" else f"{system or ''}|{value}"
    modifier = dice.choice(["", "", ":not"])

    def holds(resource: Resource) -> bool:
        rows = index(resource).tokens
        found = any(c == code and v == value and (system == "any" or s == system) for c, s, v in rows)
        return found != (modifier == ":not")

    return code + modifier, text, holds


def _tokens(code: str, dice: random.Random) -> tuple[str, str, Test]:
    first, second = _token(code, dice), _token(code, dice)
    while ":not" in first[0] + second[0]:
        first, second = _token(code, dice), _token(code, dice)
    return code, f"{first[1]},{second[1]}", lambda resource: first[2](resource) or second[2](resource)


def _date(code: str, dice: random.Random) -> tuple[str, str, Test]:
    prefix, value = dice.choice(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]), dice.choice(DATES)
    low, high = interval(value)
    tests: dict[str, Callable[[int, int], bool]] = {
        "eq": lambda lo, hi: low <= lo and hi <= high,
        "ne": lambda lo, hi: not (low <= lo and hi <= high),
        "gt": lambda lo, hi: hi > high,
        "lt": lambda lo, hi: lo < low,
        "ge": lambda lo, hi: hi > high or (low <= lo and hi <= high),
        "le": lambda lo, hi: lo < low or (low <= lo and hi <= high),
        "sa": lambda lo, hi: lo >= high,
        "eb": lambda lo, hi: hi <= low,
    }
    test = tests[prefix or "eq"]
    return code, prefix + value, lambda r: any(c == code and test(lo, hi) for c, lo, hi in index(r).dates)


def _subject(code: str, dice: random.Random) -> tuple[str, str, Test]:
    name = f"p{dice.randint(0, 6)}"
    written = f"Patient/{name}" if code == "performer" else dice.choice([f"Patient/{name}", f"{BASE}/Patient/{name}"])
    return code, written, lambda r: (code, "Patient", name, None) in index(r).references


def _missing(code: str, dice: random.Random) -> tuple[str, str, Test]:
    wanted = dice.random() < 0.5
    kinds = ("tokens", "strings", "dates", "references", "quantities")
    return (
        f"{code}:missing",
        str(wanted).lower(),
        lambda r: wanted != any(row[0] == code for kind in kinds for row in getattr(index(r), kind)),
    )


def _quantity(code: str, dice: random.Random) -> tuple[str, str, Test]:
    prefix, value, unit = (
        dice.choice(["", "gt", "le", "ne"]),
        dice.choice(["5", "5.4", "6.0"]),
        dice.choice(["", "||kg"]),
    )
    half = 0.5 if "." not in value else 0.05
    tests: dict[str, Callable[[float], bool]] = {
        "": lambda v: float(value) - half <= v < float(value) + half,
        "ne": lambda v: not float(value) - half <= v < float(value) + half,
        "gt": lambda v: v > float(value),
        "le": lambda v: v <= float(value),
    }
    return (
        code,
        f"{prefix}{value}{unit}",
        lambda r: any(
            row[0] == code and tests[prefix](row[1]) and (not unit or row[6] == "kg") for row in index(r).quantities
        ),
    )


def _family(code: str, dice: random.Random) -> tuple[str, str, Test]:
    modifier, value = (
        dice.choice(["", ":exact", ":contains"]),
        dice.choice(["Sm", "Smith", "mul", "M", "o'hara, x", "l"]),
    )

    def holds(resource: Resource) -> bool:
        for c, plain, exact in index(resource).strings:
            if c == code and (
                exact == value
                if modifier == ":exact"
                else normalise(value) in plain
                if modifier
                else plain.startswith(normalise(value))
            ):
                return True
        return False

    return code + modifier, value.replace(",", "\\,"), holds


def _chained(world: dict[str, Resource], dice: random.Random) -> tuple[str, str, Test]:
    name, value, holds = _family("family", dice)

    def chained(resource: Resource) -> bool:
        ids = [row[2] for row in index(resource).references if row[0] == "subject"]
        return any(f"Patient/{i}" in world and holds(world[f"Patient/{i}"]) for i in ids)

    return f"subject:Patient.{name}", value, chained


def _has(world: dict[str, Resource], dice: random.Random) -> tuple[str, str, Test]:
    name, value, holds = _token("code", dice)

    def referred(resource: Resource) -> bool:
        reference = ("subject", "Patient", resource["id"], None)
        return any(
            reference in index(other).references and holds(other)
            for other in world.values()
            if other["resourceType"] == "Observation"
        )

    return f"_has:Observation:subject:{name}", value, referred


OBSERVATION = [
    lambda d: _token("code", d), lambda d: _token("category", d), lambda d: _tokens("code", d),
    lambda d: _tokens("category", d), lambda d: _date("date", d), lambda d: _date("date", d),
    lambda d: _subject("subject", d), lambda d: _subject("patient", d), lambda d: _subject("performer", d),
    lambda d: _missing("date", d), lambda d: _missing("subject", d), lambda d: _quantity("value-quantity", d),
]  # fmt: skip
PATIENT = [lambda d: _family("family", d), lambda d: _missing("family", d), lambda d: _date("birthdate", d)]
SORTS = {
    "Observation": [
        "",
        "date",
        "-date",
        "_id",
        "-_id",
        "-_lastUpdated",
        "code,-date",
        "-subject,_id",
        "value-quantity",
    ],
    "Patient": ["", "family", "-birthdate", "birthdate,-family", "_lastUpdated"],
}


def _start(code: str, nothing: int) -> Callable[[Resource], int]:
    """When a date of a resource begins; a resource without one comes last."""
    return lambda r: next((low for c, low, _ in index(r).dates if c == code), nothing)


ORDERS: dict[str, Callable[[Resource], Any]] = {
    "_id": lambda r: r["id"],
    "-_id": lambda r: r["id"],
    "date": _start("date", OPEN_HIGH + 1),
    "-date": _start("date", OPEN_LOW - 1),
    "-birthdate": _start("birthdate", OPEN_LOW - 1),
}


def _pages(fhir: Fhir, kind: str, pairs: list[tuple[str, str]]) -> list[str]:
    """The ids of all pages in order, following the next links."""
    from urllib.parse import parse_qsl

    found: list[str] = []
    while True:
        request = Request(
            caller=ANYBODY, method="GET", path=(kind,), query=tuple(pairs), base_url=BASE, prefer="handling=strict"
        )
        bundle = json.loads(fhir.handle_sync(request).body)
        found += [entry["resource"]["id"] for entry in bundle.get("entry", ())]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        if "next" not in links:
            return found
        pairs = parse_qsl(links["next"].partition("?")[2])


@pytest.fixture
def resources(fhir: Fhir) -> list[Resource]:
    """A small world of patients and observations in which many values meet."""
    dice = random.Random(7)
    made = [_patient(n, dice) for n in range(25)] + [_observation(n, dice) for n in range(120)]
    for resource in made:
        key = (resource["resourceType"], resource["id"])
        fhir.handle_sync(
            Request(caller=ANYBODY, method="PUT", path=key, body=json.dumps(resource).encode(), base_url=BASE)
        )
    return made


@pytest.mark.parametrize("few", [0, 5, 1000])
def test_random_searches(fhir: Fhir, resources: list[Resource], few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any mix of conditions, order and page size finds exactly the resources that fulfil all conditions, once.

    Whether few are gathered or many are read along an index makes no difference.
    """
    monkeypatch.setattr("server.search.find.FEW", few)
    dice = random.Random(11)
    world = {f"{resource['resourceType']}/{resource['id']}": resource for resource in resources}
    by_type = {
        "Observation": [*OBSERVATION, lambda d: _chained(world, d)],
        "Patient": [*PATIENT, lambda d: _has(world, d)],
    }
    for _ in range(QUERIES):
        kind = dice.choice(["Observation", "Observation", "Patient"])
        makers = by_type[kind]
        parts = [dice.choice(makers)(dice) for _ in range(dice.randint(0, 3))]
        pairs = [(name, value) for name, value, _ in parts]
        if sort := dice.choice(SORTS[kind]):
            pairs.append(("_sort", sort))
        pairs.append(("_count", str(dice.choice([1, 3, 7, 50, 1000]))))
        expected = [
            resource["id"]
            for resource in resources
            if resource["resourceType"] == kind and all(holds(resource) for _, _, holds in parts)
        ]
        found = _pages(fhir, kind, pairs)
        assert len(found) == len(set(found)), pairs
        assert sorted(found) == sorted(expected), pairs
        if key := ORDERS.get(sort):
            keys = [key(next(r for r in resources if r["resourceType"] == kind and r["id"] == name)) for name in found]
            assert keys == sorted(keys, reverse=sort.startswith("-")), pairs
        total = [*[pair for pair in pairs if pair[0] != "_count"], ("_summary", "count")]
        body = fhir.handle_sync(
            Request(caller=ANYBODY, method="GET", path=(kind,), query=tuple(total), base_url=BASE)
        ).body
        assert json.loads(body)["total"] == len(expected), pairs
