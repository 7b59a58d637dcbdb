"""Calls made by chance: every parameter in every shape, mostly sound, so that they reach deep."""

# ruff: noqa: E501 - tables of values

from __future__ import annotations

import random
from typing import Any

from fhir_profiles.systems import ICD10CM, SNOMED, UCUM

Json = dict[str, Any]
FRUIT = "urn:x:fruit"
SYSTEMS = (
    FRUIT,
    ICD10CM,
    UCUM,
    SNOMED,
    "http://loinc.org",
    "urn:ietf:bcp:47",
    "http://hl7.org/fhir/administrative-gender",
    "x",
)
CODES = (
    "apple",
    "pome",
    "APPLE",
    "E11.9",
    "E11",
    "mg/dL",
    "en-GB",
    "male",
    "8480-6",
    "73211009",
    "",
    "ß",
    "a b",
    "\u202ea",
    "0",
)
TEXTS = (
    "Apple",
    "apple",
    "diab",
    "type 2",
    "e11",
    "%",
    "(",
    "",
    " ",
    "Pomme",
    "a" * 300,
    "\u0301",
    "true",
    "1",
    "-1",
    "x|y",
)
SETS = (
    f"{ICD10CM}?fhir_vs",
    f"{ICD10CM}?fhir_vs=isa/E11",
    "urn:x:set",
    "urn:x:ring",
    "http://hl7.org/fhir/ValueSet/languages",
    "?",
    "",
)
VERSIONS = ("1", "2", "1.x", "*", "2026-04", "2025", "", "|", "1.0.0")
FLAGS = ("true", "false", "maybe")
LANGUAGES = ("en", "de", "fr;q=0.5,de", "*", "en-US,en;q=0.9", ";;", "--", "x" * 40)
OPERATORS = (
    "is-a",
    "=",
    "in",
    "not-in",
    "regex",
    "exists",
    "descendent-of",
    "is-not-a",
    "generalizes",
    "child-of",
    "none",
)
PROPERTIES = ("concept", "code", "display", "parent", "child", "billable", "inactive", "status", "kind", "*", "")
CALLS = (
    "CodeSystem/$validate-code", "ValueSet/$validate-code", "CodeSystem/$lookup", "CodeSystem/$subsumes",
    "ValueSet/$expand", "ConceptMap/$translate", "ValueSet/$batch-validate-code",
)  # fmt: skip
_OWN = {
    "CodeSystem/$validate-code": ("url", "code", "coding", "codeableConcept", "display", "version", "abstract", "codeSystem"),
    "ValueSet/$validate-code": ("url", "valueSet", "code", "system", "coding", "codeableConcept", "display", "inferSystem",
                                "activeOnly", "abstract", "lenient-display-validation", "valueSetVersion", "systemVersion"),
    "CodeSystem/$lookup": ("system", "code", "coding", "version", "property"),
    "CodeSystem/$subsumes": ("system", "codeA", "codeB", "codingA", "codingB", "version"),
    "ValueSet/$expand": ("url", "valueSet", "filter", "count", "offset", "activeOnly", "excludeNested", "includeDesignations",
                         "includeDefinition", "designation", "property", "valueSetVersion"),
    "ConceptMap/$translate": ("url", "conceptMap", "code", "system", "coding", "target", "targetsystem", "reverse", "sourceCode",
                              "targetCode", "sourceSystem", "source"),
    "ValueSet/$batch-validate-code": ("url", "validation", "validation", "displayLanguage"),
}  # fmt: skip
_SHARED = (
    "displayLanguage",
    "tx-resource",
    "system-version",
    "force-system-version",
    "check-system-version",
    "useSupplement",
    "date",
)


def call(dice: random.Random) -> tuple[str, Json, str]:
    """An operation, Parameters for it, and the languages of the request."""
    name = dice.choice(CALLS)
    names = [n for n in _OWN[name] if dice.random() < 0.5] + [n for n in _SHARED if dice.random() < 0.2]
    if dice.random() < 0.1:
        names.append(dice.choice(("unknown", "code", "url")))
    return (
        name,
        {"resourceType": "Parameters", "parameter": [_parameter(dice, n) for n in names]},
        dice.choice(("", *LANGUAGES)),
    )


def _parameter(dice: random.Random, name: str) -> Json:
    if dice.random() < 0.02:
        return {
            "name": name,
            dice.choice(("valueInteger", "valueCoding", "resource", "part")): dice.choice((7, [], {}, "x", True)),
        }
    if name in ("coding", "codingA", "codingB"):
        return {"name": name, "valueCoding": _coding(dice)}
    if name == "codeableConcept":
        return {
            "name": name,
            "valueCodeableConcept": {"coding": [_coding(dice) for _ in range(dice.randrange(3))], "text": "x"},
        }
    made = {
        "valueSet": value_set,
        "codeSystem": code_system,
        "conceptMap": concept_map,
        "tx-resource": _any,
        "validation": _nested,
    }
    if name in made:
        return {"name": name, "resource": made[name](dice)}
    if name in ("count", "offset"):
        return {"name": name, "valueInteger": dice.choice((0, 1, 5, 50, 1_000, 10**9, -1))}
    return {"name": name, "valueString": _text(dice, name)}


