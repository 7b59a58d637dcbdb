"""The whole way, as a person sees it first."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image


def test_the_demo_codes_its_fax(furnish: Callable[[Path], Path], tmp_path: Path) -> None:
    """One command starts a server, codes the fax, proves each code and prices the claim by an invented schedule alone.

    Negated and family findings are not coded.
    """
    furnish(tmp_path)  # building the terminology takes half a minute
    command = [sys.executable, "-m", "server.cli", "demo", "--json", "--data", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    found = {row["code"]: row for row in answer["rows"]}
    printed = {"E11.65", "I10", "99214", "83036", "36415"}
    in_words = {"E78.2", "M17.11", "E03.9"}
    values = {"85354-9", "29463-7", "4548-4", "6809", "29046"}
    assert printed | in_words | values <= set(found)
    assert {"R07.9", "E11.319", "R50.9"}.isdisjoint(found)
    assert not any(code.startswith(("C50", "I63", "I64", "J45")) for code in found)
    told = {row["code"] for row in answer["rows"] if row["kind"] == "Condition" and not row["note"]}
    assert told <= printed | in_words | {"Z79.84", "Z79.899", "Z80.3", "Z87.01", "Z90.49"}
    assert found["29463-7"]["value"].startswith("81.60 kg")
    assert all(row["marks"] for row in answer["rows"])
    for page in answer["pages"]:
        with Image.open(page) as image:
            image.verify()
    claim = answer["claim"]
    assert "The line has no charge" in claim["errors"]
    assert "some edits were not run" in claim["disposition"]
    assert claim["notPriced"] == ["The physician fee schedule is not loaded"]
    assert claim["expected"] is None
    priced = answer["priced"]
    assert priced["invented"] is True
    assert (priced["expected"], [line["allowed"] for line in priced["lines"]]) == ("136.34", ["119.00", "9.23", "8.11"])
    assert "(1.93 × 1.013 + 1.97 × 0.957 + 0.13 × 0.871) × 30.1000" in priced["lines"][0]["steps"][1]
    assert {table["table"] for table in priced["tables"]} >= {"rvu", "gpci", "zip", "factor", "lab_price", "price_list"}
    assert not list((tmp_path / "claims").glob("*@*"))  # nothing else is ever priced by it
    again = [sys.executable, "-m", "server.cli", "claims", "explain", priced["claim"], "--data", priced["data"]]
    result = subprocess.run(again, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, result.stderr
    assert "Expected under the fee schedule: $136.34" in result.stdout
