"""Thousands of calls of the terminology operations made by chance, in process: nothing but FhirError may be raised.

Each answer to a call that is valid FHIR R4 must be so too, and each error must become a valid OperationOutcome.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from campaigns.tx_hostility.chance import call
from fhir_profiles.errors import Category, FhirError, operation_outcome
from fhir_profiles.validate import check
from terminology import open_terminology
from terminology.effort import within
from terminology.operations import Library, answer_call

SECONDS = 2.0


def broken(name: str, parameters: dict[str, Any], language: str, library: Library) -> tuple[str, str]:
    """(what came of a call, what is wrong with that); nothing is wrong when that is empty."""
    try:
        with within(SECONDS):
            made, came = answer_call(name, parameters, library, language), "answered"
    except FhirError as error:
        if error.category is Category.FAULT:
            return "fault", str(error)
        made, came = operation_outcome(error.problems), error.problems[0].code
    except Exception as error:  # the promise is that there is none, unless the call is no FHIR
        return type(error).__name__, "" if _wrong(parameters) else traceback.format_exc(limit=-2)
    wrong = _wrong(json.loads(json.dumps(made)))
    return came, "" if wrong and _wrong(parameters) else wrong


def _wrong(resource: dict[str, Any]) -> str:
    return "; ".join(f"{p.expression}: {p.text}" for p in check(resource) if p.severity in ("error", "fatal"))


def main() -> int:
    """Run; the exit code is 1 when a call broke the promise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with ICD-10-CM")
    given = parser.parse_args()
    dice = random.Random(given.seed)
    library = Library(open_terminology(given.data), generation=lambda: 0)
    came: Counter[str] = Counter()
    faults: dict[str, str] = {}
    start = time.process_time()
    for _ in range(given.calls):
        name, parameters, language = call(dice)
        what, wrong = broken(name, parameters, language, library)
        came[what] += 1
        if wrong and wrong not in faults:
            faults[wrong] = json.dumps([name, parameters, language])
    for wrong, asked in list(faults.items())[:20]:
        print(wrong[-700:], "\n   ", asked[:600])
    spent = time.process_time() - start
    print(f"{given.calls} calls in {spent:.0f} CPU-s: {dict(came.most_common())}; {len(faults)} broke the promise")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
