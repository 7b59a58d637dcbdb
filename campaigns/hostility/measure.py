"""One hostile file through `read`, as a worker does it: answer, wall time and peak memory of all processes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import psutil

from extractors.pages import Limits, Refused, read


@dataclass(frozen=True)
class Outcome:
    """What became of a file. `answer` is `refused` or `read`; `peak` is in MB, this process and its children."""

    answer: str
    reason: str
    seconds: float
    peak: float


def measure(data: bytes, limits: Limits) -> Outcome:
    """Read `data` and watch."""
    peak, stop = [0.0], threading.Event()
    watch = threading.Thread(target=_watch, args=(peak, stop), daemon=True)
    watch.start()
    start = time.monotonic()
    try:
        document = read(data, limits=limits)
        pages = {page.method for page in document.pages}
        answer, reason = "read", f"{len(document.text):,} characters; pages {sorted(pages)}"
    except Refused as refusal:
        answer, reason = "refused", f"{refusal.code}: {refusal.text}"
    seconds = time.monotonic() - start
    stop.set()
    watch.join()
    return Outcome(answer, reason, seconds, peak[0])


def _watch(peak: list[float], stop: threading.Event) -> None:
    me = psutil.Process()
    own = me.memory_info().rss  # the file and what made it are the campaign's, not the reader's
    while not stop.wait(0.02):
        total = max(0, me.memory_info().rss - own)
        for child in me.children(recursive=True):
            try:
                total += child.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak[0] = max(peak[0], total / 1e6)
