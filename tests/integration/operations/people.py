"""Invented people, and the same people written down once more by somebody in a hurry."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

Person = dict[str, Any]

FAMILIES = """
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson
Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young
Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts
Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook
""".split()  # noqa: SIM905 - a page of names reads better than a column of strings
GIVEN = """
James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica
Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Betty Anthony Margaret Mark Sandra Donald Ashley Steven
Kimberly Paul Emily Andrew Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Dorothy George Melissa
""".split()  # noqa: SIM905
SHORT = {"Robert": "Bob", "Elizabeth": "Liz", "William": "Bill", "Michael": "Mike", "Margaret": "Peggy", "James": "Jim",
         "Jennifer": "Jen", "Thomas": "Tom", "Richard": "Rick", "Patricia": "Pat", "Matthew": "Matt"}  # fmt: skip
STREETS = [
    "Oak",
    "Maple",
    "Cedar",
    "Pine",
    "Elm",
    "Washington",
    "Lake",
    "Hill",
    "Walnut",
    "Spring",
    "North",
    "Ridge",
    "Church",
    "Willow",
    "Mill",
]


def person(number: int, dice: random.Random) -> Person:
    """A Patient with everything that registration asks for."""
    born = f"{dice.randint(1930, 2015)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    street = f"{dice.randint(1, 999)} {dice.choice(STREETS)} Street"
    return {
        "resourceType": "Patient",
        "id": f"n{number}",
        "identifier": [{"system": "urn:mrn", "value": f"{number:06}"}],
        "name": [{"family": dice.choice(FAMILIES), "given": [dice.choice(GIVEN)]}],
        "gender": dice.choice(["male", "female"]),
        "birthDate": born,
        "address": [{"line": [street], "city": "Springfield", "postalCode": f"{dice.randint(10000, 10200)}"}],
        "telecom": [{"system": "phone", "value": f"555-{dice.randint(100, 999)}-{dice.randint(1000, 9999)}"}],
    }


def hurried(one: Person, dice: random.Random, errors: int) -> Person:
    """The person without the identifier and with some errors."""
    copied = copy.deepcopy(one)
    del copied["identifier"], copied["id"]
    for mistake in dice.sample(MISTAKES, errors):
        mistake(copied, dice)
    return copied


def _typo(text: str, dice: random.Random) -> str:
    if len(text) < 3:
        return text
    at = dice.randrange(1, len(text) - 1)
    return dice.choice([text[:at] + text[at + 1 :], text[:at] + text[at + 1] + text[at] + text[at + 2 :]])


def _family_typo(one: Person, dice: random.Random) -> None:
    one["name"][0]["family"] = _typo(one["name"][0]["family"], dice)


def _new_family(one: Person, dice: random.Random) -> None:
    one["name"][0]["family"] = dice.choice(FAMILIES)


def _short_given(one: Person, dice: random.Random) -> None:
    given = one["name"][0]["given"]
    given[0] = SHORT.get(given[0], _typo(given[0], dice))


def _initial(one: Person, _dice: random.Random) -> None:
    one["name"][0]["given"][0] = one["name"][0]["given"][0][0]


def _turned_date(one: Person, _dice: random.Random) -> None:
    year, month, day = one["birthDate"].split("-")
    one["birthDate"] = f"{year}-{day}-{month}" if int(day) <= 12 else f"{year}-{month}-{int(day) - 1:02}"


def _other_day(one: Person, dice: random.Random) -> None:
    one["birthDate"] = one["birthDate"][:8] + f"{dice.randint(1, 28):02}"


def _moved(one: Person, dice: random.Random) -> None:
    one["address"] = person(0, dice)["address"]


def _new_phone(one: Person, dice: random.Random) -> None:
    one["telecom"] = person(0, dice)["telecom"]


def _no_address(one: Person, _dice: random.Random) -> None:
    del one["address"]


def _no_phone(one: Person, _dice: random.Random) -> None:
    del one["telecom"]


MISTAKES: tuple[Callable[[Person, random.Random], None], ...] = (
    _family_typo, _new_family, _short_given, _initial, _turned_date, _other_day, _moved, _new_phone,
)  # fmt: skip
