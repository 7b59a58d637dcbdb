"""Learn phrases from CodiEsp's training documents, and score the coder on its development documents.

    python -m campaigns.codiesp train    writes learned.tsv and weights.json (for notes) from the split `train` only
    python -m campaigns.codiesp learn    writes learned_phrases.tsv and learned_model.json (for narratives), likewise
    python -m campaigns.codiesp eval     prints the figures of both conventions on the split `dev`

All files are those of extractors/coding/data.

CodiEsp v4 (CC BY 4.0), English machine translation, ICD-10-CM codes by professional coders.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from campaigns.aligning import cognate, english_phrase, plain, translation
from campaigns.weighing import fit, with_phrases, write
from extractors.coding.learned import model
from extractors.findings.normalise import fold, normalise
from extractors.learn import evaluate, rows, train
from extractors.pipeline import Pipeline
from fhir_profiles.systems import ICD10CM

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "icd10cm_codiesp.jsonl"
LEARNED = Path(__file__).parents[1] / "extractors" / "coding" / "data" / "learned.tsv"
HEAD = """# Learned from the 500 training documents of CodiEsp v4 (CC BY 4.0, Barcelona Supercomputing Center).
# Columns: phrase, code, how often a document with the phrase has the code (shrunk), in how many documents it was met,
# kind: phrase (learned) or term (of the tables, weighed). Made by `python -m campaigns.codiesp train`.
"""
SOURCE = (
    "Learned from the 500 training documents of CodiEsp v4 (CC BY 4.0, Barcelona Supercomputing Center)"
    " by `python -m campaigns.codiesp learn`"
)
LONGEST = 6
LEAST_SHARE = 0.3  # of the documents with an aligned phrase that have its code
LEAST_F1 = 0.6
PHRASES = 3  # the best per code


def documents(split: str) -> Iterator[tuple[str, set[str]]]:
    """(text, ICD-10-CM codes) of a split."""
    with CORPUS.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["split"] == split:
                yield row["text"], gold_codes(row["gold"])


def gold_codes(gold: Any) -> set[str]:
    """The diagnosis codes of a row's gold."""
    rows = gold["icd10cm"] if isinstance(gold, dict) else gold
    return {str(row["code"] if isinstance(row, dict) else row).upper() for row in rows}


def phrases(text: str) -> set[str]:
    """All runs of up to six words of a text in normal form that do not cross a break."""
    found: set[str] = set()
    for part in normalise(fold(text)).text.split(" | "):
        words = part.split()
        for size in range(1, LONGEST + 1):
            found.update(" ".join(words[i : i + size]) for i in range(len(words) - size + 1))
    return found


def rows_of(split: str) -> list[dict[str, Any]]:
    """The rows of a split as the file has them."""
    with CORPUS.open(encoding="utf-8") as lines:
        return [row for row in map(json.loads, lines) if row["split"] == split]


def learn(pipeline: Pipeline, corpus: list[dict[str, Any]]) -> list[tuple[str, str, float, int, str]]:
    """The rows of the learned table from training documents (all of them, or those of a fold)."""
    train = [(row["text"], gold_codes(row["gold"])) for row in corpus]
    texts = [phrases(text) for text, _ in train]
    seen = Counter(p for t in texts for p in t)
    by_code: defaultdict[str, list[int]] = defaultdict(list)
    for i, (_, gold) in enumerate(train):
        for code in gold:
            by_code[code].append(i)
    evidence = spanish_evidence(corpus)
    rows: dict[tuple[str, str], tuple[str, str, float, int, str]] = {}
    for code, where in by_code.items():
        leaf = pipeline.lexicon.leaf(code)
        if len(where) < 2 or leaf is None:
            continue
        inside = Counter(p for i in where for p in texts[i])
        roots = _roots(pipeline, code)
        scored = [
            (2 * n / (seen[p] + len(where)), n, p)
            for p, n in inside.items()
            if n >= 2
            and 2 * n / (seen[p] + len(where)) >= LEAST_F1
            and not any(c.isdigit() for c in p)
            and _speaks_of(p, roots, evidence[code])
        ]
        best = sorted((s for s in scored if s[0] >= LEAST_F1), key=lambda s: (-s[0], -s[1], len(s[2]), s[2]))[:PHRASES]
        for _, n, phrase in best:
            rows[phrase, leaf] = (phrase, leaf, _shrunk(n, seen[phrase]), seen[phrase], "phrase")
    for phrase, code in aligned_evidence(corpus):
        leaf = pipeline.lexicon.leaf(code)
        if leaf is None or not seen[phrase] or (phrase, leaf) in rows:
            continue
        n = sum(1 for i in by_code[code] if phrase in texts[i])
        if _shrunk(n, seen[phrase]) >= LEAST_SHARE:
            rows[phrase, leaf] = (phrase, leaf, _shrunk(n, seen[phrase]), seen[phrase], "phrase")
    for (phrase, leaf), (n, total) in _weigh_terms(pipeline, train).items():
        if total >= 2 and (phrase, leaf) not in rows:
            rows[phrase, leaf] = (phrase, leaf, _shrunk(n, total), total, "term")
    return sorted(rows.values())


