"""The store of code systems in process: `python -m benchmarks.terminology_store`.

CPU seconds by the process clock; the best of three. Columns are measured with one thread of Polars.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

CODES = 20_000
ROWS = 2_000_000
_COLD = "import terminology; t = terminology.open({!r}); t.validate_code('icd10cm', 'E11.9'); {}"
_RESIDENT = "print(open('/proc/self/statm').read().split()[1])"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with ICD-10-CM")
    parser.add_argument("--build", action="store_true", help="also build ICD-10-CM")
    parser.add_argument("--large", type=int, default=0, help="also build an edition of so many concepts, 3 names each")
    options = parser.parse_args()
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    _cold(options.data)
    _questions(options.data)
    _columns(options.data)
    if options.build:
        _child("ICD-10-CM", "--build-one", "icd10cm")
    if options.large:
        _child(f"{options.large} concepts", "--build-one", str(options.large))


def _say(what: str, figure: str, bound: str = "") -> None:
    print(f"{what:44} {figure:>24}   {bound}")


def _best(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(3):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def _cold(data: Path) -> None:
    """A process from nothing to its first answer, and what stays resident beyond the bare interpreter."""

    cache = tempfile.mkdtemp()
    compiled = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    compiled["PYTHONPYCACHEPREFIX"] = cache  # as an installed package is: its modules are compiled

    def run(program: str) -> tuple[float, float, float]:
        wall = cpu = 9.9
        command = [sys.executable, "-c", program]
        for _ in range(9):
            began, spent = time.perf_counter(), _spent()
            told = subprocess.run(command, check=True, capture_output=True, text=True, env=compiled)
            wall, cpu = min(wall, time.perf_counter() - began), min(cpu, _spent() - spent)
        return wall, cpu, int(told.stdout) * os.sysconf("SC_PAGE_SIZE") / 2**20

    _, bare, bare_resident = run(_RESIDENT)
    wall, cpu, resident = run(_COLD.format(str(data), _RESIDENT))
    _say("cold start to the first answer", f"{cpu:.3f} s CPU, {wall:.3f} s", "0.15 s, with the interpreter")
    _say("of which the bare interpreter", f"{bare:.3f} s CPU")
    shutil.rmtree(cache)
    _say("resident beyond the interpreter", f"{resident - bare_resident:.1f} MB", "30 MB")


def _spent() -> float:
    """CPU seconds of the processes that were waited for."""
    of = resource.getrusage(resource.RUSAGE_CHILDREN)
    return of.ru_utime + of.ru_stime


def _questions(data: Path) -> None:
    import terminology

    known = terminology.open(data)
    icd = known.system("icd10cm")
    codes = [c.code for c in known.concepts(icd) if not c.group]
    chosen = random.Random(1).choices(codes, k=CODES)
    day = date(2026, 5, 1)
    ask = known.file(icd).db.execute  # type: ignore[union-attr]
    _each("yardstick: a statement that reads nothing", lambda _: ask("SELECT 1").fetchone(), chosen)
    _each("lookup", lambda code: known.lookup(icd, code), chosen, "10 µs")
    _each("lookup by day of service", lambda code: known.lookup(icd, code, on=day), chosen)
    _each("subsumption", lambda code: known.subsumes(icd, code[:3], code), chosen, "6 µs")
    _each("children", lambda code: known.children(icd, code[:3]), chosen[:2_000])
    _each("ancestors", lambda code: known.ancestors(icd, code), chosen[:2_000])
    _each("validate_code", lambda code: known.validate_code(icd, code), chosen[:5_000])
    below = len(known.descendants(icd, "chapter-19"))
    taken = _best(lambda: known.descendants(icd, "chapter-19"))
    _say(f"all {below} descendants of a chapter", f"{taken * 1e3:.0f} ms")


def _each(what: str, ask: Callable[[str], Any], codes: Sequence[str], bound: str = "") -> None:
    _say(what, f"{_best(lambda: [ask(code) for code in codes]) / len(codes) * 1e6:.2f} µs", bound)


def _columns(data: Path) -> None:
    import polars

    import terminology

    known = terminology.open(data)
    chance = random.Random(2)
    codes = [c.code for c in known.concepts("icd10cm") if not c.group]
    column = polars.Series(chance.choices([*codes, *(f"Z99.{n:03}X" for n in range(5_000))], k=ROWS))
    first = date(2023, 1, 1)
    days = polars.Series([first + timedelta(days) for days in chance.choices(range(1_400), k=ROWS)])
    known.validate_many("icd10cm", column[:10], days[:10])
    for what, more in (("validate_many", ()), ("validate_many, each by its day", (days,))):
        rate = ROWS / _best(lambda more=more: known.validate_many("icd10cm", column, *more)) / 1e6  # type: ignore[misc]
        _say(what, f"{rate:.1f} M codes/s", "2 M codes/s")


def _child(what: str, *arguments: str) -> None:
    """Builds are measured in a process of their own, whose memory is then known."""
    command = [sys.executable, "-m", "benchmarks.terminology_store", *arguments]
    _say(f"build {what}", subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def _build_one(what: str) -> None:
    from terminology.icd10.builtin import package_sources
    from terminology.store import writer

    words = [0.0]
    write_words = writer.write_words

    def timed(db: Any) -> None:
        began = time.process_time()
        write_words(db)
        words[0] = time.process_time() - began

    writer.write_words = timed
    sources = [_large(int(what))] if what.isdigit() else [s for s in package_sources() if s.name == what]
    with tempfile.TemporaryDirectory() as folder:
        path, began = Path(folder) / "one.sqlite", time.process_time()
        writer.write(path, sources[0])
        taken, size = time.process_time() - began, path.stat().st_size / 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{taken:.1f} s CPU, {words[0]:.1f} of it words; {memory:.0f} MB resident; file {size:.0f} MB")


def _large(count: int) -> Any:
    """An edition in no order; every third concept has a second parent."""
    from terminology.source import Name, Source, SourceConcept

    def concepts() -> Iterator[SourceConcept]:
        for i in range(count - 1, -1, -1):
            parents = (f"m{i // 7}", f"m{i // 11}")[: 2 if i % 3 == 0 and i > 10 else 1] if i else ()
            names = tuple(Name(f"name {n} of concept number {i} in the list") for n in range(3))
            yield SourceConcept(f"m{i}", f"Concept number {i} of the list", parents, names=names)

    made = Source("many", "urn:many", "1", "Many", None, None, "complete", "made", "none", "-", concepts)
    return replace(made, total=count)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--build-one"]:
        _build_one(sys.argv[2])
    else:
        main()
