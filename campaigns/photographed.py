"""Read two photographed forms and hold that every printed name, date, phone number and drug is read.

What stands on the forms was listed by eye. A date whose first reading is no date must be put right or flagged.
"""

from __future__ import annotations

import sys
from pathlib import Path

from extractors.pages import read

FORMS = Path(__file__).parents[2] / "shared" / "corpus" / "photographed"
PRINTED = {
    "pd_1.pdf": (
        "Kathy Crawford", "Simeone Crawford", "17/12/2020", "May 6 1972", "30 December 2020", "(737) 988-0851",
        "(990) 375-4621", "Triptans", "Peanuts", "Migraine", "7115207313", "Random Insuarance Company",
    ),
    "pre_1.pdf": (
        "John Smith", "Maria Sharapova", "5/11/2022", "(000)-111-2222", "Prednisone 20 mg", "Lialda 2.4 gram",
        "Prednisone, Taper 5 mg every 3 days", "Lialda - take 2 pill everyday for 1 month", "Finish in 2.5 weeks",
    ),
}  # fmt: skip


def main() -> int:
    """Run; the exit code is 1 when something printed was not read."""
    missed = 0
    for name, printed in PRINTED.items():
        text = " ".join(read((FORMS / name).read_bytes()).text.split()).lower()
        lost = [item for item in printed if item.lower() not in text]
        print(f"{name}: {len(printed) - len(lost)} of {len(printed)} printed items read", *lost, sep="\n  missed: ")
        missed += len(lost)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
