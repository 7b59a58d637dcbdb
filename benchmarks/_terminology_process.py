"""The terminology operations in process, and a process that has only just started."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fhir_profiles import json
from fhir_profiles.systems import ICD10CM
from terminology import open_terminology
from terminology.operations import OPERATIONS, Call, Library

LETTERS = 12
EXPAND_MS, START_SECONDS, MEGABYTES = 10.0, 0.15, 30.0
Pairs = tuple[tuple[str, str], ...]
_START = """
import sys
def resident():
    return int(open("/proc/self/status").read().partition("VmRSS:")[2].split()[0])
before = resident()
import terminology
assert terminology.open(sys.argv[1]).validate("icd10cm", "E11.9").result
print(resident() - before)
"""


def timed(name: str, calls: list[Pairs], library: Library, language: str = "") -> list[float]:
    """CPU ms of each call, from its parameters to the bytes of the answer."""
    operation = OPERATIONS[name]
    spent = []
    for pairs in calls:
        start = time.process_time()
        json.encode(operation(Call.of_query(pairs, language), library, None))
        spent.append((time.process_time() - start) * 1e3)
    return sorted(spent)


def phrases(library: Library, number: int = 200) -> Iterator[str]:
    """What coders type: the first words of names of codes, in an order of chance."""
    terminology = library.terminology
    assert terminology is not None
    names = [c.display for c in terminology.concepts(ICD10CM) if not c.group]
    for name in random.Random(8).sample(names, number):
        yield " ".join(name.replace(",", "").split()[:4]).lower()


def run(options: argparse.Namespace) -> int:
    """Measure and print; how many figures fall short."""
    library = Library(open_terminology(options.data), generation=lambda: 0)
    terminology = library.terminology
    assert terminology is not None
    codes = [c.code for c in terminology.concepts(ICD10CM) if not c.group]
    random.Random(9).shuffle(codes)
    typed = [p[:n] for p in phrases(library) for n in range(1, LETTERS + 1) if p[n - 1 : n].strip()]
    every, system = f"{ICD10CM}?fhir_vs", ("system", ICD10CM)
    diabetes = f"{every}=isa/E08"
    kinds: tuple[tuple[str, str, Callable[[str], Pairs]], ...] = (
        ("CodeSystem/$validate-code", "", lambda c: (("url", ICD10CM), ("code", c))),
        ("ValueSet/$validate-code", "whole system", lambda c: (("url", every), system, ("code", c))),
        ("ValueSet/$validate-code", "is-a", lambda c: (("url", diabetes), system, ("code", c))),
        ("CodeSystem/$lookup", "", lambda c: (system, ("code", c))),
        ("CodeSystem/$subsumes", "", lambda c: (system, ("codeA", c[:3]), ("codeB", c))),
    )
    print(f"{'CPU ms a call, in process':44}{'p50':>8}{'p95':>8}{'p99':>8}")
    for name, told, made in kinds:
        _tell(f"{name} {told}", timed(name, [made(c) for c in codes[:5_000]], library))
    expand = [(("url", every), ("filter", text), ("count", "10")) for text in typed]
    spent = timed("ValueSet/$expand", expand, library)
    _tell(f"$expand?filter= of 1 to {LETTERS} letters", spent)
    again = timed("ValueSet/$expand", expand, library)
    _tell("the same again", again)
    seconds, megabytes = start(options.data)
    print(f"start, open and first answer: {seconds:.3f} s of CPU (at most {START_SECONDS}), "
          f"{megabytes:.1f} MB beyond the interpreter (at most {MEGABYTES:.0f})")  # fmt: skip
    return (spent[len(spent) * 95 // 100] > EXPAND_MS) + (seconds > START_SECONDS) + (megabytes > MEGABYTES)


def _tell(name: str, spent: list[float]) -> None:
    figures = "".join(f"{spent[len(spent) * share // 100]:8.3f}" for share in (50, 95, 99))
    print(f"{name:44}{figures}", flush=True)


def start(data: Path) -> tuple[float, float]:
    """CPU seconds of a process that opens the terminology and asks for one code, and MB beyond the interpreter's."""
    import resource

    best, most = 9.0, 0.0
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = subprocess.run([sys.executable, "-c", _START, str(data)], capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        most = max(most, int(said.stdout) / 1024)
    return best, most
