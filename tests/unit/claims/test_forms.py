"""An expression answers the same over tables of claims and over one claim."""

import importlib.util
import random
from pathlib import Path

import pytest

from claims.expr.read import read
from claims.expr.single import single
from claims.expr.vector import Questions
from claims.sheet.schema import SCOPES

_spec = importlib.util.spec_from_file_location("random_sheets", Path(__file__).parent / "random_sheets.py")
sheets = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sheets)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("scope", SCOPES)
def test_both_forms_agree(scope: str, seed: int) -> None:
    """Random expressions of every kind, over random claims with nulls, empty collections and dated tables."""
    dice = random.Random(f"{scope} {seed}")
    frames, records = sheets.sheet(dice, 40)
    tables = sheets.tables(dice)
    writer = sheets.Writer(dice, scope)
    texts = [writer.flag(3) for _ in range(40)]
    nodes = {str(n): read(text, scope, sheets.PLAIN) for n, text in enumerate(texts)}
    answers = Questions(scope, nodes).ask(frames, tables)
    collection = SCOPES[scope][0]
    rows = [(r, row) for r in records for row in ([r["claim"]] if scope == "claim" else r[collection])]
    for n, text in enumerate(texts):
        ask = single(nodes[str(n)], tables)
        expected = [ask(row, record, None) for record, row in rows]
        assert answers[str(n)].to_list() == expected, text
