"""A made-up RxNorm release of the official layout and of any size (https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

TYPES = ("SCD", "SBD", "SCDC", "IN", "BN", "SCDF", "SBDC", "PIN", "GPCK", "SCDG")
RELATIONS = ("has_ingredient", "ingredient_of", "consists_of", "constitutes", "isa", "inverse_isa", "tradename_of")


def write_release(folder: Path, lines: int) -> None:
    """Write names of so many lines, of which four in ten are by RxNorm; relations and attributes six times as many."""
    dice = random.Random(1)
    concepts = max(lines // 5, 1)
    rrf = folder / "rrf"
    rrf.mkdir(parents=True, exist_ok=True)
    _write(rrf / "RXNCONSO.RRF", _names(dice, lines, concepts))
    _write(rrf / "RXNREL.RRF", _relations(dice, lines * 6, concepts))
    _write(rrf / "RXNSAT.RRF", _attributes(dice, lines * 6, concepts))
    _write(rrf / "RXNSTY.RRF", (f"{cui}|T121|A1|Pharmacologic Substance||256|" for cui in range(1, concepts + 1)))
    _write(rrf / "RXNSAB.RRF", ("C1||RXNORM_20AA_251006F|RXNORM" + "|" * 22,))


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _names(dice: random.Random, lines: int, concepts: int) -> Iterator[str]:
    words = [f"drug{n}" for n in range(15_000)]
    for atom in range(1, lines + 1):
        own = atom <= lines * 2 // 5
        sab, cui = ("RXNORM", (atom - 1) % concepts + 1) if own else ("MMSL", dice.randint(1, concepts))
        tty = ("SY" if atom > concepts else TYPES[cui % 10]) if own else "SU"
        text = f"{words[cui % 15_000]} {atom % 500} MG / {dice.choice(words)} {dice.randint(1, 99)} MG Oral Tablet"
        yield f"{cui}|ENG||||||{atom}|{atom}|{cui}||{sab}|{tty}|{cui}|{text}||N|4096|"


def _relations(dice: random.Random, lines: int, concepts: int) -> Iterator[str]:
    for line in range(lines):
        sab, kind = ("RXNORM", "CUI") if line % 3 == 0 else ("MMSL", "AUI")
        first, second = dice.randint(1, concepts), dice.randint(1, concepts)
        yield f"{first}||{kind}|RO|{second}||{kind}|{dice.choice(RELATIONS)}|{line}||{sab}|{sab}||||4096|"


def _attributes(dice: random.Random, lines: int, concepts: int) -> Iterator[str]:
    for line in range(lines):
        sab = "RXNORM" if line % 8 == 0 else "MMSL"
        name, value = ("NDC", f"{line:011}") if line % 3 == 0 else ("RXN_HUMAN_DRUG", "US")
        yield f"{dice.randint(1, concepts)}|||{line}|AUI|1||{line}|{name}|{sab}|{value}|N|4096|"
