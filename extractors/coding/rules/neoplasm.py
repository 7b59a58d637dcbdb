"""Tumors by kind and site, and what is only their history (I.C.2; the neoplasm table's order of behaviors)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.shorthand import spelled
from extractors.coding.sites import both_sides, site_after
from extractors.coding.tables import history_of
from extractors.coding.titles import Title, best, content, meant, met, read_title

TUMOR = Rule("tumor-site", "I.C.2", "A tumor is coded by its behavior and the site and side that the words name")
PAST = Rule("tumor-past", "I.C.2.d, I.C.2.m", "A tumor that was removed and is no longer treated is a history")
ORDER = Rule("primary-before-secondary", "I.C.2", "The primary stands before its metastases unless these are treated")
_KINDS = (
    (asked(r"\bbenign (?:neoplasm|tumou?r)s? of (?:the )?", ["benign"]), "D10", "D36"),
    (asked(r"\b(?:neoplasm|tumou?r)s? of uncertain behaviou?r of (?:the )?", ["neoplasm", "tumor", "tumour"]),
     "D37", "D48"),
    (asked(r"\bcarcinoma in situ of (?:the )?", ["carcinoma in situ"]), "D00", "D09"),
    (asked(
        r"\b(?:metastas[ie]s|mets|metastatic (?:cancer|disease|carcinoma)?|spread|metastatic) (?:to"
        r"|in) (?:the )?", ["metasta", "mets", "spread"]),
     "C77", "C79"),
    (asked(r"\b(?:secondary malignan\w+(?: neoplasms?)?|metastas[ie]s) of (?:the )?",
     ["secondary malignan", "metasta"]),
     "C77", "C79"),
    (asked(
        r"(?<!secondary )\b(?:adenocarcinoma|adenoca|carcinoma|cancer|ca|malignan(?:cy|t neoplasm"
        r"|t tumou?r)) of (?:the )?", ["adenoca", "carcinoma", "cancer", "malignan", "ca of"]),
     "C00", "C76"),
)  # fmt: skip
_STOP = re.compile(r"[.;,:\n(]| with | and | from | metasta| due to | status| treated| removed| for ")
_KNOWN = content("benign malignant neoplasm uncertain behavior secondary carcinoma situ bronchus female site")
_ENDED = re.compile(
    r"(?:complet\w+|finished) (?:her |his |all )?(?:treatment|therapy|chemotherapy|radiation)"
    r"|treatment (?:is |was )?complete"
    r"|no (?:evidence of )?(?:recurrence|recurrent disease|disease|(?:the )?primary)|\bned\b"
    r"|cancer[- ]free|disease[- ]free"
    r"|(?:resected|removed|excised|treated) (?:in (?:19|20)\d\d|\w+ years? ago)"
)
_PRIMARY_GONE = re.compile(
    r"\bprimary(?: site| tumou?r)? (?:was |has been )?(?:previously )?(?:resected|removed|excised)\b"
)
_STILL = re.compile(
    r"\b(?:on|receiving|undergoing|current(?:ly)?|ongoing|here for) [^.;]{0,30}(?:chemo|radiat|immuno|treatment)"
)


def tumor_site(case: Case) -> None:
    """Where the words name a site, the code of that site; a vaguer code of the same words goes."""
    if not case.says(
        "neoplasm", "cancer", "carcinoma", "tumor", "tumour", "metasta", "mets", "malignan", "adenoca", "ca of"
    ):
        return
    for pattern, first, last in _KINDS:
        for match in case.search(pattern):
            end = match.end() + len(_STOP.split(case.text[match.end() : match.end() + 70], maxsplit=1)[0])
            lead = case.text[max(0, match.start() - 28) : match.start()].rsplit(".", 1)[-1]
            lead = " ".join(lead.replace(",", " ").split()[-2:])
            title = _title(case, (first, last), case.text[match.end() : end], lead + " " + match[0])
            if title is not None and not _unasserted(case, match.start(), end):
                _place(case, title, match.start(), end, (first, last))


_REVERSED = asked(
    r"\b(?P<site>[a-z]{4,20}(?: [a-z]{4,20})?) (?:neoplasm|tumou?r|lesion|mass)s?[, -]{1,3}(?:of )?uncertain behaviou?r"
)


def uncertain_after_site(case: Case) -> None:
    """The site before the tumor: "bladder neoplasm, uncertain behavior"."""
    for match in case.search(_REVERSED):
        title = _title(case, ("D37", "D48"), match["site"], match[0])
        if title is None:
            continue
        for vague in case.accepted("D49", "C", "D1", "D2", "D3"):
            if vague.start < match.end() and match.start() < vague.end:
                case.reject(vague, TUMOR, f"{title.code} says how it behaves")
        case.add(title.code, *match.span(), TUMOR, "The words name the behavior and the site", confidence=0.9)


def _unasserted(case: Case, start: int, end: int) -> bool:
    """The words are a tumor of the past, or one that the text only looks for, as a screening does."""
    if any(c.rule == "history" and c.start < end and start < c.end for c in case.candidates):
        return True
    there = [c for c in case.candidates if c.start < end and start < c.end and c.code[0] in "CD"]
    findings = [case.of(c) for c in there]
    return (
        bool(there)
        and all(f is not None and f.assertion.hypothetical for f in findings)
        and not any(c.status == "accepted" for c in there)
    )


def _title(case: Case, kind: tuple[str, str], site: str, lead: str) -> Title | None:
    words = meant(site)
    known = _KNOWN if "male" not in words else _KNOWN - {"female"}
    every = words | meant(lead)
    own = words - known - {"right", "left", "bilateral"}
    fitting = [t for t in case.lexicon.titles(*kind).fitting(every | known) if met(t, own)]
    return best(fitting, every, frozenset())


def _place(case: Case, title: Title, start: int, end: int, kind: tuple[str, str]) -> None:
    words = meant(case.text[max(0, start - 24) : end])
    for known in case.accepted("C", "D"):
        if known.printed or not (known.start < end and start < known.end):
            continue
        same = kind[0] <= known.code[:3] <= kind[1]
        own = read_title(known.code, case.lexicon.display_of(known.code))
        if same and met(own, words) >= met(title, words):
            return
        case.reject(known, TUMOR, f"{title.code} names the behavior and the site")
    case.add(title.code, start, end, TUMOR, "The words name the behavior and the site", confidence=0.9)


def tumor_past(case: Case) -> None:
    """A primary whose treatment is over is a history; a blood cancer has codes for its remission instead."""
    for candidate in case.accepted("C"):
        if candidate.code.startswith(("C77", "C78", "C79", "C8", "C9")):
            continue
        low, high = bounds(case.text, candidate.start, candidate.end)
        clause = case.text[low:high]
        past = history_of(candidate.code)
        ended = _ENDED.search(case.text, low, high) or _PRIMARY_GONE.search(case.text)
        if past is None or ended is None or _STILL.search(clause):
            continue
        case.replace(candidate, past, PAST, "Its treatment is over and nothing is left of it")
        candidate.evidence.append(ended.span())


_SKIN = asked(
    r"\b(?:squamous cell (?:carcinoma|cancer|ca)|scc|basal cell (?:carcinoma|cancer)|bcc)\b",
    ("squamous", "scc", "basal cell", "bcc"),
)


_IN_SITU = asked(
    r"\b(?:squamous cell (?:carcinoma|ca)|scc|carcinoma|cancer) in situ\b(?: ?\([^)\n]{0,20}\))?"
    r"(?: of| on)?[, ]*(?:the )?(?:skin )?(?:of |on )?"
    r"|\b(?:bowen'?s?(?: disease)?|sccis)\b(?: of| on)?[, ]*(?:the )?(?:skin )?(?:of |on )?"
)


def skin_in_situ(case: Case) -> None:
    """A carcinoma in situ beside a place of the skin is that of the skin there."""
    for match in case.search(_IN_SITU):
        family = case.lexicon.sites("D04.9")
        places = site_after("of " + spelled(case.text[match.end() : match.end() + 48].split(".")[0]))
        codes = [code for name, side, _ in places for code in both_sides(family, name, side)] if family else []
        if not codes:
            continue
        for known in case.accepted("D04", "C44", "D09"):
            if known.start < match.end() and match.start() < known.end and known.code not in codes:
                case.reject(known, TUMOR, f"{codes[0]} names the place")
        for code in codes:
            case.add(code, *match.span(), TUMOR, "The words name the cells and the place", confidence=0.9)


def skin_by_cell(case: Case) -> None:
    """A squamous or basal cell carcinoma beside a place of the skin is that of the skin there."""
    for match in case.search(_SKIN):
        family = case.lexicon.sites("C44.92" if match[0].startswith("s") else "C44.91")
        places = site_after(case.text[match.end() : match.end() + 48].split(".")[0])
        codes = [code for name, side, _ in places for code in both_sides(family, name, side)] if family else []
        end = match.end() + places[-1][2] if codes else match.end()
        if not codes or _unasserted(case, match.start(), end):
            continue
        for known in case.accepted("C"):
            if known.start < end and match.start() < known.end and known.code not in codes:
                case.reject(known, TUMOR, f"{codes[0]} names the cells and the place")
        for code in codes:
            case.add(code, match.start(), end, TUMOR, "The words name the cells and the place", confidence=0.9)


_WHERE = {
    "bone": "C79.51", "bony": "C79.51", "spine": "C79.51", "spinal": "C79.51", "osseous": "C79.51", "brain": "C79.31",
    "cerebral": "C79.31", "liver": "C78.7", "hepatic": "C78.7", "lung": "C78.00", "pulmonary": "C78.00",
    "adrenal": "C79.70", "pleural": "C78.2", "peritoneal": "C78.6", "lymph node": "C77.9", "nodal": "C77.9",
    "skin": "C79.2", "bone marrow": "C79.52", "t-spine": "C79.51", "l-spine": "C79.51", "c-spine": "C79.51",
    "vertebra": "C79.51", "rib": "C79.51", "femur": "C79.51",
}  # fmt: skip
_PLACE = "|".join(sorted(_WHERE, key=len, reverse=True))
_LIST = rf"(?:{_PLACE})s?(?:(?:, and |, | and | ?\+ ?|/)(?:the )?(?:{_PLACE})s?)+"
_LISTED = asked(
    rf"\b({_LIST}) (?:metasta[st]\w+|mets)\b|\b(?:metasta[st]\w+|mets|spread) (?:to|in) (?:the )?({_LIST})",
    (*_WHERE, "metasta", "mets", "spread"),
)
_EACH = re.compile(rf"\b(?:{_PLACE})")
_TO = asked(
    rf"\bmetastatic (?:[a-z]+ ){{1,3}}?(?:cancer|ca|carcinoma|adenocarcinoma|melanoma|disease)"
    rf" to (?:the )?({_PLACE})s?\b",
    ["metastatic"],
)


def listed_metastases(case: Case) -> None:
    """Each place of a list of metastases has its code: "bone and brain metastases"."""
    for match in case.search(_LISTED):
        low = match.start(1 if match[1] else 2)
        for place in _EACH.finditer(match[1] or match[2]):
            at = (low + place.start(), low + place.end())
            code = _WHERE[place[0]]
            if not case.has(code[:5]) and not _primary_there(case, *at):
                case.add(code, *at, TUMOR, "The words list where it has spread", confidence=0.9)


def _primary_there(case: Case, start: int, end: int) -> bool:
    """The place is that of a primary: "carcinoma of the lung and brain metastases"."""
    return any(c.start <= start and end <= c.end for c in case.accepted("C") if c.code[:3] not in ("C77", "C78", "C79"))


def spread_of_primary(case: Case) -> None:
    """The place after a primary that is called metastatic: "metastatic prostate cancer to the spine"."""
    for match in case.search(_TO):
        code = _WHERE[match[1]]
        if not case.has(code[:5]):
            case.add(code, *match.span(1), TUMOR, "The words say where it has spread", confidence=0.9)


_ONLY_SECONDARY = asked(
    r"\b(?:treat\w*|therapy|resection|radiation|management|care)\b[^.;\n]{0,24}\b(?:of|for|at|to|toward)\b[^.;\n]{0,30}"
    r"\bmetasta\w+(?: \w+)? only\b"
    r"|\b(?:treatment|therapy|radiation|surgery)(?: is| was)? (?:directed|aimed|limited)(?: only)? (?:at|to|toward)"
    r"[^.;\n]{0,30}\bmetasta|\bonly (?:for|to) treat\w*[^.;\n]{0,24}\bmetasta"
)
_LOBE = asked(r"\b(right|left) (upper|middle|lower) lobe\b|\b(rul|rml|rll|lul|lll)\b")
_LOBES = {
    "right upper": "C34.11", "left upper": "C34.12", "right middle": "C34.2", "right lower": "C34.31",
    "left lower": "C34.32", "rul": "C34.11", "lul": "C34.12", "rml": "C34.2", "rll": "C34.31", "lll": "C34.32",
}  # fmt: skip


def lung_lobe(case: Case) -> None:
    """A lung cancer is that of the one lobe that the text names."""
    plain = [c for c in case.accepted("C34.9") if not c.printed]
    if not plain or not case.says("lobe", "rul", "rml", "rll", "lul", "lll"):
        return
    named = {_LOBES.get(m[3] or f"{m[1]} {m[2]}"): m for m in case.search(_LOBE)}
    if len(named) == 1:
        (code, match), *_ = named.items()
        for candidate in plain if code else ():
            case.replace(candidate, str(code), TUMOR, "The text names the lobe")
            candidate.evidence.append(match.span())


def primary_first(case: Case) -> None:
    """The primary before its metastases, which say less without it, unless only these are treated."""
    if case.says("metasta") and case.first(_ONLY_SECONDARY):
        for candidate in case.accepted("C77", "C78", "C79"):
            candidate.rank = min(candidate.rank, -2)
            case.note(candidate, ORDER, "The treatment is for the metastasis")
        return
    if case.accepted("C77", "C78", "C79") and not case.has("Z51"):
        for candidate in case.accepted("C"):
            if candidate.code[:3] not in ("C77", "C78", "C79", "C80"):
                candidate.rank = min(candidate.rank, -1)
                case.note(candidate, ORDER, "The primary stands before its metastases")


RULES = (
    tumor_site,
    uncertain_after_site,
    skin_in_situ,
    skin_by_cell,
    listed_metastases,
    spread_of_primary,
    lung_lobe,
    tumor_past,
    primary_first,
)
