"""Optional components from spaCy's family, by factory name: abbreviations defined in the text, any installed NER model.

Nothing here is imported unless asked for, no model ships, and nothing is downloaded: a missing package or model is an
error that says what to install.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from extractors.model import Document, Span
from fhir_profiles.errors import Category, FhirError

Component = Callable[[Document], list[tuple[Span, str]]]


def component(name: str) -> Component:
    """The component of a setting: `scispacy_abbreviations`, or `spacy_ner:MODEL` for an installed model.

    A component gives (span, label): the long form of an abbreviation, or the label of an entity. Raises
    `FhirError` (unsupported) for a name that is none of these, (unavailable) when its package is not installed.
    """
    kind, _, model = name.partition(":")
    factory = FACTORIES.get(kind)
    if factory is None:
        known = ", ".join(sorted(FACTORIES))
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", f"There is no such component; known are: {known}.")
    return factory(model)


def expansions(document: Document, components: Sequence[str] = ("scispacy_abbreviations",)) -> dict[str, str]:
    """Short form → long form, as the document itself defines them."""
    return {document.text[a:b]: label for name in components for (a, b), label in component(name)(document)}


def _abbreviations(_model: str) -> Component:
    nlp = _abbreviation_pipeline()

    def run(document: Document) -> list[tuple[Span, str]]:
        doc = nlp(document.text)
        return [
            ((s.start_char, s.end_char), s._.long_form.text)
            for s in doc._.abbreviations
            if s.text != s._.long_form.text
        ]

    return run


@cache
def _abbreviation_pipeline() -> Any:
    spacy = _spacy()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import scispacy.abbreviation  # noqa: F401 - registers the factory
    except ImportError as error:
        raise _missing("scispacy") from error
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("abbreviation_detector")
    return nlp


def _ner(model: str) -> Component:
    nlp = _model(model)

    def run(document: Document) -> list[tuple[Span, str]]:
        return [((e.start_char, e.end_char), e.label_) for e in nlp(document.text).ents]

    return run


@cache
def _model(name: str) -> Any:
    spacy = _spacy()
    if not name or not spacy.util.is_package(name):
        raise _missing(f"the spaCy model {name}" if name else "a spaCy model: name one after the colon")
    return spacy.load(name)


def _spacy() -> Any:
    try:
        from loguru import logger

        logger.disable("PyRuSH")  # it writes the text it splits to the log
    except ImportError:
        pass
    try:
        with warnings.catch_warnings():  # the family's imports warn of their own dependencies' future
            warnings.simplefilter("ignore")
            import spacy
    except ImportError as error:
        raise _missing("spacy") from error
    return spacy


def _missing(what: str) -> FhirError:
    return FhirError.of(Category.UNAVAILABLE, "not-found", f"This component needs {what}, which is not installed here.")


FACTORIES: dict[str, Callable[[str], Component]] = {"scispacy_abbreviations": _abbreviations, "spacy_ner": _ner}
