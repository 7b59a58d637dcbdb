"""Learn from made claims whose truth is known: `campaigns/claim_learning.py [--claims N] [--seed N]`.

N claims whose denial follows a known function, and as many where a coin decides, are learned from; one charge in a
hundred is planted. It ends with exit code 0 when later claims are ranked and foretold nearly as well as the truth
could, the coin is not foretold, the planted charges are found, and reasons name what drove a denial.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np
import orjson

from campaigns.claiming.learning import Made, effects, made
from claims.answer.scrub import Scrub
from claims.learn.measure import Flags, Numbers, auc, average_precision, ece
from claims.learn.score import Score, Scorer
from claims.learn.train import Read, Source, Trained, decided, read_claims, train
from claims.tables.own import own_tables

BOUNDS = {
    "AUC below the truth's": 0.02,
    "calibration error": 0.03,
    "coin": 0.03,
    "recall": 0.97,
    "precision": 0.95,
    "reasons": 0.95,
}


class World(NamedTuple):
    """Made claims, what was learned of them, their scores, and which are the later ones."""

    made: list[Made]
    read: Read
    trained: Trained
    scores: list[Score]
    later: list[int]
    denied: Flags

    def of(self, what: str) -> Numbers:
        """risk, or truth, of the later claims."""
        return np.array([self.scores[n].risk if what == "risk" else self.made[n].truth for n in self.later])


def main() -> int:
    """Learn, compare, print, and say whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    true = world(options.claims, options.seed, False)
    found = _told(true)
    coin = world(options.claims, options.seed + 1, True)
    area = auc(coin.denied, coin.of("risk"))
    print(f"denied by a coin: AUC {area:.4f}, calibration error {ece(coin.denied, coin.of('risk')):.4f}")
    found["coin"] = abs(area - 0.5)
    bad = [
        name
        for name, bound in BOUNDS.items()
        if (found[name] < bound if name in ("recall", "precision", "reasons") else found[name] > bound)
    ]
    print("out of bounds: " + (", ".join(bad) or "nothing"))
    return 1 if bad else 0


def world(count: int, seed: int, null: bool) -> World:
    """Make claims, learn from them and score them, with the CPU that each takes."""
    ones, scrub = list(made(count, seed, null)), Scrub.over(own_tables())
    bodies = [orjson.dumps(one.claim) for one in ones]
    clocks = [time.process_time()]
    read = read_claims(map(Source, bodies), scrub)
    clocks.append(time.process_time())
    decisions = list(decided(orjson.dumps(one.response) for one in ones))
    trained = train(read, decisions, scrub, "2026-11-22")
    clocks.append(time.process_time())
    scores = Scorer(trained.model).scores(read.table)
    clocks.append(time.process_time())
    reading, learning, scoring = np.diff(clocks)
    print(
        f"{count:,} claims: read, edited and priced in {reading:.1f} s of CPU, learned in {learning:.1f}, "
        f"scored in {scoring:.1f} ({scoring / count * 1e6:.0f} us a claim); {trained.report['trees']} trees, "
        f"model of {len(trained.model.body):,} bytes"
    )
    later = [n for n, one in enumerate(ones) if one.claim["created"] >= trained.report["first tested day"]]
    denied = np.array([decisions[n].denied for n in later])
    return World(ones, read, trained, scores, later, denied)


def _told(true: World) -> dict[str, float]:
    """Print how good the scores are beside the truth, and give what has bounds."""
    report, risk, truth = true.trained.report, true.of("risk"), true.of("truth")
    print(f"learned from {report['trained']:,}, tested on {report['tested']:,} later claims, {report['base rate']}")
    best, reached = auc(true.denied, truth), report["model"]["auc"]
    print(f"AUC {reached}, of the truth itself {best:.4f}, payer and code alone {report['baseline']['auc']}")
    precision = average_precision(true.denied, truth)
    print(f"average precision {report['model']['average_precision']}, of the truth itself {precision:.4f}")
    error = ece(true.denied, risk)
    print(f"calibration error {error:.4f}, of the truth itself {ece(true.denied, truth):.4f}")
    print(f"mean distance from the true probability {np.abs(risk - truth).mean():.4f}")
    planted = {(row, one.planted) for row, one in enumerate(true.made) if one.planted}
    found = {(row, s.charge.line) for row, s in enumerate(true.scores) if s.charge and s.charge.direction}
    recall, exact = len(planted & found) / len(planted), len(planted & found) / len(found)
    print(f"planted charges {len(planted):,}, found {recall:.4f} of them, {exact:.4f} of those found are planted")
    named = _named(true)
    print(f"reasons name the one strong cause of a denial: {named:.4f}")
    print(f"features that move most: {report['features']}")
    return {
        "AUC below the truth's": best - reached[0], "calibration error": error, "recall": recall, "precision": exact,
        "reasons": named,
    }  # fmt: skip


def _named(true: World) -> float:
    """Of later claims with one strong cause, the share where it is among the reasons and raises the risk."""
    told = []
    for row in true.later:
        strong = [name for name, effect in effects(true.made[row].claim).items() if effect >= 1.4]
        if len(strong) == 1:
            told.append(any(one.feature == strong[0] and one.adds > 0 for one in true.scores[row].reasons))
    return sum(told) / len(told)


if __name__ == "__main__":
    raise SystemExit(main())
