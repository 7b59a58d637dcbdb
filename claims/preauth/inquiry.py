"""A question about earlier requests, and the Bundle that answers it or a request.

https://hl7.org/fhir/us/davinci-pas/OperationDefinition-Claim-inquiry.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID, uuid5

from claims.answer.benefit_parties import Beside
from fhir_profiles.systems import NPI
from fhir_profiles.systems import UUID as PREFIX

Json = dict[str, Any]
_SPACE: Final = UUID("6a4b0c52-7d8e-5f10-9a3b-2c6d1e0f4b7a")


def fits(inquiry: Json, asking: Beside, request: Json, asked: Beside) -> bool:
    """Whether a question may be about a request: who asks, whom for and whom of must not be another.

    What only one of the two says does not count.
    """
    pairs = (
        (_number(asking.of(inquiry.get("provider")), NPI), _number(asked.of(request.get("provider")), NPI)),
        (_first(asking.of(inquiry.get("insurer"))), _first(asked.of(request.get("insurer")))),
        *zip(_person(asking.of(inquiry.get("patient"))), _person(asked.of(request.get("patient"))), strict=True),
    )
    return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)


def _number(party: Json | None, system: str) -> str | None:
    return next((one.get("value") for one in (party or {}).get("identifier", ()) if one.get("system") == system), None)


def _first(party: Json | None) -> str | None:
    return next((one.get("value") for one in (party or {}).get("identifier", ()) if one.get("value")), None)


def _person(patient: Json | None) -> tuple[str | None, str | None]:
    names = (patient or {}).get("name") or [{}]
    family = names[0].get("family")
    return (family.casefold() if isinstance(family, str) else None), (patient or {}).get("birthDate")


def bundle(responses: Iterable[Json], base: str, timestamp: str, number: Json | None, near: Beside) -> Json:
    """The collection: the ClaimResponses, then those whom they name, each once and with an address of its own."""
    first: list[Json] = []
    others: dict[str, Json] = {}
    for response in responses:
        own = {f"#{one['id']}": _address(response["id"], one["id"]) for one in _own(response)}
        for one in _own(response):
            others[own[f"#{one['id']}"]] = _pointed({k: v for k, v in one.items() if k != "id"}, own)
        told = _pointed({k: v for k, v in response.items() if k != "contained"}, own)
        first.append({"fullUrl": f"{base}/ClaimResponse/{response['id']}", "resource": told})
        for name in ("patient", "insurer", "requestor"):
            reference = (response.get(name) or {}).get("reference", "")
            found = None if reference.startswith("#") else near.of(response.get(name))
            if found is not None:
                others[f"{base}/{found['resourceType']}/{found['id']}"] = found
    entries = first + [{"fullUrl": url, "resource": one} for url, one in others.items()]
    made: Json = {"resourceType": "Bundle"}
    if number:
        made["identifier"] = number
    made |= {"type": "collection", "timestamp": timestamp}
    return made | ({"entry": entries} if entries else {})


def _address(response: str, id: str) -> str:
    return f"{PREFIX}{uuid5(_SPACE, f'{response}#{id}')}"


def _own(response: Json) -> list[Json]:
    return list(response.get("contained", ()))


def _pointed(value: Any, own: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_pointed(one, own) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _pointed(part, own) for name, part in value.items()}
    if found.get("reference") in own:
        found["reference"] = own[found["reference"]]
    return found