def aligned_evidence(train: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """(English phrase in normal form, code) of the Spanish evidence of the training documents, where it was found."""
    marked = [(row, e) for row in train for e in row["gold"]["evidence_es"] if e["type"] == "CM"]
    means = translation([(row["text_es"], row["text"]) for row in train], [e["text_es"] for _, e in marked])
    found = set()
    for row, evidence in marked:
        place = int(re.split(r"[ ;]", evidence["offsets_es"])[0]) / len(row["text_es"])
        answer = english_phrase(means, evidence["text_es"], place, row["text"])
        if answer is not None:
            words = normalise(fold(answer[0])).text.split()
            if not any(word.isdigit() for word in words):
                found.add((" ".join(words), evidence["code"].upper()))
    return found


def spanish_evidence(train: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Code → its Spanish evidence in the training documents; medical words are cousins in both tongues."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in train:
        for evidence in row["gold"]["evidence_es"]:
            found[evidence["code"].upper()].add(evidence["text_es"].lower())
    return found


def _roots(pipeline: Pipeline, code: str) -> set[str]:
    """The beginnings of the words that name a code."""
    names = [pipeline.lexicon.display_of(code), *pipeline.terminology.terms_of(ICD10CM, code)]
    english = {w for name in names for w in normalise(fold(name)).text.split()} - COMMON
    return {w[:4] for w in english if len(w) >= 3}


COMMON = frozenset(
    re.findall(
        r"\w+",
        "unspecified other specified disease disorder with without left right acute and not classified elsewhere due "
        "type part site the for personal history",
    )
)
EMPTY = frozenset(
    re.findall(
        r"\w+",
        "the a an of in with and or to was is for on by at as who had from that which were are he she his her no not "
        "this it be has",
    )
)


def _speaks_of(phrase: str, roots: set[str], evidence: set[str]) -> bool:
    """A word of the phrase begins like one of the code's names, or the phrase is a cousin of the Spanish evidence."""
    words = phrase.split()
    if words[0] in EMPTY or words[-1] in EMPTY:
        return False
    if any(w[:4] in roots for w in words if len(w) >= 3):
        return True
    if len(words) == 1:
        return any(cognate(phrase, plain(e)) >= 0.6 for e in evidence if " " not in e)
    return any(w[:4] == plain(part)[:4] for w in words if len(w) > 3 for e in evidence for part in e.split())


def _shrunk(n: int, total: int) -> float:
    return round((n + 0.5) / (total + 1.0), 3)


def _weigh_terms(pipeline: Pipeline, train: list[tuple[str, set[str]]]) -> dict[tuple[str, str], tuple[int, int]]:
    """(term, leaf) → documents where it was right and where it was asserted present."""
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for text, gold in train:
        wanted = {pipeline.lexicon.leaf(code) for code in gold}
        document, coded = pipeline.run(text, "inpatient")
        met = set()
        for finding in coded.findings.items:
            best = next((c for c in finding.concepts if c[0] == ICD10CM), None)
            leaf = pipeline.lexicon.leaf(best[1]) if best else None
            if leaf is None or finding.kind != "problem" or finding.assertion.negated or finding.assertion.family:
                continue
            words = normalise(fold(document.text[finding.start : finding.end])).text.split()
            met.add((" ".join(words), leaf))
        for key in met:
            counts[key][0] += key[1] in wanted
            counts[key][1] += 1
    return {key: (n, total) for key, (n, total) in counts.items()}


def main() -> None:
    """Train or score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("train", "learn", "eval"))
    parser.add_argument("--data", default="var")
    arguments = parser.parse_args()
    pipeline = Pipeline.open(arguments.data)
    pipeline.lexicon.prepare()
    if arguments.what == "eval":
        print(json.dumps(evaluate(model(), rows(CORPUS, "dev"), pipeline), indent=1))
    elif arguments.what == "learn":
        trained = train(rows(CORPUS, "train"), pipeline)
        trained.write(LEARNED.parent, SOURCE)
        print(json.dumps(trained.report, indent=1))
    else:
        _train_phrases(pipeline)


def _train_phrases(pipeline: Pipeline) -> None:
    corpus = rows_of("train")
    bare = with_phrases(pipeline, ())
    found = learn(bare, corpus)
    LEARNED.write_text(HEAD + "".join("\t".join(map(str, row)) + "\n" for row in found), "utf-8")
    leaf = pipeline.lexicon.leaf
    write(fit(bare, corpus, learn, lambda row: {leaf(code) or code for code in gold_codes(row["gold"])}))
    print(f"{len(found)} rows")


if __name__ == "__main__":
    main()
