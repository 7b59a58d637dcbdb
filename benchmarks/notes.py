"""The text-only way, `fhirwright code --jsonl`: notes per second and core, start-up and peak memory.

`python -m benchmarks.notes [--data DIR]`. Notes are those of `benchmarks.findings`, counted as 3.3k characters each.
The rates are of the least CPU time that each note took in several rounds: what another process adds is not ours. Start
and memory are those of the command itself, in a process of its own.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.findings import SIZE, notes
from extractors.pages import from_text
from extractors.pipeline import Pipeline
from server.jobs.notes import Coder
from server.settings import Settings

ROUNDS = 15
RATE, MEMORY, START = 1000, 250, 1.5  # what we promise: at least, at most, at most
REPEATED = 10  # times the notes stream through the command whose memory is measured


def cheapest(work: Callable[[Any], object], items: Sequence[Any]) -> list[float]:
    """CPU seconds of each item, at its cheapest of several passes."""
    best = [float("inf")] * len(items)
    for _ in range(ROUNDS):
        for number, item in enumerate(items):
            start = time.process_time()
            work(item)
            best[number] = min(best[number], time.process_time() - start)
    return best


def command(data: Path, *arguments: str) -> tuple[float, float]:
    """CPU seconds and peak megabytes of `fhirwright code` with these arguments."""
    code = "from server.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "code", "--data", str(data), *arguments],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},  # compiled by the first run, as an installed copy is
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"fhirwright code ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _build(data: Path) -> None:
    """Build the terminology and the matcher where they are missing: elsewhere, for a process that is started by a large
    one counts as large as that one was."""
    code = "import pathlib, sys; from extractors.pipeline import Pipeline; Pipeline.open(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(data)], check=True)


def rates(data: Path, texts: Sequence[str], lines: Sequence[bytes]) -> None:
    """Print the rate of each stage and of the whole way."""
    coder, pipeline = Coder(Settings(data=data)), Pipeline.open(data)
    documents = [from_text(text) for text in texts]
    found = [pipeline.find(document) for document in documents]
    gc.freeze()
    passes = (
        ("find", cheapest(pipeline.find, documents), ""),
        ("code", cheapest(lambda pair: pipeline.code(*pair), [*zip(found, documents, strict=True)]), ""),
        ("jsonl", cheapest(lambda line: coder.line(1, line), lines), f" (at least {RATE})"),
    )
    size = sum(map(len, texts))
    for name, times, promise in passes:
        seconds = sum(times)
        print(
            f"{name:>6}: {size / SIZE / seconds:6,.0f} notes of {SIZE / 1000}k characters per CPU-s{promise},"
            f" {len(texts) / seconds:6,.0f} of these of {size / len(texts) / 1000:.1f}k;"
            f" p99 {sorted(times)[int(len(times) * 0.99)] * 1000:.1f} ms"
        )


def main() -> None:
    """Print the rates, the start-up and the memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=None, help="a data directory with built terminology")
    args = parser.parse_args()
    texts = notes()
    lines = [msgspec.json.encode({"id": number, "text": text}) for number, text in enumerate(texts)]
    with tempfile.TemporaryDirectory(prefix="fhirwright-bench-") as folder:
        data, note, stream = args.data or Path(folder), Path(folder) / "note.txt", Path(folder) / "notes.jsonl"
        note.write_text(texts[0], "utf-8")
        stream.write_bytes(b"\n".join(lines * REPEATED))
        _build(data)
        starts = [command(data, str(note))[0] for _ in range(5)]
        print(f" start: {min(starts):6.2f} CPU-s for `fhirwright code FILE` of one note (at most {START})")
        seconds, peak = command(data, "--jsonl", str(stream))
        print(f"   all: {len(lines) * REPEATED / seconds:6,.0f} notes per CPU-s of `--jsonl`, start and all")
        print(f"        peak memory {peak:.0f} MB (at most {MEMORY})")
        rates(data, texts, lines)


if __name__ == "__main__":
    main()
