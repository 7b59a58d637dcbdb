"""Subscriptions, and what they are about."""

from __future__ import annotations

from typing import Any

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"


TOPICS = "https://fhirwright.dev/fhir/SubscriptionTopic/"


def plain(url: str, criteria: str = "Observation?code=8480-6", payload: str | None = "application/fhir+json") -> Any:
    """A Subscription of R4."""
    channel: dict[str, Any] = {"type": "rest-hook", "endpoint": url, "header": ["Authorization: Bearer t"]}
    channel |= {"payload": payload} if payload else {}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": criteria,
        "channel": channel,
    }


def topical(url: str, topic: str, content: str = "id-only", filters: tuple[str, ...] = (), **numbers: int) -> Any:
    """A Subscription to a topic."""
    made = plain(url, TOPICS + topic)
    extension = [{"url": f"{BACKPORT}backport-payload-content", "valueCode": content}]
    made["channel"]["_payload"] = {"extension": extension}
    names = {"heartbeat": "backport-heartbeat-period", "most": "backport-max-count"}
    kinds = {"heartbeat": "valueUnsignedInt", "most": "valuePositiveInt"}
    made["channel"]["extension"] = [{"url": BACKPORT + names[k], kinds[k]: v} for k, v in numbers.items()]
    if not numbers:
        del made["channel"]["extension"]
    if filters:
        wanted = [{"url": f"{BACKPORT}backport-filter-criteria", "valueString": text} for text in filters]
        made["_criteria"] = {"extension": wanted}
    return made


def observation(name: str, code: str = "8480-6", status: str = "final") -> dict[str, Any]:
    coding = {"system": "http://loinc.org", "code": code}
    return {"resourceType": "Observation", "id": name, "status": status, "code": {"coding": [coding]}}


async def put(house: Any, resource: dict[str, Any]) -> None:
    answer = await house.client.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
    assert answer.status_code in (200, 201), answer.text


async def subscribe(house: Any, postman: Any, subscription: Any) -> str:
    """Write a Subscription and see it become active; its id."""
    answer = await house.client.post("Subscription", json=subscription)
    assert answer.status_code == 201, answer.text
    await postman.go(1)
    name = str(answer.json()["id"])
    assert (await shown(house, name))["status"] == "active"
    return name


async def shown(house: Any, name: str) -> dict[str, Any]:
    return dict((await house.client.get(f"Subscription/{name}")).json())


def value(bundle: dict[str, Any], name: str) -> Any:
    for one in bundle["entry"][0]["resource"]["parameter"]:
        if one["name"] == name:
            return next(value for key, value in one.items() if key != "name")
    return None
