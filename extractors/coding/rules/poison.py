"""Poisoning by drugs and toxic effects of other substances, by what it was and whether it was meant (I.C.19.e.5)."""

from __future__ import annotations

import re
from functools import cache

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.drugs_named import DRUGS, drug_in
from extractors.coding.tables import table
from extractors.findings.cues import Cued

POISON_PAST = Rule(
    "poisoning-past", "I.C.21.c.4", "An overdose of a former year is not coded; an attempt to die is a history"
)
POISON = Rule(
    "poisoning",
    "I.C.19.e.5.b",
    "Too much of a drug or the wrong one: by drug and intent, first-listed, accidental unless stated",
)
TOXIC = Rule("toxic-effect", "I.C.19.e.5.d", "A toxic effect is coded by substance and intent")
ALCOHOL = Rule(
    "drug-with-alcohol",
    "I.C.19.e.5.b",
    "An interaction of a drug with alcohol is a poisoning by both, not an adverse effect",
)
_ALCOHOL = re.compile(
    r"^ (?:and|with|together with|combined with|plus) (?:\w+ )?(alcohol|wine|beer|liquor|vodka|whiskey)\b"
)
_OVERDOSE = asked(
    r"\b(?:over-?dose|overdosed|poisoning|toxic ingestion|ingested too (?:much|many)|(?:took|taken"
    r"|swallowed) (?:too (?:much|many)|twice|double"
    r"|two times|three times|triple|extra|an extra|the wrong|someone else's|his wife's|her husband's)"
    r"|in error|by (?:mistake|accident)|mistakenly took|accidental(?:ly)? (?:took|taken|swallow\w+|ingest\w+|drank)"
    r"|(?:took|taken|swallowed|ingested|got into) (?:an? )?(?:handful|bottle|whole bottle|entire bottle"
    r"|unknown (?:amount|number))"
    r"|(?:took|swallowed|ingested|got into) (?:his |her |their |the )?[a-z]+'s"
    r"|(?:took|swallowed|ingested) (?:about |approximately |around |roughly |~ ?)?[1-9]\d+ "
    r"(?:of )?(?:(?:his|her|their|the|my) )?(?:[a-z]+ )?"
    r"(?:tablets|tabs|pills|capsules)"
    r"|suicide attempt|attempted suicide|suicide gesture|self-harm)\b"
)
_AND = re.compile(r"(?: (?:tablets|pills|capsules))?(?:, and |, | and | with | plus )")
_DRINK = re.compile(r"(?:\w+ )?(?:alcohol|vodka|whiskey|beer|wine)\b")
_MEANT = re.compile(r"\b(?:intentional|intentionally|suicid\w+|self-harm|self-?poison\w*|deliberate\w*)\b")
_TO_DIE = re.compile(
    r"(?<!not )\b(?:want(?:ed|ing)? to die|(?:kill|hurt|harm) (?:her|him)self"
    r"|end (?:her|his) (?:own )?life|suicide attempt)\b"
)
_UNKNOWN = re.compile(r"\bundetermined intent|\bintent (?:is |was )?(?:undetermined|not (?:known|determined)|unclear)")


_TAKEN = re.compile(
    r"\b(?:drank|drunk|swallow\w*|ingest\w*|inhal\w*|ate|eaten|poison\w*|toxic\w*|sprayed|spilled|burn\w*|corros\w*"
    r"|splash\w*|breathed)\b"
)
_YEAR = re.compile(r"\b(?:in|of|since) (?:[a-z]+ )?((?:19|20)\d\d)\b")
_AGO = re.compile(r"\b(?:years? ago|(?:history|hx) of|h/o|as a teen\w*|in (?:the )?past|previously)\b")
_MONOXIDE = asked(r"\bcarbon monoxide (?:poisoning|toxicity|exposure|inhalation)|\bpoisoning by carbon monoxide")
_SOURCES = (
    (re.compile(r"\b(?:exhaust|car|vehicle|motor|garage)\b"), "T58.0"),
    (re.compile(r"\b(?:utility|natural gas|gas stove|gas heater|gas furnace|water heater)\b"), "T58.1"),
    (re.compile(r"\b(?:charcoal|kerosene|coal|wood|fireplace|grill|stove|furnace)\b"), "T58.2X"),
    (re.compile(r"\b(?:generator|industrial|blast furnace|kiln)\b"), "T58.8X"),
)


def poisoning(case: Case) -> None:
    """Too much of a drug, or the wrong one: by drug and intent, accidental unless the text says otherwise."""
    if not case.says(
        "overdos",
        "over-dos",
        "poisoning",
        "ingest",
        "took ",
        "taken ",
        "swallowed",
        "mistake",
        "error",
        "suicid",
        "self-harm",
        "accident",
        "got into",
    ):
        return
    for match in case.search(_OVERDOSE):
        low = max(case.text.rfind(stop, 0, match.start()) for stop in ".;\n") + 1
        left = max(low, match.start() - 40)
        within = drug_in(case, match.start(), match.end() - match.start())
        drug = within or drug_in(case, match.end(), 50) or drug_in(case, left, match.start() - left)
        if drug is None:
            continue
        end = max(drug.end, match.end())
        clause = case.text[low : end + 60].split(".")[0]
        intent = _intent(clause, case.text)
        if _is_past(case, clause):
            if intent == "2":
                case.add("Z91.51", match.start(), end, POISON_PAST, "An attempt of the past is a history")
                _meant(case, intent)
            continue
        why = "Poisoning by a drug, first-listed; the intent is accidental unless stated"
        new = case.add(f"{drug.stem}{intent}A", min(drug.start, match.start()), end, POISON, why)
        if new is not None:
            new.rank = min(new.rank, -2)
        _meant(case, intent)
        _further(case, end, intent)


