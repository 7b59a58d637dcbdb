"""What a child process is told so that it can prepare a question and judge the answer; over the pipe, as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from extractors.adjudicate.adjudicate import Hearing, open_hearing
from extractors.adjudicate.model import Bounds
from extractors.adjudicate.offers import offers_of
from extractors.deid.vocabulary import Vocabulary
from extractors.model import Coded, Document


class Told(msgspec.Struct, frozen=True):
    """Who is known, whom the document is about, and the terms of the question; `closed`: nothing may leave."""

    key: bytes
    bounds: Bounds
    model: str
    subject: str = ""
    people: Sequence[Mapping[str, Any]] = ()
    closed: bool = False

    def hearing(self, document: Document, coded: Coded, vocabulary: Vocabulary) -> Hearing | None:
        """The hearing of a document; None when there is nothing to ask."""
        if self.closed:
            offers = offers_of(coded, self.bounds)
            return Hearing(offers, None, None, self.bounds.prompt) if offers else None
        return open_hearing(
            document,
            coded,
            self.bounds,
            people=self.people,
            subject=self.subject,
            vocabulary=vocabulary,
            key=self.key,
        )
