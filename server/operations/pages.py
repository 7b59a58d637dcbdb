"""The operations on the pages of a stored document: `$page-image`, `$page-words`, `$correct-words`."""

from __future__ import annotations

from fhir_profiles.systems import BASE
from server.interactions.fhir import Fhir
from server.operations.correct_words import CorrectWords
from server.operations.page_image import PNG, PageImage
from server.operations.page_words import JSON, PageWords
from server.operations.papers import Papers
from server.operations.registry import Handler, Operation
from server.settings import Settings


def operations(fhir: Fhir, settings: Settings) -> list[Operation]:
    """All of them, on a DocumentReference."""
    papers = Papers(fhir, settings)
    image = PageImage(papers, fhir, settings)
    words = PageWords(papers, fhir, settings, image.prepare)
    correct = CorrectWords(papers, words, fhir)
    return [
        _operation("page-image", image, "GET", PNG),
        _operation("page-words", words, "GET", JSON),
        _operation("correct-words", correct, "POST"),
    ]


def _operation(name: str, handler: Handler, method: str, gives: str = "") -> Operation:
    return Operation(
        name,
        frozenset({"instance"}),
        handler,
        frozenset({"DocumentReference"}),
        frozenset({method}),
        f"{BASE}/OperationDefinition/DocumentReference-{name}",
        for_all=True,
        gives=gives,
    )