def _is_past(case: Case, clause: str) -> bool:
    """True of a clause that speaks of a year before that of the visit, or of years ago."""
    day = case.findings.identity.service_date
    years = [int(year) for year in _YEAR.findall(clause)]
    return bool(_AGO.search(clause)) or (bool(years) and max(years) < (day.year if day else 9999))


def _further(case: Case, at: int, intent: str) -> None:
    """Each further drug that was taken with the first: "of lorazepam, tramadol and alcohol"."""
    for _ in range(3):
        joined = _AND.match(case.text, at)
        if joined is None:
            return
        drank = _DRINK.match(case.text, joined.end())
        drug = None if drank else drug_in(case, joined.end(), 24)
        base = "T51.0X" if drank else drug.stem if drug else None
        if base is None:
            return
        start, at = drank.span() if drank else (drug.start, drug.end) if drug else (at, at)
        new = case.add(_full(base, intent), start, at, POISON, "It was taken with it")
        if new is not None:
            new.rank = min(new.rank, -1)


def _meant(case: Case, intent: str) -> None:
    """A suicide attempt of known means is coded by these alone (T14.91)."""
    for attempt in case.accepted("T14.91") if intent == "2" else ():
        case.reject(attempt, POISON, "The intent is in the poisoning's code")


def _full(stem: str, intent: str) -> str:
    """The code of active treatment, with X in its gaps."""
    return f"{stem}{intent}A" if len(stem) > 5 else f"{stem}{intent}XA"


def _wanted_to_die(text: str) -> bool:
    """The patient did, not a relative."""
    return any(not _NOT_HE.search(text, max(0, m.start() - 40), m.start()) for m in _TO_DIE.finditer(text))


_NOT_HE = re.compile(
    r"\b(?:mother|father|brother|sister|wife|husband|son|daughter|friend|denie[sd]|denying"
    r"|no|not|never|did ?n.t)\b[^.;\n]*$"
)


def _intent(clause: str, text: str = "") -> str:
    """The character of the intent: accidental unless the text says otherwise (I.C.19.e.5.b)."""
    if _MEANT.search(clause) or _wanted_to_die(text):
        return "2"
    return "3" if "assault" in clause else "4" if _UNKNOWN.search(clause) else "1"


@cache
def _substances() -> tuple[Cued, dict[str, str]]:
    named: dict[str, str] = table("drug_classes")["substances"]
    return asked(rf"\b({'|'.join(sorted(named, key=len, reverse=True))})\b", named), named


def toxic(case: Case) -> None:
    """What is no drug: cleaners, fuels, alcohols, gases, plants."""
    pattern, named = _substances()
    for match in case.search(pattern):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        if _TAKEN.search(clause) is None or not _harmed(clause):
            continue
        intent = _intent(clause)
        code = _full(named[match[1]], intent)
        _meant(case, intent)
        new = case.add(code, *match.span(), TOXIC, "The substance that did harm")
        if new is not None:
            new.rank = min(new.rank, -2)
    if case.says("carbon monoxide"):
        _monoxide(case)


def _harmed(clause: str) -> bool:
    return not re.search(r"\b(?:denies|no|history of|risk of|avoid\w*|counsel\w*)\b", clause)


def _monoxide(case: Case) -> None:
    """Carbon monoxide by where it came from."""
    for match in case.search(_MONOXIDE):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        told = (clause, case.text[max(0, low - 160) : low])
        source = next((code for where in told for words, code in _SOURCES if words.search(where)), "T58.9")
        for vague in case.accepted("T65.9"):
            if low <= vague.start < high:
                case.reject(vague, TOXIC, "The substance is named")
        new = case.add(_full(source, _intent(clause)), *match.span(), TOXIC, "Its source")
        if new is not None:
            new.rank = min(new.rank, -2)
            for other in case.accepted("T58"):
                if other is not new and low <= other.start < high:
                    case.reject(other, TOXIC, f"{new.code} says it")
        return


def taken_with_alcohol(case: Case) -> None:
    """A drug that did harm together with alcohol: a poisoning by both, first-listed."""
    for drug in case.accepted(*DRUGS):
        match = _ALCOHOL.match(case.text[drug.end : drug.end + 40])
        if not drug.code.endswith("5A") or match is None:
            continue
        start, end = drug.end + match.start(1), drug.end + match.end(1)
        why = "A drug and alcohol that act together are a poisoning"
        case.replace(drug, f"{drug.code[:-2]}1A", ALCOHOL, why)
        drug.rank = min(drug.rank, -2)
        new = case.add("T51.0X1A", start, end, ALCOHOL, why)
        if new is not None:
            new.rank = min(new.rank, -1)


RULES = (poisoning, toxic, taken_with_alcohol)
