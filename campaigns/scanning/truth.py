"""Pages of the scan benchmark with what truly stands on them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHARED = Path(__file__).parents[3] / "shared"
GENERATOR = SHARED / "tools" / "scanbench" / "gen.py"
NOTES = SHARED / "corpus" / "aci_bench_notes.csv"
LEVELS = {"L0": "png", "L1": "tif", "L2": "png", "L3": "jpg", "L4": "jpg"}
ICD = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?")
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class TrueWord:
    """A word and its box in points from the page's top left."""

    text: str
    box: Box


@dataclass(frozen=True)
class Truth:
    """What stands on a page. `matrices` map points to the pixels of each level."""

    lines: list[list[TrueWord]]
    critical: list[str]
    matrices: dict[str, NDArray[np.float64]]

    def texts(self) -> list[str]:
        """The lines as strings."""
        return [" ".join(word.text for word in line) for line in self.lines]

    def _after(self, start: str) -> int:
        return next(i for i, text in enumerate(self.texts()) if text.startswith(start)) + 1

    def vitals(self) -> list[TrueWord]:
        """The row of values under `BP Pulse Resp Temp F SpO2 Weight kg`."""
        return self.lines[self._after("BP Pulse")]

    def labs(self) -> list[tuple[str, TrueWord]]:
        """(test, value) of the five rows under `Test Result Flag`."""
        at = self._after("Test Result")
        rows = []
        for line in self.lines[at : at + 5]:
            index = next(i for i, word in enumerate(line) if re.fullmatch(r"\d+(\.\d+)?", word.text))
            rows.append((" ".join(word.text for word in line[:index]), line[index]))
        return rows

    def medications(self) -> list[list[TrueWord]]:
        """The four lines under `MEDICATIONS`."""
        at = self._after("MEDICATIONS")
        return self.lines[at : at + 4]

    def diagnoses(self) -> list[TrueWord]:
        """The three ICD-10-CM codes."""
        at = self._after("DIAGNOSES AND")
        return [line[0] for line in self.lines[at : at + 3]]

    def procedures(self) -> list[TrueWord]:
        """The three CPT or HCPCS codes."""
        return self.lines[self._after("CPT/HCPCS") - 1][1:]


def generate(folder: Path, pages: int, seed: int) -> Path:
    """Make the pages once; answers their folder."""
    made = folder / f"{pages}-{seed}"
    if not (made / "done").exists():
        made.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, GENERATOR, made, NOTES, str(pages), str(seed)], check=True)
        (made / "done").touch()
    return made


def truth(folder: Path, page: int) -> Truth:
    """The truth of page `page`."""
    made = json.loads((folder / "gt" / f"{page:02d}.json").read_text())
    lines = [[TrueWord(word[0], tuple(word[1:])) for word in line] for line in made["lines"]]
    return Truth(lines, made["critical"], {level: np.array(m) for level, m in made["homography"].items()})


def image(folder: Path, level: str, page: int) -> bytes:
    """The page as a file of `level`."""
    return (folder / level / f"{page:02d}.{LEVELS[level]}").read_bytes()
