"""The question about a note: de-identified, fenced, through the last gate, with a schema for the answer.

https://json-schema.org/understanding-json-schema
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from extractors.adjudicate.excerpt import excerpt, to_clean
from extractors.adjudicate.model import BECAUSE, Bounds, Offer, Question
from extractors.adjudicate.prompts import prompt
from extractors.deid.gate import may_leave
from extractors.deid.text import Clean, Road

_SHOWN = 120  # characters of a candidate's words


def ask(road: Road, clean: Clean, offers: Sequence[Offer], bounds: Bounds, key: bytes) -> Question:
    """The question; FhirError (forbidden) when the gate finds somebody in what would leave.

    `key` makes the number of the fence, which whoever wrote the note cannot know; equal notes give equal questions.
    """
    system, template = prompt(bounds.prompt)
    spans = [to_clean(clean, *span) for offer in offers for span in offer.spans]
    note = excerpt(clean.text, spans, bounds.characters)
    mark = hmac.new(key, note.encode(), hashlib.sha256).hexdigest()[:12]
    candidates = "\n".join(_line(clean, offer) for offer in offers)
    user = template.format(candidates=candidates, mark=mark, note=note)
    return Question(bounds.prompt, system, may_leave(user, road.identifiers), schema_of(offers))


def _line(clean: Clean, offer: Offer) -> str:
    """A candidate as JSON on a line: its code, its meaning and its words in the cleaned text."""
    words = dict.fromkeys(" ".join(clean.text[slice(*to_clean(clean, *span))].split())[:_SHOWN] for span in offer.spans)
    return json.dumps({"code": offer.code, "meaning": offer.display, "words": list(words)[:3]}, ensure_ascii=False)


def schema_of(offers: Sequence[Offer]) -> dict[str, Any]:
    """The JSON schema of an answer, in the part of the language that strict endpoints take."""
    decision = {
        "code": {"type": "string", "enum": [offer.code for offer in offers]},
        "verdict": {"type": "string", "enum": ["keep", "drop"]},
        "because": {"type": "string", "enum": list(BECAUSE)},
        "quote": {"type": "string"},
    }
    return _closed({"decisions": {"type": "array", "items": _closed(decision)}})


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def cache_key(question: Question, model: str, tokens: int) -> str:
    """What an answer depends on: the model, the longest answer in tokens, and every character of the question."""
    parts = (question.prompt, model, str(tokens), question.system, question.user, json.dumps(question.schema))
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return f"adjudication:{digest.hexdigest()}"
