"""Long-term drugs, adverse effects and underdosing (I.C.4.a.3, I.C.19.e, I.C.21.c.3)."""

from __future__ import annotations

import re
from functools import cache

from extractors.coding.case import Case, Rule, around, asked
from extractors.coding.clauses import bounds
from extractors.coding.drugs_named import drug_in
from extractors.coding.tables import table
from extractors.findings.cues import Cued
from extractors.model import Finding

LONG_TERM = Rule(
    "long-term-drug",
    "I.C.4.a.3, I.C.21.c.3",
    "A drug that is taken for long, by its class beside its disease or by the words",
)
ADVERSE = Rule("adverse-effect", "I.C.19.e.5.a", "A drug taken correctly that did harm: the harm first, then the drug")
UNDER = Rule("underdosing", "I.C.19.e.5.c", "Less of a drug than prescribed: the disease, the underdosing, the reason")
BLEEDING = Rule(
    "anticoagulant-bleeding",
    "D68.32 note, I.C.19.e.5.a",
    "A bleeding laid to an anticoagulant taken correctly takes D68.32 as well",
)
_EFFECT = re.compile(
    r"^(?: ?\([^)\n]{0,24}\))?[ ,(]*(?:likely |probably )?"
    r"(?:from|due to|d/t|caused by|secondary to|2/2|attributed to|after taking|induced by)\b"
)
_INSIDE = re.compile(r"\b(?:due to|d/t|2/2|from|caused by|secondary to)\b")
_INDUCED = re.compile(r"\b([a-z]{4,})[- ]induced\b")
_TREATED = re.compile(r",? (?:on|takes|taking|treated|managed|controlled) ")
_SKIPPING = (
    "skip", "miss", "stretch", "stopped taking", "ran out of", "ration", "underdos", "not taking", "not been taking",
    "n't tak", "n't been tak", "not take", "has not taken", "taking less", "takes less",
    "forget", "forgot", "noncomplian", "non-complian", "not complian", "take half",
    "takes half", "cut", "stopped", "discontinued her own", "refus",
)  # fmt: skip
_SKIPS = asked(
    r"\b(?:skip(?:s|ped|ping)?|miss(?:es|ed|ing)? (?:\w+ )?doses? of|stopped taking|ran out of|rations?|rationing"
    r"|stretch(?:es|ed|ing)(?: out)?|underdos\w+|not (?:been )?taking|has not taken"
    r"|(?:does|do|has|have|is|was)(?:n't| not) (?:been )?tak(?:e|ing|en)|tak(?:es|ing) less"
    r"|forgets?(?: to take)?|forgot(?: to take)?"
    r"|non-?complian\w+ with|not complian\w+ with"
    r"|takes? half|cut(?:s|ting)? (?:back|down) on|stopped(?! ?:)|discontinued her own|refus\w+ to take)\b",
    _SKIPPING,
)
_MONEY = re.compile(
    r"\b(?:cannot|can't|could not|couldn't|unable to)\b[^.;\n]{0,12}\b(?:pay|afford)\b(?: for)?(?: it| them)?"
    r"|\bcosts?\b|financial|too expensive|lost (?:her |his )?insurance"
)
_REASONS = (
    (_MONEY, "Z91.120", "The reason for it is money"),
    (re.compile(r"\bforg[eo]t\w*|\bconfus\w+|\bmemory\b"), "Z91.138", "It was not intended"),
    (re.compile(
        r"\bon purpose|\bon (?:her|his) own\b|\bside effects?|\bfeels? (?:better|fine|well)"
        r"|\bdoes(?: not|n't) (?:like|want|believe)"
        r"|\brefus\w+|\bintentional\w*"),
     "Z91.128", "It was intended, for another reason than money"),
)  # fmt: skip


def long_term(case: Case) -> None:
    """A drug that the patient takes for long, where the disease it treats is coded."""
    drugs = [(n, f, _name(f)) for n, f in enumerate(case.findings.items) if f.kind == "medication"]
    stopped = {name for _, finding, name in drugs if finding.attributes.get("status") == "stopped"}
    for number, finding, name in drugs:
        if name in stopped or not finding.assertion.present:
            continue
        group = case.lexicon.drug_class(str(finding.attributes.get("rxnorm") or ""), name)
        once = bounds(case.text, finding.start, finding.end) if group and _is_long_term(case, group) else None
        if name.lower().startswith(_HOSPITAL):
            continue
        if group and once and not (case.seen.between(_ONCE, *once) and _ONCE.pattern.search(case.text, *once)):
            _add_long_term(case, finding.start, finding.end, group, number)


def _name(finding: Finding) -> str:
    return str(finding.attributes.get("ingredient") or finding.attributes.get("drug") or finding.text)


_HOSPITAL = ("heparin", "argatroban", "bivalirudin", "alteplase")  # by drip only


