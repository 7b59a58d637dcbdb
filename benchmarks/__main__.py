"""Run every benchmark, each in a process of its own so that none warms or burdens the next: `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(wanted: list[str]) -> int:
    """Run the named benchmarks, or all; the exit code is 1 when one of them failed."""
    names = [path.stem for path in HERE.glob("[a-z]*.py") if '__name__ == "__main__"' in path.read_text()]
    failed = []
    for name in sorted(set(names) & set(wanted) if wanted else names):
        print(f"\n== {name} ==", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
