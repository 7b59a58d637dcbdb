"""Codes of notes rest on words that are there, and may be billed."""

from __future__ import annotations

import pytest

from benchmarks.findings import notes
from campaigns.evidence import CORPUS, measure, texts


def test_codes_of_notes_hold(pipeline) -> None:
    """No code without its verbatim words, none unknown, none that cannot be billed."""
    codes, wrong = measure(pipeline, [("notes", text) for text in notes()[:8]])
    assert codes["notes"] > 20 and not wrong


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpora are not here")
def test_codes_of_the_corpora_hold(pipeline) -> None:
    """The same over some documents of the corpora; the campaign asks all of them."""
    codes, wrong = measure(pipeline, list(texts())[::80])
    assert sum(codes.values()) > 50 and not wrong
