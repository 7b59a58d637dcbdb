"""Abbreviations with more than one meaning."""

from __future__ import annotations

import pytest

from extractors.findings import find
from extractors.findings.short import choose, table


@pytest.mark.parametrize(
    ("short", "near", "whole", "means"),
    [
        ("MS", "ms, on interferon", "", "multiple sclerosis"),
        ("MS", "severe ms by echo, high gradient", "", "rheumatic mitral stenosis"),
        ("MS", "ms: alert and oriented", "", None),
        ("MS", "ms stable", "she has multiple sclerosis (ms). ms stable", "multiple sclerosis"),
        ("RA", "ra on methotrexate", "", "rheumatoid arthritis"),
        ("RA", "spo2 98% on ra", "", None),
        ("AF", "af on apixaban", "", "atrial fibrillation"),
        ("AF", "head: af soft and flat", "", None),
        ("CP", "cp and sob", "", "chest pain"),
        ("CP", "spastic cp", "", "cerebral palsy"),
        ("PE", "pe: nad", "", None),
        ("PE", "saddle pe on cta", "", "pulmonary embolism"),
        ("PD", "pd on levodopa", "", "parkinson disease"),
        ("OM", "acute om of the left ear", "", "otitis media"),
        ("OM", "om of the foot under an ulcer", "", "osteomyelitis"),
        ("AR", "seasonal ar, on cetirizine", "", "allergic rhinitis"),
    ],
)
def test_context_chooses(short: str, near: str, whole: str, means: str | None) -> None:
    """The words of the sentence, then those of the document, decide."""
    meaning = choose(table()[short], near, whole or near)
    assert meaning is not None and meaning.means == means


@pytest.mark.parametrize("short", ["MS", "RA", "PE", "ED", "OM"])
def test_no_context_no_meaning(short: str) -> None:
    """Without a cue an abbreviation that has no usual meaning means nothing."""
    assert choose(table()[short], f"follow-up of {short.lower()}", "") is None


def test_evidence_is_the_short_form(document, lexicon) -> None:
    """The finding stands where the short form is printed, with the concept of its meaning."""
    finding = find(document("Saddle PE on CTA. No DVT."), lexicon).items[0]
    assert (finding.text, finding.concepts[0][1]) == ("PE", "I26.99")


def test_capitals_are_words(document, lexicon) -> None:
    """In a text all in capitals nothing is taken for an abbreviation."""
    assert not find(document("PATIENT SEEN WITH PE OF THE EMBOLIC TYPE"), lexicon).items
