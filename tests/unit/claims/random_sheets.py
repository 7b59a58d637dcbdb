"""Random claim sheets and expressions over them, for tests that hold the two forms of a rule against each other."""

from __future__ import annotations

import random
from typing import Any

import polars as pl

from claims.sheet.schema import CLAIM, COLLECTIONS, SCOPES
from claims.tables.schema import TableDef
from claims.tables.table import Table

TYPES = {
    "text": pl.String, "whole": pl.Int64, "number": pl.Float64, "flag": pl.Boolean, "day": pl.Int64,
    "cents": pl.Int64, "texts": pl.List(pl.String), "wholes": pl.List(pl.Int64),
}  # fmt: skip
TEXTS = ("", "99213", "A1", "25", "59", "1234567893", "1234567890", "12", "x y", "é")
PLAIN = {
    "one": TableDef("One", {"code": "text"}, {"units": "whole", "name": "text", "good": "flag"}),
    "two": TableDef("Two", {"left": "text", "right": "text"}, {"indicator": "text", "cost": "cents"}),
}


def value(dice: random.Random, kind: str) -> Any:
    """A value of a type, now and then null."""
    if dice.random() < 0.2:
        return None
    match kind:
        case "text":
            return dice.choice(TEXTS)
        case "number":
            return dice.choice((0.0, 1.0, 1.5, -2.0, 10.0))
        case "flag":
            return dice.random() < 0.5
        case "day":
            return dice.randrange(19_000, 19_010)
        case "texts":
            return [dice.choice(TEXTS) for _ in range(dice.randrange(4))]
        case "wholes":
            return [dice.randrange(4) for _ in range(dice.randrange(4))]
        case _:
            return dice.choice((-1, 0, 1, 2, 3, 100))


def sheet(dice: random.Random, claims: int) -> tuple[dict[str, pl.DataFrame], list[dict[str, Any]]]:
    """The same random claims as frames and as records."""
    records = []
    for number in range(claims):
        record: dict[str, Any] = {"claim": {name: value(dice, kind) for name, kind in CLAIM.items()} | {"row": number}}
        for collection, columns in COLLECTIONS.items():
            record[collection] = [
                {name: value(dice, kind) for name, kind in columns.items()} | {"row": number}
                for _ in range(dice.choice((0, 1, 2, 3)))
            ]
        records.append(record)
    frames = {"claims": _frame([r["claim"] for r in records], CLAIM)}
    for collection, columns in COLLECTIONS.items():
        frames[collection] = _frame([row for r in records for row in r[collection]], columns)
    return frames, records


def _frame(rows: list[dict[str, Any]], columns: Any) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={name: TYPES[kind] for name, kind in columns.items()}, orient="row")


def tables(dice: random.Random) -> dict[str, Table]:
    """Small tables with periods."""
    found = {}
    for name, definition in PLAIN.items():
        rows = []
        for keys in {tuple(dice.choice(TEXTS) for _ in definition.keys) for _ in range(8)}:
            middle = dice.randrange(19_002, 19_008)
            for start, end in ((None, middle), (middle + dice.choice((1, 2)), None)):
                row = dict(zip(definition.keys, keys, strict=True))
                row |= {v: value(dice, kind) for v, kind in definition.values.items()}
                rows.append(row | {"start": start, "end": end})
        kinds = {k: TYPES[t] for k, t in (definition.keys | definition.values).items()}
        frame = pl.DataFrame(rows, schema={**kinds, "start": pl.Int64, "end": pl.Int64})
        found[name] = Table.of(definition, frame, "test")
    return found


