"""Find concepts by the words people use: every word must occur, in any order, the last may be unfinished."""

from __future__ import annotations

from terminology.file import EditionFile
from terminology.folding import fold
from terminology.model import Concept

POOL = 2000  # candidates that are ranked; ids are in book order, so headers come before their details


def search(file: EditionFile, number: int, text: str, count: int, billable: bool, pool: int = POOL) -> list[Concept]:
    """Up to `count` concepts: an exact code first, then short titles that begin with the text.

    A word that nobody has counts as the beginning of one. Of more than `pool` candidates the first are ranked.
    """
    exact = file.concept(number, text.strip().upper())
    words = fold(text).split()
    ids: set[int] | None = None
    for i, word in enumerate(words):
        found = file.posting(word, prefix=i == len(words) - 1) or file.posting(word, prefix=True)
        ids = found if ids is None else ids & found
        if not ids:
            break
    concepts = [c for c in file.by_ids(number, sorted(ids or ())[:pool]) if not c.properties.get("group")]
    folded = fold(text)
    concepts.sort(key=lambda c: (not fold(c.display).startswith(folded), len(c.display), c.code))
    if exact is not None:
        concepts = [exact, *(c for c in concepts if c.code != exact.code)]
    return [c for c in concepts if c.billable or not billable][:count]
