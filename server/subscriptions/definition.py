"""What a Subscription asks for, understood and checked when it is written.

R4: https://hl7.org/fhir/R4/subscription.html, topics: https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BACKPORT_EXTENSIONS
from server.interactions.fhir import Fhir
from server.jobs.outside import Wall
from server.subscriptions.matching import Pairs, check_criteria
from server.subscriptions.topics import find_topic

CONTENTS = ("empty", "id-only", "full-resource")
JSON_TYPES = ("application/fhir+json", "application/json")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}):[ \t]*([\x20-\x7e]{0,4096})")
_OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te"})
_MOST_EVENTS = 100
_MOST_SECONDS = 86_400


class Definition(msgspec.Struct, frozen=True):
    """A subscription, understood. `content` is None for plain R4; then a payload type means the resource itself."""

    id: str
    type: str
    criteria: Pairs
    filters: tuple[Pairs, ...]
    changes: frozenset[str]
    becomes: Pairs | None
    topic: str | None
    channel: str
    endpoint: str
    headers: tuple[tuple[str, str], ...]
    payload: str | None
    content: str | None
    heartbeat: int
    timeout: int
    most: int
    end: str | None


def read_definition(fhir: Fhir, subscription: Mapping[str, Any]) -> Definition:
    """The definition in a Subscription; FhirError says what of it cannot be followed."""
    channel = subscription["channel"]
    criteria = str(subscription.get("criteria", ""))
    content = _extension(channel, "_payload", "backport-payload-content", "valueCode")
    if content is not None and content not in CONTENTS:
        raise wrong(f"The content must be one of {', '.join(CONTENTS)}.", "Subscription.channel.payload.extension")
    topic = find_topic(criteria)
    if topic is not None:
        pairs, kind, changes = topic.criteria, topic.type, frozenset(topic.changes)
        content = content or "empty"
    elif criteria.startswith(("http://", "https://", "urn:")):
        raise wrong("There is no such topic on this server. Subscription/$topics lists them.", "Subscription.criteria")
    else:
        kind, pairs = read_criteria(criteria, "Subscription.criteria")
        check_criteria(fhir, kind, pairs)
        changes = frozenset({"create", "update"})
    definition = Definition(
        str(subscription.get("id", "")),
        kind,
        pairs,
        _filters(fhir, subscription, kind, topic.filters if topic else None),
        changes,
        pairs if topic is not None and topic.becomes else None,
        topic.url if topic else None,
        *_channel(fhir, channel),
        content,
        _number(channel, "backport-heartbeat-period", 0, _MOST_SECONDS),
        _number(channel, "backport-timeout", 0, _MOST_SECONDS),
        _number(channel, "backport-max-count", 1, _MOST_EVENTS),
        subscription.get("end"),
    )
    if definition.channel == "rest-hook":
        Wall(fhir.settings.inner_hosts).check(definition.endpoint, "Subscription.channel.endpoint")
    return definition


def read_criteria(text: str, where: str) -> tuple[str, Pairs]:
    """`Type?query` as its parts."""
    kind, _, query = text.partition("?")
    if kind not in load().resource_types:
        raise wrong("Criteria are written Type?search, or are the URL of a topic.", where)
    return kind, tuple(parse_qsl(query, keep_blank_values=True))


def _channel(fhir: Fhir, channel: Mapping[str, Any]) -> tuple[str, str, tuple[tuple[str, str], ...], str | None]:
    """Type, endpoint, headers and payload."""
    kind = channel.get("type")
    if kind not in ("rest-hook", "websocket"):
        raise wrong("The channel must be rest-hook or websocket.", "Subscription.channel.type")
    payload = channel.get("payload")
    if payload is not None and payload.partition(";")[0].strip() not in JSON_TYPES:
        raise wrong("The payload must be application/fhir+json.", "Subscription.channel.payload")
    endpoint = str(channel.get("endpoint", ""))
    if len(endpoint) > fhir.settings.max_url_bytes:
        raise wrong("The endpoint is too long.", "Subscription.channel.endpoint")
    headers = []
    for number, text in enumerate(channel.get("header") or ()):
        found = _HEADER.fullmatch(text)
        if found is None or found[1].lower() in _OURS:
            where = f"Subscription.channel.header[{number}]"
            raise wrong("A header is written Name: value, and is none that HTTP needs for itself.", where)
        headers.append((found[1], found[2]))
    return kind, endpoint, tuple(headers), payload


def _filters(
    fhir: Fhir, subscription: Mapping[str, Any], kind: str, allowed: tuple[str, ...] | None
) -> tuple[Pairs, ...]:
    """The filters of a topic; each must be met."""
    where = "Subscription.criteria.extension"
    found = []
    for text in _extensions(subscription.get("_criteria"), "backport-filter-criteria", "valueString"):
        name, pairs = read_criteria(text if "?" in text else f"{kind}?{text}", where)
        if allowed is None or name != kind:
            raise wrong("A filter belongs to a topic and is about the type of its resources.", where)
        if allowed and any(key.partition(":")[0].partition(".")[0] not in allowed for key, _ in pairs):
            raise wrong(f"This topic can be filtered by {', '.join(allowed)}.", where)
        check_criteria(fhir, name, pairs)
        found.append(pairs)
    return tuple(found)


def _extensions(element: Any, name: str, value: str) -> list[Any]:
    """The values of an extension of the backport on an element."""
    listed = element.get("extension") if isinstance(element, dict) else None
    url = f"{BACKPORT_EXTENSIONS}{name}"
    return [one[value] for one in listed or () if one.get("url") == url and value in one]


def _extension(channel: Mapping[str, Any], element: str, name: str, value: str) -> str | None:
    found = _extensions(channel.get(element), name, value)
    return str(found[0]) if found else None


def _number(channel: Mapping[str, Any], name: str, default: int, most: int) -> int:
    found = [*_extensions(channel, name, "valueUnsignedInt"), *_extensions(channel, name, "valuePositiveInt")]
    return min(int(found[0]), most) if found else default


def wrong(text: str, where: str) -> FhirError:
    """What of a Subscription cannot be followed."""
    return FhirError.of(Category.INCORRECT, "business-rule", text, where)
