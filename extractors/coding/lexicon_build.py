"""Compile the lexicon: which folded phrase means which concept, and how surely."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from extractors.coding.excludes import excludes1
from extractors.coding.lexicon_index import index_phrases
from extractors.coding.resolve import injuries, sides, trimesters
from extractors.coding.sites import only_site, placed, site_families
from extractors.coding.tables import table
from extractors.coding.weigh import static_score
from extractors.findings.normalise import term as normal_term
from fhir_profiles.systems import CPT, HCPCS, ICD10CM, LOINC, RXNORM
from terminology import Terminology
from terminology.fragments import STARTER
from terminology.search.leaves import Place, default_leaves
from terminology.search.names import own_names
from terminology.search.variants import variants

FORMAT = 21
CURATED_TRUST = 0.5  # how much of our own word on a phrase stands against the training documents
TABLE_TRUST = 0.15
LEAST_SHARE = 0.4
NOTES = ("excludes1", "code-first", "use-additional")
SYSTEMS = (ICD10CM, LOINC, RXNORM, CPT, HCPCS)
KINDS = ("curated", "learned", "title", "inclusion", "synonym", "label", "name", "index")
SCORES = {"curated": 0.95, "learned": 0.8, "title": 0.9, "inclusion": 0.85, "synonym": 0.9, "label": 0.85, "name": 0.85}
Meaning = tuple[int, str, int, float]


def compile_terms(terminology: Terminology, rows: Sequence[tuple[str, ...]] | None = None) -> dict[str, Any]:
    """Plain lists and dicts that marshal keeps: the input of `Lexicon`. `rows` stand for the learned table."""
    rows = learned() if rows is None else rows
    meanings: defaultdict[str, dict[tuple[int, str], Meaning]] = defaultdict(dict)
    starters = {system: starter_version(terminology, system) for system in SYSTEMS}
    for number, system in enumerate(SYSTEMS):
        for term in terminology.terms(system, starters[system]):
            if skip(system, term.code, term.kind):
                continue
            for phrase, weight in variants(term.text, term.kind):
                _add(meanings, phrase, number, term.code, term.kind, weight)
    _say(meanings)
    leaves = default_leaves(
        Place(c.code, c.display, c.parent, bool(c.billable), "seventh" in c.properties)
        for c in terminology.concepts(ICD10CM)
        if not c.group
    )
    learn(meanings, leaves, rows)
    codes = {system: displays(terminology, system, starters[system]) for system in SYSTEMS}
    icd, billable = codes[ICD10CM], frozenset(c.code for c in terminology.concepts(ICD10CM) if c.billable)
    known = meanings.keys() | stop_phrases()
    listed = index_phrases(terminology, leaves | {code: code for code in billable}, icd, known)
    for phrase, (code, trust) in listed.items():
        meanings[phrase][(0, code)] = (0, code, KINDS.index("index"), trust)
    shares = {(f" {'  '.join(r[0].split())} ", r[1]): (float(r[2]), int(r[3])) for r in rows}
    terms = sorted(meanings)
    parents = {c.code: c.parent for c in terminology.concepts(ICD10CM)}
    return {
        "injuries": injuries((c, d) for c, d in icd.items() if c[0] in "ST" and 5 <= len(c) <= 7),
        "sides": sides(icd, billable),
        "trimesters": trimesters(icd, billable),
        **{kind: excludes1(terminology.notes_of_kind(ICD10CM, kind), parents) for kind in NOTES},
        "sites": site_families(icd, billable),
        "classes": {normal_term(n): g for names, g in drug_names() for n in names.split("|")},
        "systems": list(SYSTEMS),
        "kinds": list(KINDS),
        "editions": {s: e.version for s in SYSTEMS if (e := terminology.edition(s))},
        "terms": terms,
        "meanings": [
            tuple(_weighed(t, m, shares, leaves) for m in sorted(meanings[t].values(), key=lambda m: (-m[3], m[1])))
            for t in terms
        ],
        "ours": _ours(terms, meanings),
        "displays": codes,
        "properties": {
            s: {c.code: dict(c.properties) for c in terminology.concepts(s, starters[s])}
            for s in SYSTEMS
            if s != ICD10CM
        },
        "leaves": leaves,
        "billable": sorted(billable),
    }


def _say(meanings: Any) -> None:
    """Put in our own words: names, sites and drugs, and phrases that mean nothing alone."""
    for phrase, code in curated():
        folded = normal_term(phrase)  # our word on a phrase is the last
        meanings[folded] = {k: m for k, m in meanings[folded].items() if SYSTEMS[m[0]] in (CPT, HCPCS)}
        _add(meanings, phrase, 0, code, "curated", 1.0)
    for phrase, code in placed():
        if not meanings.get(normal_term(phrase)):
            _add(meanings, phrase, 0, code, "curated", 1.0)
    for stop in stop_phrases():  # they name no condition and no test; a drug's name stays one
        kept = {k: m for k, m in meanings.pop(stop, {}).items() if SYSTEMS[m[0]] == RXNORM}
        if kept:
            meanings[stop] = kept
    for names, _ in drug_names():
        for name in names.split("|"):
            _add(meanings, name, SYSTEMS.index(RXNORM), "", "name", 1.0)


def _ours(terms: Sequence[str], meanings: Any) -> dict[str, str]:
    """Term → our own code, where what was learned from case reports puts another one before it; "" for no diagnosis.

    A case report that names an artery or a treatment tells of its disease; in an encounter the words name none.
    """
    found: dict[str, str] = {}
    bare = frozenset(table("wording")["bare"].split())
    for term in terms:
        codes = {rank: code for system, code, rank, _ in meanings[term].values() if SYSTEMS[system] == ICD10CM}
        if KINDS.index("learned") not in codes:
            continue
        if KINDS.index("curated") in codes:
            found[term] = codes[KINDS.index("curated")]
        elif len(codes) == 1 and bare.issuperset(term.split()):
            found[term] = ""
    return found


def starter_version(terminology: Terminology, system: str) -> str | None:
    """The version of our own table of a system: it gives the phrases, whatever official file is loaded beside it."""
    return next((e.version for e in terminology.editions(system) if e.version.startswith(STARTER)), None)


def displays(terminology: Terminology, system: str, starter: str | None) -> dict[str, str]:
    """What the codes of a system are called: as the edition that answers says, else by our label, else the code.

    Procedures are listed whole, since pages print them; of a loaded LOINC or RxNorm only what our table knows.
    """
    found = {c.code: c.display or c.code for c in terminology.concepts(system, starter)}
    edition = terminology.edition(system)
    if edition is None or edition.version == starter or starter is None:
        return found
    if system in (CPT, HCPCS):
        return found | {c.code: c.display or found.get(c.code, c.code) for c in terminology.concepts(system)}
    official = ((code, terminology.lookup(system, code)) for code in found)
    return found | {code: c.display for code, c in official if c is not None and c.display}


def _weighed(term: str, meaning: Meaning, shares: dict[tuple[str, str], tuple[float, int]], leaves: Any) -> Meaning:
    """A meaning whose score is what phrase and code say, where it is a diagnosis; its rank is settled before."""
    system, code, rank, score = meaning
    if system != 0:
        return meaning
    leaf = leaves.get(code, code)
    share, documents = shares.get((term, leaf), (None, 0))
    kind, trust = ("inclusion", score) if KINDS[rank] == "index" else (KINDS[rank], 1.0)
    score = trust * static_score(kind, share, documents, len(term.split()), leaf, leaf == code)
    return system, code, rank, round(score, 4)


def learn(meanings: Any, leaves: dict[str, str], rows: Sequence[tuple[str, ...]]) -> None:
    """Weigh terms by how often they were right in training documents, and add the phrases learned there."""
    stops = stop_phrases()
    for phrase, code, precision, _, kind in rows:
        if kind == "phrase" and only_site(phrase):
            continue
        folded, share = f" {'  '.join(phrase.split())} ", float(precision)
        known = meanings.get(folded, {})
        met = False
        for key, (system, own, rank, score) in list(known.items()):
            if system == 0 and leaves.get(own, own) == code:
                met = True
                trust = CURATED_TRUST if KINDS[rank] == "curated" else TABLE_TRUST
                known[key] = (system, own, rank, round(trust * score + (1 - trust) * share, 3))
        if kind == "phrase" and not met and folded not in stops and share >= LEAST_SHARE:
            meanings[folded][(0, code)] = (0, code, KINDS.index("learned"), share)


def skip(system: str, code: str, kind: str) -> bool:
    """7th-character titles say no more than their stem; external causes are too common words; blocks are no terms.

    Names of an alphabetic index are turned first (`index_phrases`); those of other kinds are for searching.
    """
    if kind not in SCORES:
        return True
    return system == ICD10CM and (code[0] in "VWXY" or (kind == "title" and (len(code) == 8 or "-" in code)))


def _add(meanings: Any, phrase: str, system: int, code: str, kind: str, weight: float) -> None:
    folded = normal_term(phrase)
    if len(folded) < 4 or folded.strip().isdigit():
        return
    meaning = (system, code, KINDS.index(kind), round(SCORES[kind] * weight, 3))
    known = meanings[folded].get((system, code))
    if known is None or known[3] < meaning[3]:
        meanings[folded][(system, code)] = meaning


def drug_names() -> list[tuple[str, str]]:
    """Names of drugs (split at |) that have no identifier of ours, with their class."""
    return [(names, group) for names, group in _table("drug_names.tsv")]


def curated() -> tuple[tuple[str, str], ...]:
    """Our own phrase → ICD-10-CM code pairs; a cancer is also a "ca"."""
    names = own_names(ICD10CM)
    known = {phrase for phrase, _ in names}
    short = ((_CANCER.sub("ca", phrase), code) for phrase, code in names if " " in phrase and _CANCER.search(phrase))
    return (*names, *dict(pair for pair in short if pair[0] not in known).items())


_CANCER = re.compile(r"\b(?:cancer|carcinoma)\b")


def learned() -> list[tuple[str, ...]]:
    """Rows of the learned table: phrase in normal form, code, share, documents, kind (phrase or term)."""
    return _table("learned.tsv")


def stop_phrases() -> set[str]:
    """Folded phrases that name a concept in a table but mean nothing alone in a note."""
    return {normal_term(row[0]) for row in _table("stop_phrases.tsv")}


@cache
def _table(name: str) -> list[tuple[str, ...]]:
    text = (files("extractors.coding") / "data" / name).read_text("utf-8")
    return [tuple(line.split("\t")) for line in text.splitlines() if line and not line.startswith("#")]


def fingerprint() -> str:
    """Changes when our own phrases or this code's format do."""
    digest = hashlib.sha256(f"{FORMAT}".encode())
    for file in sorted((files("extractors.coding") / "data").iterdir(), key=lambda f: f.name):
        digest.update(file.read_bytes())
    digest.update(repr(own_names(ICD10CM)).encode())
    return digest.hexdigest()