@cache
def _named() -> tuple[Cued, dict[str, str]]:
    """A drug that the words say is taken for long, and the code of each name."""
    codes = {name: code for code, names in table("drug_classes")["long_term_names"].items() for name in names}
    names = "|".join(sorted(map(re.escape, codes), key=len, reverse=True))
    return around(
        rf"\b(?:long[- ]term|life-?long|indefinite|chronic(?:ally)?|daily|every day|maintenance|takes?"
        rf"|remains on|maintained on"
        rf"|continues?(?: on)?|compliant with|adher(?:ent|es) to|on)\b"
        rf"(?: (?:to take|to use|to utilize|taking|use of|therapy with|current use of|treatment with"
        rf"|her|his|the|daily|chronic|long-term"
        rf"|low[- ]dose|oral|inhaled|an?))*"
        rf" ({names})s?\b|\b({names})s?\b[^.;\n]{{0,20}}\b(?:daily|long[- ]term|lifelong|indefinitely|every day"
        rf"|for years|which (?:she|he) takes)\b",
        codes,
    ), codes


def long_term_words(case: Case) -> None:
    """A drug that the text itself says is taken for long, whatever it is for."""
    pattern, codes = _named()
    if not case.says(
        "term",
        "lifelong",
        "life-long",
        "indefinite",
        "chronic",
        "daily",
        "every day",
        "maintenance",
        "maintained",
        "take",
        "on ",
        "continue",
        "compliant",
        "adher",
        "for years",
    ):
        return
    for match in case.near(pattern):
        name = match[1] or match[2]
        code = codes[name]
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        if (
            (case.seen.between(_ONCE, low, high) and _ONCE.pattern.search(clause))
            or (code == "Z79.4" and case.has("E10", "O24.41"))
            or (code == "Z79.891" and case.has("F11"))
        ):
            continue
        plain = match[0].startswith(("on ", "take", "continue")) and not _LONG.search(clause)
        plain = plain or _TIMES.search(match[0]) is not None
        if plain and code in ("Z79.1", "Z79.2", "Z79.52", "Z79.899", "Z79.3", "Z79.890", "Z79.891"):
            continue  # a course of it is as likely
        if code == "Z79.52" and "inhal" in clause:
            code = "Z79.51"
        new = case.add(code, *match.span(), LONG_TERM, "The text says that it is taken for long", confidence=0.8)
        if new is not None:
            new.rank = max(new.rank, 5)


_ONCE = asked(
    r"\b(?:once|one dose|single dose|dose of|in (?:the )?clinic|in the (?:ed|office|hospital)|stopped"
    r"|discontinued|held|days|course|taper|prn"
    r"|vials?|over \d+|as needed|allerg\w*|overdose|not (?:on|taking)|stopp\w+|ran out|skip\w*|forget\w*|today)\b"
)
_TIMES = re.compile(r"\b(?:times|twice|once|\dx) daily$")  # how often a day, not for how long
_LONG = re.compile(r"\b(?:long[- ]term|chronic|daily|every day|maintenance|for years)\b")


def _is_long_term(case: Case, group: str) -> bool:
    """True when a drug of this class is taken for long, for a disease that is coded."""
    rule = table("drug_classes")["long_term"].get(group)
    return rule is not None and not (rule["code"] == "Z79.4" and case.has("O24.41")) and case.has(*rule["with"])


def _add_long_term(case: Case, start: int, end: int, group: str, finding: int | None) -> None:
    if not _is_long_term(case, group):
        return
    code = table("drug_classes")["long_term"][group]["code"]
    if code == "Z79.60":  # a class of many kinds, each with its own code
        name = case.text[start:end]
        code = next((c for n, c in _named()[1].items() if n in name and c.startswith("Z79.6")), code)
        if code == "Z79.60" and (group == "antineoplastic" or case.has("Z79.6")):
            return
    new = case.add(code, start, end, LONG_TERM, "A drug taken for long", finding=finding, confidence=0.8)
    if new is not None:
        new.rank = max(new.rank, 5)


def adverse_effect(case: Case) -> None:
    """A drug taken correctly that did harm: the harm first, then the drug."""
    for effect in case.accepted("L", "R", "K", "D", "T78", "G", "I", "M", "N", "E"):
        link = _EFFECT.match(case.text[effect.end : effect.end + 40])
        inside = _INSIDE.search(case.text, effect.start, effect.end)
        induced = _INDUCED.search(case.text, max(0, effect.start - 30), effect.end)
        if link:
            drug = drug_in(case, *_culprit(case.text, effect.end + link.end()))
        elif inside:
            drug = drug_in(case, *_culprit(case.text, inside.end()))
        elif induced and not re.search(r"[.;,\n]", case.text[induced.end() : effect.start]):
            drug = drug_in(case, induced.start(), len(induced[1]))
        else:
            continue
        if drug is None or drug.stem.startswith(_OF_ABUSE):
            continue
        chemotherapy = case.has("C", "D0", "Z51.1") or "chemo" in case.text
        form = _drug_form(drug.stem if chemotherapy else "", effect.code)
        if form:
            case.replace(effect, form, ADVERSE, "The code of the harm that a drug does")
        new = case.add(f"{drug.stem}5A", drug.start, drug.end, ADVERSE, "A drug taken correctly did harm")
        if new is not None:
            new.rank = max(new.rank, effect.rank + 1)
        if link:
            _with_another(case, drug.end, effect.rank + 1)


