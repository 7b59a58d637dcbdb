"""An expression answers the same over tables of claims and over one claim."""

import importlib.util
import random
from pathlib import Path

import numpy as np
import orjson
import pytest

from campaigns.claiming.making import claim
from claims.expr.read import read
from claims.expr.single import broken, single
from claims.expr.vector import Batch, Expressions
from claims.sheet.frames import frames
from claims.sheet.read import read_claim
from claims.sheet.schema import SCOPES
from fhir_profiles.errors import FhirError

_spec = importlib.util.spec_from_file_location("random_sheets", Path(__file__).parent / "random_sheets.py")
sheets = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sheets)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("scope", SCOPES)
def test_both_forms_agree(scope: str, seed: int) -> None:
    """Random expressions of every kind, over random claims with nulls, empty collections and dated tables."""
    dice = random.Random(f"{scope} {seed}")
    made, records = sheets.sheet(dice, 40)
    tables = sheets.tables(dice)
    writer = sheets.Writer(dice, scope)
    texts = [writer.flag(3) for _ in range(40)]
    nodes = [(scope, read(text, scope, sheets.PLAIN)) for text in texts]
    asked, batch = Expressions(nodes), Batch(made, tables)
    collection = SCOPES[scope][0]
    rows = [(r, row) for r in records for row in ([r["claim"]] if scope == "claim" else r[collection])]
    for n, text in enumerate(texts):
        ask = single(nodes[n][1], tables)
        expected = [ask(row, record) for record, row in rows]
        for wanted in (True, False):
            mask = np.broadcast_to(asked.when(batch, n, wanted), len(rows))
            assert mask.tolist() == [one is wanted for one in expected], text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("not " * 51 + "bad_dates", 3), ("+".join(["seq"] * 50) + " > 3", 3), (" and ".join(["units > 0"] * 120), 3),
        ("(bad_dates == " * 45 + "bad_dates" + ")" * 45, 3), ("(not bad_dates or (" * 18 + "bad_dates" + "))" * 18, 3),
        ("((bad_dates and True) == " * 25 + "bad_dates" + ")" * 25, 3),
    ],
)  # fmt: skip
def test_deep_expressions_are_asked_in_both_forms(text: str, lines: int) -> None:
    """Hundreds of parts below one another neither fail nor take long."""
    record = read_claim(orjson.dumps(claim(random.Random(1), 0)))
    node = read(text, "line")
    asked, batch = Expressions([("line", node)]), Batch(frames([record]), {})
    assert np.broadcast_to(asked.when(batch, 0, True), 3).sum() == lines
    hits: list[int] = []
    ask = broken([(0, node)], {})
    for row in record["lines"]:
        ask(row, record, {}, hits.append)
    assert len(hits) == lines


def test_what_is_nested_too_deep_is_refused() -> None:
    """With the place and how deep parts may stand, and not by running out of room."""
    with pytest.raises(FhirError, match="at most 60 deep"):
        read("+".join(["seq"] * 190) + " > 3", "line")
