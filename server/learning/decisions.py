"""Coders' decisions as training documents: Provenance (https://hl7.org/fhir/R4/provenance.html) about a Condition.

`activity` is `accept`, `reject`, `replace` or `add` of our CodeSystem `coding-decision`, `target` the Condition, and
with `replace` and `add` a second coding of `activity` is the code that the coder chose. A document is learned from when
every Condition that was coded from it was decided on; of several decisions the latest counts that was not undone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from extractors.learn import Row
from extractors.learn.corpus import Marked
from extractors.model import Span
from fhir_profiles.systems import CODING_DECISION, DERIVATION_REFERENCE, ICD10CM
from server.review.past import in_order, void_of
from server.review.read import reference_of
from server.review.unaided import is_unaided

VERDICTS = ("accept", "reject", "replace", "add")
CHOSEN = ("replace", "add")
"""Verdicts that name a code."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a coder decided about a Condition, when, and the code chosen instead."""

    kind: str
    at: str
    instead: str | None = None
    by: str = ""
    """The Provenance."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A document all of whose Conditions were decided on: (code, spans, decision) of each, and whose it is."""

    document: str
    subject: str
    items: tuple[tuple[str, tuple[Span, ...], Verdict], ...]

    def kept(self) -> list[tuple[str, tuple[Span, ...]]]:
        """The codes that coders left on it, each with the words that prove it."""
        return [(v.instead or code, spans) for code, spans, v in self.items if v.kind != "reject"]


@dataclass
class Reviewed:
    """Documents that were reviewed whole, and the number of those left out because something is undecided."""

    rows: list[Row] = field(default_factory=list)
    unfinished: int = 0
    unreadable: int = 0


def read_verdict(provenance: Mapping[str, Any]) -> tuple[tuple[str, ...], Verdict] | None:
    """The Conditions a Provenance is about and the decision in it; None where it is no coder's decision."""
    codings = (provenance.get("activity") or {}).get("coding") or ()
    kind = next((c.get("code") for c in codings if c.get("system") == CODING_DECISION), None)
    instead = next((str(c["code"]).upper() for c in codings if c.get("system") == ICD10CM and c.get("code")), None)
    if kind not in VERDICTS or (kind in CHOSEN) != (instead is not None):
        return None
    targets = (str(t.get("reference", "")).partition("/_history")[0] for t in provenance.get("target") or ())
    by = f"Provenance/{provenance.get('id', '')}"
    verdict = Verdict(kind, provenance.get("recorded", ""), instead, by)
    return tuple(t for t in targets if t.startswith("Condition/")), verdict


def latest(provenances: Iterable[Mapping[str, Any]]) -> dict[str, Verdict]:
    """Condition → the decision that counts."""
    found: dict[str, Verdict] = {}
    decisions = in_order(provenances)
    void = void_of(decisions)
    for provenance in decisions:
        if reference_of(provenance) in void:
            continue
        for target, verdict in [(t, read[1]) for read in [read_verdict(provenance)] if read for t in read[0]]:
            if target not in found or found[target].at <= verdict.at:
                found[target] = verdict
    return found


def said(condition: Mapping[str, Any]) -> tuple[str, str, tuple[Span, ...]] | None:
    """(document, ICD-10-CM code, spans) of a Condition that was coded from a document; None for any other.

    Also for one that was coded unaided: what a coder left unmarked there was no decision about a suggestion.
    """
    if is_unaided(condition):
        return None
    for coding in (condition.get("code") or {}).get("coding") or ():
        if coding.get("system") != ICD10CM:
            continue
        places = [_place(e) for e in coding.get("extension") or () if e.get("url") == DERIVATION_REFERENCE]
        if places:
            document = places[0][0]
            return document, str(coding["code"]).upper(), tuple(span for where, span in places if where == document)
    return None


def _place(extension: Mapping[str, Any]) -> tuple[str, Span]:
    parts = {e["url"]: e for e in extension.get("extension") or ()}
    start = int(parts["offset"]["valueInteger"])
    reference = str(parts["reference"]["valueReference"]["reference"]).partition("/_history")[0]
    return reference, (start, start + int(parts["length"]["valueInteger"]))


def decided_whole(conditions: Iterable[bytes], provenances: Iterable[bytes]) -> tuple[list[Whole], int]:
    """Documents that were decided on whole, in the order of their names, and how many others have a decision."""
    verdicts = latest(map(json.loads, provenances))
    items: defaultdict[str, list[tuple[str, tuple[Span, ...], Verdict | None]]] = defaultdict(list)
    subjects: dict[str, str] = {}
    for body in conditions:
        condition = json.loads(body)
        if found := said(condition):
            document, code, spans = found
            items[document].append((code, spans, verdicts.get(f"Condition/{condition['id']}")))
            subjects[document] = str((condition.get("subject") or {}).get("reference", ""))
    wholes: list[Whole] = []
    unfinished = 0
    for document, several in sorted(items.items()):
        decided = [(code, spans, verdict) for code, spans, verdict in several if verdict is not None]
        if len(decided) == len(several):
            wholes.append(Whole(document, subjects[document], tuple(decided)))
        else:
            unfinished += bool(decided)
    return wholes, unfinished


def reviewed(
    conditions: Iterable[bytes], provenances: Iterable[bytes], text_of: Callable[[str], str | None]
) -> Reviewed:
    """Training documents; `text_of` gives the text of `DocumentReference/ID` as it was read, or None."""
    wholes, unfinished = decided_whole(conditions, provenances)
    result = Reviewed(unfinished=unfinished)
    for one in wholes:
        if (text := text_of(one.document)) is None:
            result.unreadable += 1
        else:
            kept = one.kept()
            marks = tuple(Marked(code, spans) for code, spans in kept)
            result.rows.append(Row(one.document, "train", text, frozenset(c for c, _ in kept), marks))
    return result
