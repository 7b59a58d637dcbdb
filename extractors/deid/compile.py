"""Pack the word lists again from two published packages: `python -m extractors.deid.compile CENSUS WORDS`.

CENSUS is the folder with the files of the census (`dist.all.last.2000.csv`, `dist.female.first.1990.csv`,
`dist.male.first.1990.csv`), WORDS a list of English words, one a line (SCOWL's american-english).
https://www.census.gov/topics/population/genealogy/data.html, http://wordlist.aspell.net
"""

from __future__ import annotations

import csv
import lzma
import sys
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).with_name("data")
FAMILIES = 45_000  # of 152,000: the rarer ones borne by fewer than 400 people each


def main(census: Path, words: Path) -> None:
    """Write the three lists."""
    with (census / "dist.all.last.2000.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["name"].isalpha()][:FAMILIES]
    _write("family", (f"{row['name'].lower()}\t{_group(row)}" for row in rows))
    shares: dict[str, dict[str, float]] = {}
    for sex in ("female", "male"):
        with (census / f"dist.{sex}.first.1990.csv").open() as file:
            for row in csv.DictReader(file):
                shares.setdefault(row["name"].lower(), {})[sex[0]] = float(row["frequency"])
    _write("given", (f"{name}\t{_sex(by)}" for name, by in sorted(shares.items(), key=lambda i: -max(i[1].values()))))
    listed = words.read_text("utf-8").split()
    _write("words", sorted({word for word in listed if word.isascii() and word.isalpha()}))


def _group(row: dict[str, str]) -> str:
    """Where the name comes from, as far as surrogates keep it: h (Hispanic), a (Asian) or empty."""

    def share(column: str) -> float:
        return float(row[column]) if row[column].replace(".", "").isdigit() else 0.0

    return "h" if share("pcthispanic") > 60 else "a" if share("pctapi") > 60 else ""


def _sex(by: dict[str, float]) -> str:
    """F, m, or both where neither is ten times as frequent."""
    female, male = by.get("f", 0.0), by.get("m", 0.0)
    return "f" if female >= 10 * male else "m" if male >= 10 * female else "fm"


def _write(name: str, lines: Iterable[str]) -> None:
    text = "\n".join(lines) + "\n"
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    (FOLDER / f"{name}.txt.xz").write_bytes(packed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