def _text(dice: random.Random, name: str) -> str:
    pool: tuple[str, ...] = TEXTS
    if "ersion" in name:
        pool = tuple(f"{s}|{v}" for s in SYSTEMS for v in VERSIONS) if name.endswith("system-version") else VERSIONS
    elif "ystem" in name:
        pool = SYSTEMS
    elif "ode" in name:
        pool = CODES
    elif name in ("url", "source", "target"):
        pool = (*SETS, *SYSTEMS)
    elif name in ("abstract", "activeOnly", "inferSystem", "reverse", "excludeNested") or name.startswith(
        ("include", "lenient")
    ):
        pool = FLAGS
    elif name in ("displayLanguage", "designation"):
        pool = LANGUAGES
    elif name == "property":
        pool = PROPERTIES
    elif name == "date":
        pool = ("2026-05-01", "2024", "2024-13-40", "x")
    elif name == "useSupplement":
        pool = ("urn:x:more", "urn:x:none", "urn:x:more|1")
    return dice.choice(pool)


def _coding(dice: random.Random) -> Json:
    made = {
        "system": dice.choice(SYSTEMS),
        "code": dice.choice(CODES),
        "display": dice.choice(TEXTS),
        "version": dice.choice(VERSIONS),
    }
    return {key: value for key, value in made.items() if dice.random() < (0.9 if key in ("system", "code") else 0.3)}


def _any(dice: random.Random) -> Json:
    return dice.choice((code_system, value_set, concept_map, supplement))(dice)


def _nested(dice: random.Random) -> Json:
    names = [n for n in ("coding", "code", "system", "display", "url") if dice.random() < 0.5]
    return {"resourceType": "Parameters", "parameter": [_parameter(dice, n) for n in names]}


def code_system(dice: random.Random) -> Json:
    """Fruit, in one of several states."""
    head: Json = {
        "resourceType": "CodeSystem",
        "url": FRUIT,
        "status": "active",
        "content": dice.choice(("complete", "complete", "fragment", "not-present")),
    }
    if dice.random() < 0.5:
        head["version"] = dice.choice(("1", "2", "1.2.0"))
    if dice.random() < 0.3:
        head["caseSensitive"] = dice.random() < 0.5
    apple: Json = {"code": "apple", "display": "Apple", "designation": [{"language": "fr", "value": "Pomme"}]}
    if dice.random() < 0.4:
        apple["property"] = [
            {
                "code": dice.choice(("parent", "inactive", "notSelectable", "kind")),
                dice.choice(("valueCode", "valueBoolean")): dice.choice(("pome", True)),
            }
        ]
    return {
        **head,
        "concept": [{"code": "pome", "display": "Pome", "concept": [apple]}, {"code": "fig"}][: dice.randrange(3)],
    }


def supplement(dice: random.Random) -> Json:
    """More names for fruit."""
    return {"resourceType": "CodeSystem", "url": "urn:x:more", "version": "1", "status": "active", "content": "supplement",
            "supplements": dice.choice((FRUIT, ICD10CM, "urn:x:more")), "concept": [{"code": "apple", "designation": [{"value": "Crisp"}]}]}  # fmt: skip


def value_set(dice: random.Random) -> Json:
    """One to three includes and sometimes an exclude."""
    compose: Json = {"include": [_include(dice) for _ in range(dice.randrange(1, 4))]}
    if dice.random() < 0.3:
        compose["exclude"] = [_include(dice)]
    if dice.random() < 0.2:
        compose["inactive"] = dice.random() < 0.5
    return {
        "resourceType": "ValueSet",
        "url": dice.choice(("urn:x:set", "urn:x:ring")),
        "status": "active",
        "compose": compose,
    }


def _include(dice: random.Random) -> Json:
    if dice.random() < 0.25:
        return {"valueSet": [dice.choice(SETS) for _ in range(dice.randrange(1, 3))]}
    made: Json = {"system": dice.choice(SYSTEMS)}
    if dice.random() < 0.3:
        made["version"] = dice.choice(VERSIONS)
    kind = dice.randrange(3)
    if kind == 1:
        made["concept"] = [{"code": dice.choice(CODES)} for _ in range(dice.randrange(4))]
    if kind == 2:
        made["filter"] = [
            {"property": dice.choice(PROPERTIES), "op": dice.choice(OPERATORS), "value": dice.choice((*CODES, *TEXTS))}
        ]
    return made


def concept_map(dice: random.Random) -> Json:
    """Fruit to whatever."""
    target = {"code": dice.choice(CODES), "equivalence": dice.choice(("equivalent", "wider", "unmatched"))}
    group = {"source": FRUIT, "target": dice.choice(SYSTEMS), "element": [{"code": "apple", "target": [target]}]}
    return {"resourceType": "ConceptMap", "url": "urn:x:map", "status": "active", "group": [group]}
