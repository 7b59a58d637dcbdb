"""The terminology operations over HTTP, beside a bare Starlette route, and in process: `-m benchmarks.terminology`.

CPU is utime + stime of the server process while the load runs; the bare route is Starlette over uvicorn as it comes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import _terminology_http, _terminology_process


def main() -> int:
    """Measure and print tables; the exit code is 1 when a figure falls short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved measurements of each kind")
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with ICD-10-CM")
    parser.add_argument("--only", default="", help="questions with this in their name; `process` for those in process")
    options = parser.parse_args()
    options.data = options.data.resolve()
    short = _terminology_process.run(options) if options.only in ("", "process") else 0
    return int(short + (_terminology_http.run(options) if options.only != "process" else 0) > 0)


if __name__ == "__main__":
    sys.exit(main())
