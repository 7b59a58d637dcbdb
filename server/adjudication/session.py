"""The adjudication of documents that are not stored: one after the other in this process."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from extractors.adjudicate.adjudicate import outcomes
from extractors.deid.vocabulary import Vocabulary
from extractors.model import Adjudication, Coded, Document, Findings, Setting
from extractors.pipeline import Pipeline
from server.adjudication.opening import Court, open_court
from server.adjudication.told import Told
from server.settings import Settings


class Coder(Protocol):
    """Codes findings: a pipeline does, and a session with a model."""

    def code(self, findings: Findings, document: Document, setting: Setting | None = None) -> Coded:
        """The codes of a document."""


def coder_of(settings: Settings, pipeline: Pipeline) -> Coder:
    """The pipeline itself, or with a language model where the settings have one."""
    court = open_court(settings)
    return pipeline if court is None else Session(pipeline, court)


class Session:
    """A pipeline with an adjudicator; the document says itself who is known."""

    def __init__(self, pipeline: Pipeline, court: Court) -> None:
        self._pipeline, self._court = pipeline, court
        self._told = Told(court.key, court.bounds, court.adjudicator.terms.model)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.of(self._pipeline.lexicon)

    def decided(self, document: Document, coded: Coded) -> Adjudication | None:
        """What a language model said of the suggested codes; None when there was nothing to ask."""
        hearing = self._told.hearing(document, coded, self._vocabulary)
        if hearing is None:
            return None
        court = self._court.adjudicator
        adjudication = hearing.judged(court.gate() if hearing.question is None else court.ask(hearing.question))
        court.tell(outcomes(adjudication))
        return adjudication

    def code(self, findings: Findings, document: Document, setting: Setting | None = None) -> Coded:
        """The codes of a document, as `Pipeline.code` gives them, with the model's decisions."""
        coded = self._pipeline.code(findings, document, setting)
        adjudication = self.decided(document, coded)
        return coded if adjudication is None else self._pipeline.code(findings, document, setting, adjudication)