class Writer:
    """Writes random expressions for a scope."""

    def __init__(self, dice: random.Random, scope: str) -> None:
        self.dice = dice
        self.columns = dict(SCOPES[scope][1])
        self.scope = scope
        self.other: tuple[str, dict[str, str]] | None = None

    def column(self, kind: str) -> str:
        """A name of a column of this type, of the row, its claim or its neighbour."""
        places = [("", self.columns), ("claim.", dict(CLAIM))]
        if self.other:
            places.append(("x.", self.other[1]))
        found = [f"{of}{n}" for of, columns in places for n, k in columns.items() if k == kind]
        return self.dice.choice(found) if found else self.constant(kind)

    def has(self, kind: str) -> bool:
        """Whether there is a column of a type."""
        return kind in (*self.columns.values(), *CLAIM.values(), *(self.other[1].values() if self.other else ()))

    def constant(self, kind: str) -> str:
        """A value written out."""
        if kind == "day":
            return f'day("2022-01-{self.dice.randrange(10, 20)}")'
        written = value(random.Random(self.dice.random()), kind)
        if isinstance(written, float | int) and not isinstance(written, bool):
            return str(abs(written))
        return repr("25" if written is None and kind == "text" else 1 if written is None else written)

    def scalar(self, kind: str, depth: int) -> str:
        """An expression of a type."""
        dice = self.dice
        if depth <= 0 or dice.random() < 0.4:
            return self.column(kind) if dice.random() < 0.75 else self.constant(kind)
        if kind == "whole":
            return dice.choice((
                f"length({self.column('text')})", f"size({self.column('texts')})", f"whole({self.column('text')})",
                f"one({self.column('text')}).units", f"year({self.column('day')})",
                f"({self.scalar('whole', depth - 1)} {dice.choice('+-*')} {self.scalar('whole', depth - 1)})",
                f"days({self.column('day')}, {self.column('day')})",
                f"months({self.column('day')}, {self.column('day')})",
                self.each(dice.choice(("count", "total", "most", "least")), depth),
            ))  # fmt: skip
        if kind == "text":
            return dice.choice((f"part({self.column('text')}, 1, 2)", f"one({self.column('text')}).name",
                                f"two({self.column('text')}, {self.column('text')}).indicator",
                                f"first({self.column('texts')})", f"nth({self.column('texts')}, 2)"))  # fmt: skip
        if kind == "cents":
            return f"two({self.column('text')}, {self.column('text')}, on={self.column('day')}).cost"
        return self.column(kind)

    def each(self, kind: str, depth: int) -> str:
        """A question over a collection."""
        if self.other:
            return "1" if kind not in ("any", "all") else "True"
        collection = self.dice.choice(list(COLLECTIONS))
        self.other = (collection, dict(COLLECTIONS[collection]))
        inner = self.flag(depth - 1) if kind in ("any", "all", "count") else self.scalar("whole", depth - 1)
        where = f" if {self.flag(depth - 1)}" if self.dice.random() < 0.4 else ""
        self.other = None
        return f"{kind}({inner} for x in {collection}{where})"

    def flag(self, depth: int) -> str:
        """An expression that is true or false."""
        dice = self.dice
        if depth <= 0:
            return self.column("flag")
        choice = dice.randrange(11)
        if choice == 0:
            return f"({self.flag(depth - 1)} {dice.choice(('and', 'or'))} {self.flag(depth - 1)})"
        if choice == 1:
            return f"not {self.flag(depth - 1)}"
        if choice == 2:
            kind = dice.choice([k for k in ("text", "whole", "day", "texts", "wholes", "flag") if self.has(k)])
            return f"{dice.choice(('missing', 'present'))}({self.column(kind)})"
        if choice == 3:
            values = ", ".join(repr(dice.choice(TEXTS)) for _ in range(2))
            return f"{self.scalar('text', depth - 1)} {dice.choice(('in', 'not in'))} ({values})"
        if choice == 4:
            kind = dice.choice([k for k in ("text", "whole") if self.has(k + "s")])
            return f"{self.scalar(kind, depth - 1)} in {self.column(kind + 's')}"
        if choice == 5:
            return self.each(dice.choice(("any", "all")), depth)
        if choice == 6:
            return dice.choice((f"npi({self.column('text')})", f"meets({self.column('texts')}, ('25', '99213'))",
                                f"within({self.column('texts')}, ('25', '59', 'A1'))", f"{self.column('text')} in NCCI",
                                f"meets({self.column('texts')}, NCCI)",
                                f"alike({self.column('texts')}, {self.column('texts')})",
                                f"overlap({self.column('texts')}, {self.column('texts')})",
                                f"multiple({self.scalar('whole', depth - 1)}, {self.constant('number')})",
                                f"distinct({self.column('texts')})",
                                f"starts({self.column('text')}, 'A')", f"matches({self.column('text')}, '[0-9]+')",
                                f"one({self.column('text')})",
                                f"one(part({self.column('text')}, 1, 2)).good"))  # fmt: skip
        kind = dice.choice(("text", "whole", "day", "cents", "number"))
        sign = dice.choice(("==", "!=", "<", "<=", ">", ">="))
        return f"({self.scalar(kind, depth - 1)} {sign} {self.scalar(kind, depth - 1)})"
