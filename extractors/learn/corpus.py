"""Documents with the codes that coders gave them, one JSON object a line.

`{"id", "split", "text", "gold": {"icd10cm": [codes], "evidence": [{code, start, end}]}}`; a translated corpus has
`text_es` and `evidence_es` (`code`, `type`, `offsets_es` as "a b;c d") instead, as CodiEsp v4 (CC BY 4.0) does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractors.model import Span


@dataclass(frozen=True, slots=True)
class Marked:
    """Places that a coder marked for a code."""

    code: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A document, its ICD-10-CM codes, and the evidence: in its own text, or in the original it was translated from."""

    id: str
    split: str
    text: str
    codes: frozenset[str]
    evidence: tuple[Marked, ...] = ()
    original: str = ""
    marked_in_original: tuple[Marked, ...] = field(default=())


def rows(path: Path, split: str | None = None) -> list[Row]:
    """The documents of a corpus, or of one split.

    Raises `OSError`, `ValueError` and `KeyError` for what is no corpus.
    """
    with path.open(encoding="utf-8") as lines:
        found = [_row(json.loads(line)) for line in lines if line.strip()]
    return [row for row in found if split is None or row.split == split]


def _row(raw: Mapping[str, Any]) -> Row:
    gold = raw["gold"] if isinstance(raw["gold"], dict) else {"icd10cm": raw["gold"]}
    codes = (item["code"] if isinstance(item, dict) else item for item in gold["icd10cm"])
    own = (Marked(str(e["code"]).upper(), ((int(e["start"]), int(e["end"])),)) for e in gold.get("evidence", ()))
    return Row(
        str(raw.get("id", "")),
        str(raw.get("split", "")),
        str(raw["text"]),
        frozenset(str(code).upper() for code in codes),
        tuple(own),
        str(raw.get("text_es", "")),
        tuple(_original(gold.get("evidence_es", ()))),
    )


def _original(evidence: Any) -> Iterator[Marked]:
    for item in evidence:
        if item.get("type", "CM") == "CM":
            pairs = (part.split() for part in item["offsets_es"].split(";"))
            yield Marked(str(item["code"]).upper(), tuple((int(a), int(b)) for a, b in pairs))
