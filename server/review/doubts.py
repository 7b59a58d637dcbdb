"""Values that were hard to read, to be compared with the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from server.review.model import Doubtful, Json, Place
from server.review.read import places_of, reference_of, tags_of, version_of

CONCEPTS = ("code", "medicationCodeableConcept", "valueCodeableConcept")


def doubtful_of(resources: Iterable[Json]) -> Iterator[Doubtful]:
    """What is tagged as doubtful and is no diagnosis or service, in the order of the text."""
    found = []
    for resource in resources:
        if resource["resourceType"] in ("Condition", "Procedure") or "doubtful" not in tags_of(resource):
            continue
        concept: Json = next((resource[name] for name in CONCEPTS if name in resource), {})
        reason = " ".join(note["text"] for note in resource.get("note") or () if note.get("text"))
        label = concept.get("text") or next((c.get("display", "") for c in concept.get("coding") or ()), "")
        places = _places(concept)
        told = (resource["resourceType"], label, _value(resource), reason, places)
        found.append(Doubtful(reference_of(resource), version_of(resource), *told))
    return iter(sorted(found, key=lambda one: one.places[0].offset if one.places else -1))


def _places(concept: Mapping[str, Any]) -> tuple[Place, ...]:
    """Of the concept itself where it has no coding, else of its codings."""
    every = [concept.get("extension") or [], *(c.get("extension") or [] for c in concept.get("coding") or ())]
    return next((places for extensions in every if (places := places_of(extensions))), ())


def _value(resource: Json) -> str:
    """The value in a line, "" where the resource has none."""
    if quantity := resource.get("valueQuantity"):
        return " ".join(str(quantity[name]) for name in ("comparator", "value", "unit") if name in quantity)
    dosage: Json = next(iter(resource.get("dosage") or ()), {})
    return str(resource.get("valueString") or dosage.get("text") or "")
