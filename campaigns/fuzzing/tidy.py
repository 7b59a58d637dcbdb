"""Generated requests made to fit together, so that most of the right ones are really right.

A schema cannot say in few words that a choice has one type only, or that an update's id is the one in the URL.
"""

from __future__ import annotations

from typing import Any

from fhir_profiles.definitions import load


def tidy(case: Any, user: str) -> None:
    """Keep one type of each choice, repeat the id of the URL in the body, and move ids into the user's own range."""
    parameters = case.path_parameters
    if parameters and isinstance(parameters.get("id"), str):
        parameters["id"] = own_id(parameters["id"], user)
    body = case.body
    if not isinstance(body, dict):
        return
    name = body.get("resourceType")
    if name in load().types:
        _one_of_each_choice(body, name)
    if parameters and case.method == "PUT" and "id" in parameters:
        body["id"] = parameters["id"]


def own_id(text: str, user: str) -> str:
    """An id that no other user makes; one that came from the server's own answer stays."""
    return text if len(text) > 20 or text.startswith(f"{user}-") else f"{user}-{text}"[:64]


def _one_of_each_choice(value: Any, type_name: str) -> None:
    if not isinstance(value, dict) or type_name not in load().types:
        return
    for element in load().types[type_name].elements:
        present = [key for key in element.properties() if key in value]
        for key in present[1:]:
            del value[key]
        if present:
            of = element.properties()[present[0]]
            children = value[present[0]]
            for child in children if isinstance(children, list) else [children]:
                _one_of_each_choice(child, of)
