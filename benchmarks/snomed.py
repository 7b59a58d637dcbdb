"""A release of SNOMED CT's size: loading, expressions, subsumption, pages, search: `python -m benchmarks.snomed`.

The release is invented; with `--concepts 400000` it is as large as the real one. Times are CPU time of the
process, of questions in milliseconds: calls of `terminology.operations`, each question another one.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks import _snomed_release as release
from benchmarks._snomed_release import FIRST, sct

SCT = "http://snomed.info/sct"
ASKED = 60
"""Questions of a kind, each different."""


def load(data: Path, folder: Path) -> int:
    """Load, in a process of its own, and print what it took."""
    from terminology.importers.given import Given
    from terminology.importers.load import ACCEPTED, load
    from terminology.importers.registry import importer_of

    importer = importer_of("snomed")
    assert importer is not None
    started = time.process_time()
    load(data, importer, Given((folder,), options=frozenset((ACCEPTED,))))
    lines = sum(sum(1 for _ in path.open("rb")) for path in folder.glob("*.txt"))
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = sum(path.stat().st_size for path in (data / "terminology").glob("snomed@*")) / 2**20
    print(f"load: {lines:,} lines, {seconds:.0f} s CPU, {seconds / lines * 1e6:.1f} s a million lines")
    print(f"load: {peak:.0f} MB resident at most, file of {size:.0f} MB")
    return 0


def measure(name: str, ask: Callable[[int], Any]) -> None:
    """Print the first answer, the middle and the slow end of some different questions."""
    took = []
    for n in range(ASKED):
        started = time.process_time()
        ask(n)
        took.append((time.process_time() - started) * 1000)
    rest = sorted(took[1:])
    slow = rest[int(len(rest) * 0.95)]
    print(f"{name:42} first {took[0]:8.2f}   p50 {statistics.median(rest):8.2f}   p95 {slow:8.2f} ms")


def questions(data: Path, concepts: int) -> None:
    """Ask everything."""
    from terminology import open_terminology
    from terminology.operations import Library, answer_call

    library = Library(open_terminology(data), generation=lambda: 0)
    span = concepts // 10

    def call(operation: str, **parameters: str) -> Any:
        listed = [{"name": name, "valueString": value} for name, value in parameters.items()]
        return answer_call(operation, {"resourceType": "Parameters", "parameter": listed}, library)

    def code(n: int, of: int = concepts) -> str:
        return sct(FIRST + n * 7919 % of)

    def expand(n: int, ecl: str, **more: str) -> Any:
        return call("ValueSet/$expand", url=f"{SCT}?fhir_vs=ecl/{quote(ecl)}", offset=str(n), **{"count": "50"} | more)

    def within(n: int, of: int, **more: str) -> Any:
        return call("ValueSet/$expand", url=f"{SCT}?fhir_vs=isa/{sct(FIRST + n % of)}", **more)

    def held(n: int) -> Any:
        url = f"{SCT}?fhir_vs=isa/{sct(FIRST + n % 5)}"
        return call("ValueSet/$validate-code", url=url, system=SCT, code=code(n))

    top, attribute, words = sct(FIRST), sct(100), release.WORDS
    measure("$lookup", lambda n: call("CodeSystem/$lookup", system=SCT, code=code(n)))
    measure("$validate-code, is-a of a large hierarchy", held)
    measure("$subsumes", lambda n: call("CodeSystem/$subsumes", system=SCT, codeA=code(n, span), codeB=code(n + 1)))
    measure("$expand isa, page of 50", lambda n: within(n, 20, count="50", offset=str(100 * n)))
    measure("$expand <<", lambda n: expand(n, f"<< {sct(FIRST + n)}"))
    measure("$expand << MINUS <<", lambda n: expand(n, f"<< {top} MINUS << {sct(FIRST + 1 + n)}"))
    measure("$expand attribute = <<", lambda n: expand(n, f"<< {top} : {attribute} = << {sct(FIRST + 1 + n)}"))
    grouped = f"{attribute} = << {{}}, {sct(101)} = *"
    measure("$expand group", lambda n: expand(n, f"* : {{ {grouped.format(sct(FIRST + 1 + n))} }}"))
    measure("$expand cardinality", lambda n: expand(n, f"* : [2..3] {sct(100 + n % 20)} = << {sct(FIRST + n)}"))
    measure("$expand any attribute", lambda n: expand(n, f"* : * = << {sct(FIRST + 10 + n)}"))
    measure("$expand dotted", lambda n: expand(n, f"(<< {sct(FIRST + 5 + n)}) . {attribute}"))
    measure("$expand ancestors of a set", lambda n: expand(n, f"> (^ {sct(2)} AND << {sct(FIRST + 1 + n)})"))
    measure("$expand reference set", lambda n: expand(n, f"^ {sct(2)} AND << {sct(FIRST + 1 + n)}"))
    text = [f"{words[n % 40]} {words[n % 40 + 5][:3]}" for n in range(ASKED)]
    measure("$expand text in a large hierarchy", lambda n: within(n, 5, count="20", filter=text[n]))
    word = [words[n % len(words)][: 3 + n % 3] for n in range(ASKED)]
    measure("$expand one word", lambda n: call("ValueSet/$expand", url=f"{SCT}?fhir_vs", count="20", filter=word[n]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"resident at most {peak:.0f} MB")


def main() -> int:
    """Write the release, load it, ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concepts", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, default=Path("var/bench-snomed"), help="where the release is kept")
    parser.add_argument("--load", action="store_true", help="only load, which the benchmark does in another process")
    options = parser.parse_args()
    files, data = options.folder / f"release-{options.concepts}", options.folder / f"data-{options.concepts}"
    if options.load:
        return load(data, files)
    if not files.is_dir():
        release.write(files, options.concepts)
    for old in (data / "terminology").glob("snomed@*"):
        old.unlink()
    command = [sys.executable, "-m", "benchmarks.snomed", "--load"]
    more = ["--concepts", str(options.concepts), "--folder", str(options.folder)]
    subprocess.run([*command, *more], check=True)
    questions(data, options.concepts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
