"""Load made-up releases of full size: `python -m benchmarks.terminology_load loinc 110000`.

CPU is of this process alone, from reading the files to the file on disk; peak is its largest resident size. The names
of RxNorm count by lines of RXNCONSO; RXNREL and RXNSAT have six times as many each.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import _loinc_release, _rxnorm_release
from terminology.importers import Given, importer_of
from terminology.importers.load import load

RELEASES = {
    "loinc": (_loinc_release.write_release, "Loinc_2.81", 110_000),
    "rxnorm": (_rxnorm_release.write_release, "RxNorm_full_10062025", 1_000_000),
}
MOST_SECONDS = {"loinc": 60.0}
MOST_MEMORY = 1_500  # MB


def main() -> int:
    """Load one release and print what it took; the exit code is 1 where that is above the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=tuple(RELEASES))
    parser.add_argument("size", type=int, nargs="?", help="terms, or lines of names")
    parser.add_argument("--keep", type=Path, help="folder in which release and result are kept")
    options = parser.parse_args()
    write, folder, usual = RELEASES[options.name]
    with tempfile.TemporaryDirectory() as temporary:
        room = options.keep or Path(temporary)
        release = room / folder
        if not release.exists():
            write(release, options.size or usual)
        before, began = _peak(), time.process_time()
        importer = importer_of(options.name)
        assert importer is not None
        loaded = load(room, importer, Given((release,)))
        seconds, peak = time.process_time() - began, _peak()
        again = time.process_time()
        load(room, importer, Given((release,)))
        again = time.process_time() - again
        for one in loaded:
            print(f"{one.title} {one.version}")
        stored = sum(f.stat().st_size for f in (room / "terminology").rglob("*.sqlite"))
        print(f"{seconds:.1f} CPU-s, peak {peak} MB (before: {before} MB), {stored / 1e6:.0f} MB on disk")
        print(f"{again:.1f} CPU-s to find that it is loaded")
    return int(seconds > MOST_SECONDS.get(options.name, 1e9) or peak > MOST_MEMORY)


def _peak() -> int:
    """MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
