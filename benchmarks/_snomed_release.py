"""A release in RF2 layout of the size of the real one, all of it invented."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from terminology import sctid
from terminology.importers.snomed.files import CONCEPT, DESCRIPTION, LANGUAGE, MEMBER, RELATIONSHIP

DAY = "20260101"
NAMESPACE = "1999999"
CASE, MODIFIER = "900000000000448009", "900000000000451002"
TYPES = 60
FIRST = 1_000
"""The number of the first concept that is neither metadata nor a type."""

_TEXT = (
    "acute chronic left right upper lower partial total open closed benign primary secondary early late simple "
    "complex fracture disorder structure finding procedure repair excision imaging measurement fluid tissue bone "
    "joint nerve vessel skin heart lung liver kidney bowel brain spine hand foot knee hip shoulder tablet capsule "
    "solution injection device implant graft virus bacteria antigen antibody enzyme hormone protein vitamin mineral "
    "allergy infection inflammation tumour lesion"
)
WORDS = _TEXT.split()


def sct(item: int, kind: str = "10") -> str:
    """The identifier of an item of an invented namespace."""
    digits = f"{item}{NAMESPACE}{kind}"
    return digits + sctid.check_digit(digits)


MODULE = sct(1)


def write(folder: Path, concepts: int) -> None:
    """Write a release with three names and four relationships for each concept."""
    chance = random.Random(20260101)
    codes = [sct(FIRST + n) for n in range(concepts)]
    types = [sct(100 + n) for n in range(TYPES)]
    heads = [sctid.ROOT, sctid.IS_A, MODULE, sct(2), *types, sctid.US_ENGLISH, sctid.GB_ENGLISH]
    every = [*heads, *codes]
    _file(folder, "sct2_Concept_Snapshot_XX9999", CONCEPT, ([c, *_rest(), sctid.PRIMITIVE] for c in every))
    _file(folder, "sct2_Description_Snapshot-en_XX9999", DESCRIPTION, _descriptions(every, chance))
    _file(folder, "der2_cRefset_LanguageSnapshot-en_XX9999", LANGUAGE, _languages(len(every)))
    _file(folder, "sct2_Relationship_Snapshot_XX9999", RELATIONSHIP, _relationships(heads, codes, types, chance))
    members = ([_uuid(n), *_rest(), sct(2), code] for n, code in enumerate(codes[::20]))
    _file(folder, "der2_Refset_SimpleSnapshot_XX9999", MEMBER, members)


def _rest() -> list[str]:
    return [DAY, "1", MODULE]


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def _file(folder: Path, name: str, columns: tuple[str, ...], rows: Iterator[list[str]]) -> None:
    path = folder / f"{name}_{DAY}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join(columns) + "\r\n")
        file.writelines("\t".join(row) + "\r\n" for row in rows)


def _descriptions(every: list[str], chance: random.Random) -> Iterator[list[str]]:
    for number, code in enumerate(every):
        words = chance.sample(WORDS, 4)
        name = f"{' '.join(words)} {number}"
        for place, (kind, term) in enumerate(
            (
                (sctid.FSN, f"{name} (invented)"),
                (sctid.SYNONYM, name),
                (sctid.SYNONYM, f"{words[2]} of {words[0]} {number}"),
            )
        ):
            yield [sct(3 * number + place + 1, "11"), *_rest(), code, "en", kind, term, CASE]


def _languages(count: int) -> Iterator[list[str]]:
    for number in range(3 * count):
        acceptability = sctid.ACCEPTABLE if number % 3 == 2 else sctid.PREFERRED
        for place, dialect in enumerate((sctid.US_ENGLISH, sctid.GB_ENGLISH)):
            yield [_uuid(2 * number + place), *_rest(), dialect, sct(number + 1, "11"), acceptability]


def _relationships(heads: list[str], codes: list[str], types: list[str], chance: random.Random) -> Iterator[list[str]]:
    number = 0

    def row(source: str, type_: str, target: str, group: int) -> list[str]:
        nonlocal number
        number += 1
        return [sct(number, "12"), *_rest(), source, target, str(group), type_, sctid.INFERRED, MODIFIER]

    for head in heads[1:]:
        yield row(head, sctid.IS_A, sctid.ROOT, 0)
    for n, code in enumerate(codes):
        above = {n // 5} if n else set()
        while n > 100 and chance.random() < 0.35:
            above.add(min(max(n // 5 + chance.randint(-40, 40), 0), n - 1))
        for parent in sorted(above):
            yield row(code, sctid.IS_A, codes[parent], 0)
        if not n:
            yield row(code, sctid.IS_A, sctid.ROOT, 0)
        for place in range(chance.choice((0, 2, 3, 4))):
            type_ = types[min(int(chance.expovariate(0.15)), TYPES - 1)]
            yield row(code, type_, codes[chance.randrange(len(codes))], place // 2)
