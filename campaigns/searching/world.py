"""The resources that are searched: Synthea's, and some made to hold what Synthea's do not."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

Resource = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
TREE = "http://example.org/tree"
CHILDREN = {"a": ["a1", "a2"], "a1": ["a11", "a12"], "b": ["b1"]}
SET = "http://example.org/ValueSet/some"
IN_SET = (("http://loinc.org", "8302-2"), ("http://loinc.org", "8867-4"), (TREE, "a1"), (TREE, "b"))
NAMES = ("Müller", "Muller", "O'Hara", "de la Cruz", "Åse", "MULLEN", "Smith", "Smithson", "van der Berg")
DATES = ("2019", "2019-05", "2020-01-15", "2020-01-15T10:00:00Z", "2020-02", "2021-12-31T23:59:59+01:00",
         "2020-01-15T10:00:00.123Z", "1999-12-31T23:30:00-05:00")  # fmt: skip
TAGS = ("red", "green", "blue")
WORDS = ("fever", "cough", "fracture", "chest pain", "no fever today")


SINGLE_WORDS = ("fever", "cough", "fracture", "pain", "today", "generated", "nothing")


def synthea(folder: Path, bundles: int) -> list[Resource]:
    """The first transaction Bundles of a folder, each resource under the id that its full URL holds."""
    found = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))[:bundles]]
    for bundle in found:
        for entry in bundle["entry"]:
            kind, name = entry["resource"]["resourceType"], entry["fullUrl"].rpartition(":")[2]
            entry["resource"]["id"] = name
            entry["request"] = {"method": "PUT", "url": f"{kind}/{name}"}
    return found


def descendants(code: str) -> set[str]:
    """A code of the made tree with all below it."""
    return {code}.union(*(descendants(child) for child in CHILDREN.get(code, ())))


def made(seed: int, size: int) -> list[Resource]:
    """`size` resources of several types that refer to each other, with open periods, units, tags and hierarchies."""
    dice = random.Random(seed)
    makers = (_patient, _observation, _observation, _observation, _organization, _location, _encounter, _risk, _charge)
    counts: dict[Any, int] = {}
    found = [_tree(), _set()]
    for _ in range(size):
        maker = dice.choice(makers)
        counts[maker] = counts.get(maker, 0) + 1
        found.append(_dressed(maker(counts[maker], dice), dice))
    for n in range(6):
        item = [{"item": {"reference": dice.choice(_names(found))}} for _ in range(dice.randint(1, 8))]
        found.append({"resourceType": "List", "id": f"list{n}", "status": "current", "mode": "working", "entry": item})
    return found


def _names(found: list[Resource]) -> list[str]:
    return [f"{one['resourceType']}/{one['id']}" for one in found]


def _dressed(resource: Resource, dice: random.Random) -> Resource:
    meta: Resource = {}
    if dice.random() < 0.5:
        meta["tag"] = [{"system": "urn:tags", "code": dice.choice(TAGS)} for _ in range(dice.randint(1, 2))]
    if dice.random() < 0.3:
        meta["security"] = [{"system": "urn:security", "code": dice.choice("RNV")}]
    if dice.random() < 0.3:
        meta["profile"] = [f"http://example.org/profiles/{dice.choice('ab')}"]
    if dice.random() < 0.3:
        meta["source"] = f"http://example.org/source/{dice.choice('xy')}"
    if dice.random() < 0.5:
        words = dice.choice(WORDS)
        resource["text"] = {
            "status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words}</p></div>'
        }  # fmt: skip
    dressed = {"meta": meta} if meta else {}
    return {"resourceType": resource.pop("resourceType"), "id": resource.pop("id"), **dressed, **resource}


def _patient(n: int, dice: random.Random) -> Resource:
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": dice.choice(["MR", "SS"])}]}
    patient: Resource = {
        "resourceType": "Patient",
        "id": f"made{n}",
        "identifier": [{"type": kind, "system": "urn:mrn", "value": f"m{dice.randint(1, 30)}"}],
        "active": dice.random() < 0.5,
        "name": [{"family": dice.choice(NAMES), "given": [dice.choice(NAMES)]} for _ in range(dice.randint(1, 2))],
        "gender": dice.choice(["male", "female", "other"]),
    }
    if dice.random() < 0.8:
        patient["birthDate"] = dice.choice(["1970-01-01", "1980", "1990-06", "2001-02-28"])
    death = dice.random()
    if death < 0.2:
        patient["deceasedBoolean"] = death < 0.1
    elif death < 0.4:
        patient["deceasedDateTime"] = dice.choice(DATES)
    if dice.random() < 0.5:
        patient["telecom"] = [{"system": dice.choice(["phone", "email"]), "value": f"t{dice.randint(1, 9)}"}]
    if dice.random() < 0.6:
        patient["managingOrganization"] = {"reference": f"Organization/made{dice.randint(1, 20)}"}
    if dice.random() < 0.6:
        where = {"city": dice.choice(NAMES), "country": dice.choice(["US", "DE"]), "line": [dice.choice(NAMES)]}
        patient["address"] = [where]
    return patient


def _coding(dice: random.Random) -> Resource:
    if dice.random() < 0.5:
        return {"system": TREE, "code": dice.choice(["a", "a1", "a11", "a12", "a2", "b", "b1"])}
    code = dice.choice(["8302-2", "8867-4", "29463-7"])
    return {"system": "http://loinc.org", "code": code, "display": f"Display of {code}"}


def _value(dice: random.Random) -> Resource:
    match dice.randint(0, 5):
        case 0 | 1:
            unit = dice.choice(["mg", "g", "kg", "ug"])
            amount = dice.choice([5, 5.4, 0.0054, 5400, 100, 0.5, 72.5])
            return {"valueQuantity": {"value": amount, "unit": unit, "system": UCUM, "code": unit}}
        case 2:
            return {"valueCodeableConcept": {"coding": [_coding(dice)], "text": dice.choice(WORDS)}}
        case 3:
            return {"valueString": dice.choice([*WORDS, "Fever", "x" * 300 + dice.choice("ab")])}
        case 4:
            return {"valueDateTime": dice.choice(DATES)}
    return {"valueQuantity": {"value": dice.choice([1, 2.0, -3]), "unit": "score"}}


def _when(dice: random.Random) -> Resource:
    if dice.random() < 0.6:
        return {"effectiveDateTime": dice.choice(DATES)}
    start, end = dice.choice(["2019-01-01", "2020-01-15", None]), dice.choice(["2020-01-20", "2022", None])
    return {"effectivePeriod": {k: v for k, v in (("start", start), ("end", end)) if v} or {"start": "2020"}}


def _observation(n: int, dice: random.Random) -> Resource:
    observation: Resource = {
        "resourceType": "Observation",
        "id": f"made{n}",
        "status": dice.choice(["final", "amended", "preliminary"]),
        "code": {"coding": [_coding(dice) for _ in range(dice.randint(1, 2))], "text": dice.choice(WORDS)},
    }
    if dice.random() < 0.8:
        observation["subject"] = {"reference": f"Patient/made{dice.randint(1, 25)}", "display": dice.choice(NAMES)}
    if dice.random() < 0.3:
        observation["encounter"] = {"reference": f"Encounter/made{dice.randint(1, 25)}"}
    if dice.random() < 0.3:
        kind = dice.choice(["Patient", "Organization"])
        observation["performer"] = [{"reference": f"{kind}/made{dice.randint(1, 20)}"}]
    elif dice.random() < 0.3:
        who = {"system": "urn:staff", "value": f"s{dice.randint(1, 6)}"}
        observation["performer"] = [{"identifier": who, "display": dice.choice(NAMES)}]
    if dice.random() < 0.3:
        observation["derivedFrom"] = [{"reference": f"Observation/made{dice.randint(1, 60)}"}]
    if dice.random() < 0.2:
        observation["hasMember"] = [{"reference": f"Observation/made{dice.randint(1, 60)}"}]
    if dice.random() < 0.8:
        observation |= _when(dice)
    if dice.random() < 0.7:
        observation |= _value(dice)
    if dice.random() < 0.4:
        parts = [{"code": {"coding": [_coding(dice)]}, **_value(dice)} for _ in range(dice.randint(1, 3))]
        other = [part for part in parts if part["code"]["coding"][0] not in observation["code"]["coding"]]  # obs-7
        observation |= {"component": copy.deepcopy(other)} if other else {}
    return observation


def _organization(n: int, dice: random.Random) -> Resource:
    organization: Resource = {"resourceType": "Organization", "id": f"made{n}", "name": f"{dice.choice(NAMES)} Clinic"}
    if dice.random() < 0.7:
        organization["partOf"] = {"reference": f"Organization/made{dice.randint(1, 20)}"}
    if dice.random() < 0.3:
        organization["alias"] = [dice.choice(NAMES)]
    return organization


def _location(n: int, dice: random.Random) -> Resource:
    location: Resource = {"resourceType": "Location", "id": f"made{n}", "name": dice.choice(NAMES)}
    if dice.random() < 0.6:
        location["managingOrganization"] = {"reference": f"Organization/made{dice.randint(1, 20)}"}
    if dice.random() < 0.5:
        location["partOf"] = {"reference": f"Location/made{dice.randint(1, 20)}"}
    return location


def _encounter(n: int, dice: random.Random) -> Resource:
    encounter: Resource = {
        "resourceType": "Encounter",
        "id": f"made{n}",
        "status": dice.choice(["planned", "finished"]),
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": dice.choice(["AMB", "EMER"])},
        "subject": {"reference": f"Patient/made{dice.randint(1, 25)}"},
    }
    if dice.random() < 0.5:
        encounter["length"] = {"value": dice.choice([30, 45.5]), "unit": "min", "system": UCUM, "code": "min"}
    if dice.random() < 0.5:
        encounter["location"] = [{"location": {"reference": f"Location/made{dice.randint(1, 20)}"}}]
    if dice.random() < 0.7:
        encounter["period"] = _when(dice).get("effectivePeriod") or {"start": "2019-05"}
    if dice.random() < 0.3:
        encounter["partOf"] = {"reference": f"Encounter/made{dice.randint(1, 25)}"}
    return encounter


def _risk(n: int, dice: random.Random) -> Resource:
    return {
        "resourceType": "RiskAssessment",
        "id": f"made{n}",
        "status": "final",
        "subject": {"reference": f"Patient/made{dice.randint(1, 25)}"},
        "prediction": [{"probabilityDecimal": dice.choice([0.1, 0.25, 0.5, 0.05])} for _ in range(dice.randint(1, 2))],
    }


def _charge(n: int, dice: random.Random) -> Resource:
    return {
        "resourceType": "ChargeItem",
        "id": f"made{n}",
        "status": "billable",
        "code": {"coding": [_coding(dice)]},
        "subject": {"reference": f"Patient/made{dice.randint(1, 25)}"},
        "factorOverride": dice.choice([0.8, 1.2, 1e-3]),
    }


def _tree() -> Resource:
    def concept(code: str) -> Resource:
        below = [concept(child) for child in CHILDREN.get(code, ())]
        return {"code": code, **({"concept": below} if below else {})}

    return {
        "resourceType": "CodeSystem",
        "id": "tree",
        "url": TREE,
        "status": "active",
        "content": "complete",
        "hierarchyMeaning": "is-a",
        "concept": [concept("a"), concept("b")],
    }


def _set() -> Resource:
    by_system: dict[str, list[Resource]] = {}
    for system, code in IN_SET:
        by_system.setdefault(system, []).append({"code": code})
    include = [{"system": system, "concept": concepts} for system, concepts in by_system.items()]
    return {"resourceType": "ValueSet", "id": "some", "url": SET, "status": "active", "compose": {"include": include}}
