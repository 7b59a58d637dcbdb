"""Fracture care without surgery, by the bone and by whether it was set (CPT 23500-28510)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import add_service, done_here
from extractors.coding.place import place_of
from extractors.coding.tables import table
from extractors.coding.weigh import ALONE

TREATED = Rule(
    "fracture-care", "CPT 23500-28510", "Closed treatment of a fracture, by the bone and by whether it was set"
)
ASK_SET = Rule("fracture-set", "CPT 23500-28510", "Asks whether a fracture was set")
_TREATED = asked(
    r"\bclosed (?:fracture )?(?:treatment|tx|reduction|care)\b|\bfracture care\b|\bfx care\b|\btreated closed\b"
)
_SET = re.compile(
    r"\b(?:with|w/) ?(?:closed )?(?:manipulation|reduction)\b|\bclosed reduction\b|\bmanipulated\b|\breduced\b"
)
_NOT_SET = re.compile(r"\b(?:without|w/o|no|not) (?:any )?(?:manipulat\w+|reduc\w+)|\bnon-?manipulative\b")
_OPENED = re.compile(r"\b(?:orif|open reduction|open treatment|percutaneous|pinning|fixation)\b")


def fractures(case: Case) -> None:
    """The bone is named in the clause, or in a short text at all."""
    if case.setting != "outpatient":
        return
    for match in case.search(_TREATED):
        low, high = (0, len(case.text)) if len(case.text) <= ALONE else bounds(case.text, *match.span())
        clause = case.text[low:high]
        if not re.search(r"\b(?:fracture\w*|fx|broken|colles|boxer'?s?)\b", clause) or _OPENED.search(clause):
            continue
        if not done_here(case, *match.span(), said=True):
            continue
        codes = next((c for words, *c in table("services")["fractures"] if re.search(words, clause)), None)
        if codes is None:
            continue
        if _NOT_SET.search(clause):
            code = codes[0]
        elif _SET.search(clause):
            code = codes[1]
        else:
            case.ask(ASK_SET, "Was the fracture set, or treated without manipulation?", *match.span())
            return
        if code:
            place = place_of(case, *match.span())
            add_service(case, code, match.span(), TREATED, "The bone and the treatment are named", modifiers=place)
        return


RULES = (fractures,)
