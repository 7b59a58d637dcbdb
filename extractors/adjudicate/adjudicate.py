"""The seam to the coder: a document and its codes in, a question out; the answer in, decisions out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from extractors.adjudicate.answer import judge
from extractors.adjudicate.ask import ask
from extractors.adjudicate.model import Bounds, Heard, Offer, Question
from extractors.adjudicate.offers import offers_of
from extractors.deid.known import known_from, known_from_block, together
from extractors.deid.surrogates import new_map
from extractors.deid.text import Clean, Road
from extractors.deid.vocabulary import Vocabulary
from extractors.model import Adjudication, Coded, Document
from fhir_profiles.errors import Category, FhirError


@dataclass(frozen=True, slots=True)
class Hearing:
    """A document's offers and what may be asked about them; `question` is None when the gate let nothing out."""

    offers: tuple[Offer, ...]
    question: Question | None
    clean: Clean | None
    prompt: str

    def judged(self, heard: Heard) -> Adjudication:
        """What of an answer counts; whatever is wrong with it, every offer is accounted for."""
        if self.question is None or self.clean is None:
            keys = tuple((offer.system, offer.code) for offer in self.offers)
            return Adjudication(heard.model, self.prompt, keys, (), dict.fromkeys(keys, "gate"), "gate")
        return judge(heard, self.question, self.clean, self.offers)


def open_hearing(
    document: Document,
    coded: Coded,
    bounds: Bounds,
    *,
    people: Iterable[Mapping[str, Any]],
    subject: str,
    vocabulary: Vocabulary,
    key: bytes,
) -> Hearing | None:
    """The hearing about a document's suggested codes; None when there is nothing to ask.

    `people` are the resources of those who are known (Patient, RelatedPerson, Practitioner), `subject` tells one
    patient from another, `key` makes their stand-ins: with the same key the same document gives the same question,
    so that nothing need be kept to map an answer back.
    """
    offers = offers_of(coded, bounds)
    if not offers:
        return None
    known = together(known_from(people), known_from_block(coded.findings.identity))
    road = Road(known, vocabulary, key, new_map(key, subject or _nobody(document)))
    try:
        clean = road.clean(document.text)
        return Hearing(offers, ask(road, clean, offers, bounds, key), clean, bounds.prompt)
    except FhirError as error:
        if error.category is not Category.FORBIDDEN:
            raise
        return Hearing(offers, None, None, bounds.prompt)


def outcomes(adjudication: Adjudication) -> dict[str, int]:
    """How many codes were kept, dropped, or stay undecided for which reason; and answers about others."""
    counts: Counter[str] = Counter(decision.verdict for decision in adjudication.decisions)
    counts.update(adjudication.refused.values())
    counts["not-offered"] += adjudication.strangers
    return {name: number for name, number in counts.items() if number}


def _nobody(document: Document) -> str:
    """Who a document without a subject is about: nobody else's."""
    return document.sha256 or hashlib.sha256(document.text.encode()).hexdigest()