def _with_another(case: Case, at: int, rank: int) -> None:
    """The other drug that did the harm with it: "due to lisinopril and spironolactone"."""
    joined = _AND.match(case.text, at)
    drug = drug_in(case, joined.end(), 24) if joined else None
    if joined and drug is not None and drug.start - joined.end() < 4:
        new = case.add(f"{drug.stem}5A", drug.start, drug.end, ADVERSE, "A drug taken correctly did harm")
        if new is not None:
            new.rank = max(new.rank, rank)


_AND = re.compile(r"(?:, and|,? and| ?/| ?\+| plus)(?: the| her| his)? ?")
_OF_ABUSE = ("T40.5", "T40.7", "T43.65")  # nobody took them as prescribed: the disorder's own code says the harm
_TOXIC = asked(r"\b([a-z]{4,}) toxicity\b")
_CORRECT = re.compile(
    r"\b(?:correct(?:ly)?|as (?:prescribed|directed|ordered)|properly|therapeutic dos\w+|prescribed dose)\b"
)


def toxicity(case: Case) -> None:
    """Toxicity of a drug that was taken correctly is an adverse effect, after what it did."""
    for match in case.search(_TOXIC) if case.says("toxicity") else ():
        drug = drug_in(case, match.start(), len(match[1]))
        if drug is None or not _CORRECT.search(case.text):
            continue
        new = case.add(f"{drug.stem}5A", *match.span(), ADVERSE, "A drug taken correctly did harm")
        if new is not None:
            new.rank = max(new.rank, 1)


def harm_by_nature(case: Case) -> None:
    """What only drugs do, where the text says that they were taken correctly: each that acts on the mind."""
    for harm in case.accepted("G90.81", "G21.0"):
        if not _CORRECT.search(case.text) or case.has("T36", "T4"):
            return
        for finding in case.findings.items:
            drug = drug_in(case, finding.start, finding.end - finding.start) if finding.kind == "medication" else None
            if drug is not None and drug.stem.startswith(("T43", "T40.4")):
                new = case.add(f"{drug.stem}5A", drug.start, drug.end, ADVERSE, "A drug taken correctly did harm")
                if new is not None:
                    new.rank, harm.rank = max(new.rank, 1), min(harm.rank, -1)


def _drug_form(base: str, code: str) -> str | None:
    """The code that says of a condition that a drug made it."""
    forms = table("drug_classes")["drug_form"]
    found: str | None = next(
        (forms[stem][code] for stem in forms if base.startswith(stem) and stem and code in forms[stem]), None
    )
    return found or forms[""].get(code)


def _culprit(text: str, start: int) -> tuple[int, int]:
    """Where the words stand that name what did harm: before those that name a treatment; start and reach."""
    treated = _TREATED.search(text, start, start + 40)
    return start, (treated.start() if treated else start + 40) - start


def anticoagulant_bleeding(case: Case) -> None:
    """A bleeding laid to an anticoagulant taken correctly is a hemorrhagic disorder by it as well."""
    for drug in case.accepted("T45.515A"):
        bleeding = [c for c in case.accepted("D", "H", "I", "J", "K", "N", "R") if _bleeds(case, c.code)]
        if bleeding:
            why = "The bleeding is laid to an anticoagulant"
            case.add("D68.32", bleeding[0].start, drug.end, BLEEDING, why, finding=bleeding[0].finding)


def _bleeds(case: Case, code: str) -> bool:
    title = case.lexicon.display_of(code).lower()
    return any(word in title for word in ("hemorrhage", "bleeding", "epistaxis", "hematuria", "melena", "hematemesis"))


def underdosing(case: Case) -> None:
    """Less of a drug than prescribed: the disease first, then the underdosing, then the reason for it."""
    for match in case.search(_SKIPS):
        drug = drug_in(case, match.end(), 40)
        if drug is None:
            continue
        new = case.add(f"{drug.stem}6A", match.start(), drug.end, UNDER, "Less of a drug than prescribed")
        if new is not None:
            new.rank = max(new.rank, 2)
        _add_long_term(case, drug.start, drug.end, drug.group, None)
        _add_reason(case, match.start(), drug.end)


def _add_reason(case: Case, start: int, end: int) -> None:
    """Why less was taken: money, another intent, forgetting; unsaid, none is added."""
    low, high = bounds(case.text, start, end)
    for pattern, code, why in _REASONS:
        match = pattern.search(case.text, low, min(high, end + 90))
        if match:
            new = case.add(code, match.start(), match.end(), UNDER, why)
            if new is not None:
                new.rank = max(new.rank, 3)
            return


RULES = (adverse_effect, toxicity, harm_by_nature, anticoagulant_bleeding, underdosing, long_term_words, long_term)
