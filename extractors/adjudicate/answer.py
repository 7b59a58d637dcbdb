"""What of an answer counts: decisions about offered codes that quote the words they are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from extractors.adjudicate.model import BECAUSE, Heard, Offer, Question
from extractors.adjudicate.quote import LONGEST, SHORTEST, places
from extractors.deid.text import Clean
from extractors.model import Adjudication, Decision, Span

MOST = 200_000  # characters of an answer that are looked at


class _Decision(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    verdict: Literal["keep", "drop"]
    because: str
    quote: str


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    decisions: list[_Decision]


_decoder = msgspec.json.Decoder(_Answer)


def judge(heard: Heard, question: Question, clean: Clean, offers: Sequence[Offer]) -> Adjudication:
    """The decisions that hold, and for each other offer why there is none.

    Nothing of the answer's own words goes further: a quotation becomes the span of the note where it stands.
    """
    offered = {(offer.system, offer.code): offer for offer in offers}
    told = _parsed(heard.text, len(offers)) if heard.text is not None else None
    silence = heard.silence or ("malformed" if told is None else None)
    refused: dict[tuple[str, str], str] = dict.fromkeys(offered, silence or "undecided")
    decisions: list[Decision] = []
    strangers = 0
    by_code = {code: (system, code) for system, code in offered}
    said = [decision.code for decision in told or ()]
    for decision in told or ():
        key = by_code.get(decision.code)
        if key is None:
            strangers += 1
            continue
        found = "twice" if said.count(decision.code) > 1 else _proved(decision, clean, offered[key].spans)
        if isinstance(found, str):
            refused[key] = found
            continue
        del refused[key]
        decisions.append(Decision(*key, decision.verdict, decision.because, found))
    return Adjudication(heard.model, question.prompt, tuple(offered), tuple(decisions), refused, silence, strangers)


def is_answer(text: str) -> bool:
    """Whether a text keeps to the schema, so that it is worth keeping."""
    return _parsed(text, MOST) is not None


def _parsed(text: str, offers: int) -> list[_Decision] | None:
    """The decisions of an answer that keeps to the schema; None for any other."""
    if len(text) > MOST:
        return None
    try:
        found = _decoder.decode(text.encode())
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None
    return found.decisions if len(found.decisions) <= 4 * offers else None


def _proved(decision: _Decision, clean: Clean, spans: Sequence[Span]) -> Span | str:
    """Where the quotation stands on the words of the candidate; else why it proves nothing."""
    if decision.because not in BECAUSE or (decision.verdict == "keep") != (decision.because == "stated"):
        return "contradiction"
    quote = decision.quote.strip()
    if not SHORTEST <= len(quote) <= LONGEST:
        return "quote-length"
    where = list(places(clean, quote))
    if not where:
        return "quote-not-found"
    touching = (place for place in where if any(place[0] < end and start < place[1] for start, end in spans))
    return next(touching, "quote-elsewhere")
