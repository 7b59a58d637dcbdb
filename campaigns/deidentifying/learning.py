"""Learn which words are names by what stands around them: `python -m campaigns.deidentifying.learning TEXTS.jsonl…`.

Pools give the sentences; the names in them are drawn anew from the census and from invented syllables. TEXTS are
clinical texts that name nobody, one JSON object a line with a `text`, such as CodiEsp's. Needs the extra `learned`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import lzma
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from campaigns.deidentifying.making import make
from campaigns.deidentifying.pool import Pool, pool_of
from extractors.deid.context import SCALE, features, may_be
from extractors.deid.name_tokens import shouted_lines, tokens_of
from extractors.deid.vocabulary import Vocabulary, lists
from extractors.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "extractors" / "deid" / "data" / "context.tsv.xz"
LEARNED_FROM = ("development", "acceptance", "second", "widening", "third", "fourth", "fifth", "sixth", "habits")
NOTES, TEXTS, LONGEST = 380, 500, 3000
SHOUTED = 0.13  # of all texts
LEAST_SEEN, LEAST_WEIGHT, RIDGE = 4, 8, 0.3
_KINDS = {"name": 1, "other": 1, "place": 2, "address": 2}
_ONSETS, _CODAS, _KINDS_OF_HOUSES, _LANDSCAPES = (
    tuple(line.split("|"))
    for line in (
        "|b|ch|d|f|g|gr|h|j|k|kh|kw|l|m|mb|n|ng|nk|p|r|s|sh|sz|t|ts|v|w|x|y|z|zh|br|dr|st|tr",
        "|n|r|s|l|k|m|ng|t|ski|sson|ov|ez|wicz|ian|oglu|dze|nen|sen|ic",
        "|Hospital|Medical Center|Clinic|General Hospital|Family Medicine|Nursing Home|Health|Pharmacy|Elementary"
        "|High School|University|Rehab|Regional|Memorial|Industries|Inc|& Co|Foods|Bank|Motors|Church|Dialysis"
        "|Imaging|Hospice|Manor|Cardiology Associates|Orthopedics|Home Care",
        "Green|Lake|River|Oak|North|South|West|East|Blue|Good|Holy|Grand|Silver|Golden",
    )
)
_TOWNS = ("{}", "{}", "{}", "{}ville", "{}ton", "{}burg", "Lake {}", "Port {}", "New {}", "Mount {}", "{} City",
          "{} Falls", "San {}", "Fort {}", "{} Springs", "West {}")  # fmt: skip
Example = tuple[list[str], int]


def invented(rng: random.Random) -> str:
    """A name that no list has."""
    syllables = (rng.choice(_ONSETS) + rng.choice("aeiou") for _ in range(rng.randint(1, 3)))
    return ("".join(syllables) + rng.choice(_CODAS)).capitalize() or "Oh"


def renamed(pool: Pool, rng: random.Random) -> Pool:
    """The pool with other people and places, some of its own among them."""
    known = lists()

    def drawn(listed: Sequence[str], own: Sequence[str], count: int) -> tuple[str, ...]:
        ways = (lambda: rng.choice(own), lambda: rng.choice(listed[:3000]).capitalize(),
                lambda: rng.choice(listed).capitalize(), lambda: invented(rng))  # fmt: skip
        return tuple(rng.choices(ways, (30, 40, 15, 15))[0]() for _ in range(count))

    families = list(known.family)

    def town() -> str:
        if rng.random() < 0.45:
            return rng.choice(pool.cities)
        return rng.choice(_TOWNS).format(drawn(families[:8000], pool.families, 1)[0])

    def house() -> str:
        if rng.random() < 0.4:
            return rng.choice(pool.hospitals)
        land = rng.choice(_LANDSCAPES) + rng.choice((" Valley", "side", " Hills", "view", " Ridge", "wood", " Cross"))
        first = rng.choice((drawn(families[:8000], pool.families, 1)[0], town(), land))
        return f"{first} {rng.choice(_KINDS_OF_HOUSES)}".strip()

    return dataclasses.replace(
        pool,
        women=drawn([name for name, sex in known.given.items() if "f" in sex], pool.women, 40),
        men=drawn([name for name, sex in known.given.items() if "m" in sex], pool.men, 40),
        families=drawn(families, pool.families, 60),
        cities=tuple(town() for _ in range(30)),
        hospitals=tuple(house() for _ in range(30)),
    )


def examples(pools: Iterable[str], texts: Sequence[str], vocabulary: Vocabulary) -> Iterator[Example]:
    """The features of each token worth a question, and whether it is of a person (1), of a place (2) or neither."""
    rng = random.Random(5)
    for name in pools:
        for seed in range(NOTES):
            note = make(name, 1000 + seed, renamed(pool_of(name), rng))
            gold = [(start, end, _KINDS.get(kind, -1)) for start, end, kind in note.gold]
            yield from _of(_loud(note.text, rng), gold, vocabulary)
    for text in rng.sample(texts, min(len(texts), TEXTS)):
        yield from _of(_loud(text[:LONGEST], rng), [], vocabulary)


def _loud(text: str, rng: random.Random) -> str:
    return text.upper() if rng.random() < SHOUTED and len(text.upper()) == len(text) else text


def _of(text: str, gold: Sequence[tuple[int, int, int]], vocabulary: Vocabulary) -> Iterator[Example]:
    tokens, shouted = tokens_of(text), shouted_lines(text)
    for i, token in enumerate(tokens):
        if may_be(text, token, vocabulary):
            kind = next((k for start, end, k in gold if start < token.end and token.start < end), 0)
            if kind >= 0:  # others, such as dates, teach nothing
                loud = any(start <= token.start < end for start, end in shouted)
                yield list(features(text, tokens, i, loud, vocabulary)), kind


def learned(rows: Sequence[Example]) -> dict[str, tuple[int, int]]:
    """The weights of each feature that was seen often enough, by logistic regressions."""
    seen = Counter(feature for row, _ in rows for feature in set(row))
    column = {feature: n for n, feature in enumerate(f for f, times in seen.items() if times >= LEAST_SEEN)}
    indices: list[int] = []
    ends = [0]
    for row, _ in rows:
        indices += sorted({column[feature] for feature in row if feature in column})
        ends.append(len(indices))
    matrix = csr_matrix((np.ones(len(indices), np.float32), indices, ends), (len(rows), len(column)))
    kinds = np.array([kind for _, kind in rows])
    both = []
    for kind in (1, 2):
        model = LogisticRegression(C=RIDGE, max_iter=120).fit(matrix, kinds == kind)
        weights = np.rint(model.coef_[0] * SCALE).astype(int)
        weights[column["bias"]] += round(float(model.intercept_[0]) * SCALE)
        both.append(weights)
    pairs = {feature: (int(both[0][n]), int(both[1][n])) for feature, n in column.items()}
    return {feature: pair for feature, pair in pairs.items() if max(map(abs, pair)) >= LEAST_WEIGHT}


def main() -> None:
    """Learn, and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--without", default="", help="a pool to leave out, to be measured by it")
    parser.add_argument("--model", type=Path, default=MODEL)
    given = parser.parse_args()
    rows = [json.loads(line) for path in given.texts for line in path.read_text("utf-8").splitlines()]
    texts = [row["text"] for row in rows if row.get("split") != "dev"]
    vocabulary = Vocabulary.of(Pipeline.open(ROOT / "var").lexicon)
    pools = [pool for pool in LEARNED_FROM if pool != given.without]
    found = learned(list(examples(pools, texts, vocabulary)))
    lines = "".join(f"{feature}\t{person}\t{place}\n" for feature, (person, place) in sorted(found.items()))
    given.model.write_bytes(lzma.compress(lines.encode(), preset=9))
    print(f"{len(found)} features, {given.model.stat().st_size} bytes")


if __name__ == "__main__":
    main()
