"""How often claims with a code, a payer, a diagnosis were denied, drawn to what is usual where there are few.

A rate is (denied + 20 × parent) / (claims + 20); the parent of a pair of payer and code is the code, of all others the
whole. Fewer than 10 claims leave no trace, so that no single claim or patient can be read out of a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from claims.learn.columns import Table
from claims.learn.groups import category, clean, modifier, sealed

FEWEST = 10
WEIGHT = 20
MOST = 200_000
"""Entries of a kind in a model."""
KINDS = ("payer", "code", "payer_code", "diagnosis", "specialty", "modifier")
Keys = list[list[tuple[str, str | None]]]
"""For each claim its keys of a kind, each with its parent: a code, or None for the whole."""


class Rates(msgspec.Struct, frozen=True):
    """Kind → key → rate of denial; `usual` of all claims."""

    usual: float
    of: dict[str, dict[str, float]]

    def highest(self, kind: str, keys: Keys) -> NDArray[np.float64]:
        """For each claim the highest rate of its keys; one that is not known has that of its parent."""
        rates, parents, usual = self.of.get(kind, {}), self.of.get("code", {}), self.usual
        return np.array(
            [
                max((rates[key] if key in rates else parents.get(up or "", usual) for key, up in one), default=usual)
                for one in keys
            ]
        )


def keys_of(table: Table) -> dict[str, Keys]:
    """Kind → the keys of each claim, each once and in order."""
    found: dict[str, Keys] = {kind: [[] for _ in range(table.size)] for kind in KINDS}
    claims = table.claims
    for row, payer in enumerate(claims["payer_id"]):
        if key := sealed(payer):
            found["payer"][row].append((key, None))
    for kind, row, key, parent in (*_of_lines(table), *_of_diagnoses(table)):
        if (key, parent) not in found[kind][row]:
            found[kind][row].append((key, parent))
    return found


def _of_lines(table: Table) -> Iterator[tuple[str, int, str, str | None]]:
    claims, lines = table.claims, table.lines
    columns = (lines[name] for name in ("row", "code", "mods", "specialty"))
    for row, said, mods, specialty in zip(*columns, strict=True):
        code, payer = clean(said), sealed(claims["payer_id"][row])
        if code:
            yield "code", row, code, None
            if payer:
                yield "payer_code", row, f"{payer} {code}", code
        for mod in mods or ():
            if modifier(mod):
                yield "modifier", row, mod, None
        taxonomy = specialty or claims["provider_taxonomy"][row]
        if taxonomy and len(taxonomy) == 10 and taxonomy[:3].isdigit() and taxonomy.isalnum():
            yield "specialty", row, taxonomy[:4], None


def _of_diagnoses(table: Table) -> Iterator[tuple[str, int, str, str | None]]:
    for row, code in zip(table.diagnoses["row"], table.diagnoses["code"], strict=True):
        if key := category(code):
            yield "diagnosis", row, key, None


def fit(keys: dict[str, Keys], denied: Sequence[bool] | NDArray[np.bool_], rows: Sequence[int] | NDArray[Any]) -> Rates:
    """The rates over some rows."""
    rows = [int(row) for row in rows]
    usual = sum(bool(denied[row]) for row in rows) / len(rows)
    found: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        seen: Counter[tuple[str, str | None]] = Counter()
        bad: Counter[tuple[str, str | None]] = Counter()
        for row in rows:
            seen.update(keys[kind][row])
            if denied[row]:
                bad.update(keys[kind][row])
        parents = found.get("code", {})
        kept = [(key, count) for key, count in seen.most_common(MOST) if count >= FEWEST]
        found[kind] = {
            key[0]: round((bad[key] + WEIGHT * parents.get(key[1] or "", usual)) / (count + WEIGHT), 6)
            for key, count in sorted(kept, key=lambda one: one[0][0])
        }
    return Rates(round(usual, 6), found)
