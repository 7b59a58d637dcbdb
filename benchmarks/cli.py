"""CPU and wall time of `fhirwright --help` and of the help of each command: `python -m benchmarks.cli`."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

from server.cli.main import COMMANDS

TARGET = 0.4


def measure(arguments: list[str], repeat: int) -> tuple[float, float]:
    """CPU and wall seconds of one call, the least of several, because other load only ever adds."""
    cpu, wall = [], []
    for _ in range(repeat):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, "-m", "server.cli", *arguments], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(time.perf_counter() - start)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(cpu), min(wall)


def main() -> None:
    """Measure and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="calls of each, of which the best counts")
    options = parser.parse_args()
    print(f"seconds, best of {options.repeat}{'CPU':>15}{'wall':>8}")
    for name in ("", *COMMANDS):
        cpu, wall = measure([*([name] if name else []), "--help"], options.repeat)
        target = f"   target ≤ {TARGET} s" if not name else ""
        print(f"fhirwright {name + ' --help':21}{cpu:8.2f}{wall:8.2f}{target}")


if __name__ == "__main__":
    main()
