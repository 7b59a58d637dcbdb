"""The topics that can be subscribed to (https://hl7.org/fhir/R5/subscriptiontopic.html).

Two are our own: a document was coded, a claim is ready. Beside them each resource type is a topic: every change of it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.systems import (
    CLAIM_READY,
    DOCUMENT_CODED,
    FHIR,
    TASK_CODE,
    TOPIC_EXTENSIONS,
    TOPICS,
)

Pairs = tuple[tuple[str, str], ...]
CHANGES = ("create", "update", "delete")


class Topic(msgspec.Struct, frozen=True):
    """Changes of a type whose new version `criteria` find; with `becomes` only when the version before was not found.

    `filters` are the search parameters that a subscription may narrow it by, all of the type when empty.
    """

    url: str
    title: str
    type: str
    criteria: Pairs = ()
    becomes: bool = False
    changes: tuple[str, ...] = ("create", "update")
    filters: tuple[str, ...] = ()


OURS = (
    Topic(
        DOCUMENT_CODED,
        "A document was coded: its Task is completed and names the results",
        "Task",
        (("code", f"{TASK_CODE}|code-document"), ("status", "completed")),
        becomes=True,
        filters=("patient", "subject", "focus"),
    ),
    Topic(
        CLAIM_READY,
        "A draft Claim was written for a coder to look at",
        "Claim",
        (("status", "draft"),),
        filters=("patient", "provider", "insurer", "encounter"),
    ),
)


def find_topic(url: str) -> Topic | None:
    """The topic with a canonical URL, whose version may be left out."""
    url = url.partition("|")[0]
    for topic in OURS:
        if topic.url == url:
            return topic
    name = url.removeprefix(TOPICS)
    if url.startswith(TOPICS) and name in load().resource_types:
        return Topic(url, f"Every change of a {name}", name, changes=CHANGES)
    return None


def all_topics() -> list[Topic]:
    """Ours, then one for each resource type."""
    return [*OURS, *(topic for name in load().resource_types if (topic := find_topic(f"{TOPICS}{name}")))]


def as_basic(topic: Topic) -> dict[str, Any]:
    """The topic in R4: a Basic with the elements of R5 as extensions."""
    trigger: list[dict[str, Any]] = [
        {"url": "description", "valueMarkdown": topic.title},
        {"url": "resource", "valueUri": f"{FHIR}/StructureDefinition/{topic.type}"},
        *({"url": "supportedInteraction", "valueCode": change} for change in topic.changes),
    ]
    if topic.criteria:
        query = "&".join(f"{name}={value}" for name, value in topic.criteria)
        trigger.append({"url": "queryCriteria", "extension": [{"url": "current", "valueString": query}]})
    names = topic.filters or tuple(sorted(load().search_params(topic.type)))
    can_filter = [
        {
            "url": f"{TOPIC_EXTENSIONS}.canFilterBy",
            "extension": [
                {"url": "resource", "valueUri": f"{FHIR}/StructureDefinition/{topic.type}"},
                {"url": "filterParameter", "valueString": name},
            ],
        }
        for name in names
    ]
    return {
        "resourceType": "Basic",
        "id": topic.url.rsplit("/", 1)[-1],
        "extension": [
            {"url": f"{TOPIC_EXTENSIONS}.url", "valueUri": topic.url},
            {"url": f"{TOPIC_EXTENSIONS}.title", "valueString": topic.title},
            {"url": f"{TOPIC_EXTENSIONS}.status", "valueCode": "active"},
            {"url": f"{TOPIC_EXTENSIONS}.resourceTrigger", "extension": trigger},
            *can_filter,
        ],
        "code": {"coding": [{"system": f"{FHIR}/fhir-types", "code": "SubscriptionTopic"}]},
    }
