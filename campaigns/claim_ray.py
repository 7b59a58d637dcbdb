"""Run claims on a Ray cluster of two nodes on this machine; every byte must be as without Ray, whatever is killed.

`make campaign NAME=claim_ray` needs the extra `ray`. It prints seconds of wall time side by side: processes of this
machine and nodes of the cluster, one and two of each, the start of the command included and that of the cluster not.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from campaigns.claim_kills import ENDED, SMALL, make, tree
from campaigns.claiming.loading import load
from campaigns.claiming.nodes import actors, nodes


def run(room: Path, name: str, chunk: int, *more: str, meanwhile: Callable[[], None] | None = None) -> float:
    """Seconds of a run into the folder `name`; `meanwhile` is called once a chunk is done."""
    out, began = room / name, time.monotonic()
    arguments = ["claims", "run", str(room / "claims.ndjson"), "--out", str(out), "--data", str(room / "data")]
    process = subprocess.Popen(
        [sys.executable, "-c", SMALL.format(chunk), *arguments, "--on", "2026-09-01", *more], stderr=subprocess.PIPE
    )
    if meanwhile is not None:
        while process.poll() is None and not list(out.glob("chunks/*.json")):
            time.sleep(0.05)
        if process.poll() is None:
            meanwhile()
    _, said = process.communicate()
    if process.returncode not in ENDED:
        raise SystemExit(f"{name} ended with {process.returncode}\n{said.decode()[-2000:]}")
    return time.monotonic() - began


def same(room: Path, name: str) -> bool:
    """Whether every file is as in the run without Ray."""
    equal = tree(room / name) == tree(room / "one process")
    print(f"{name}: every byte as without Ray" if equal else f"{name}: DIFFERENT", flush=True)
    return equal


def campaign(room: Path, claims: int, chunk: int, *, timed: bool) -> bool:
    """The runs; whether all came to the same."""
    make(room / "claims.ndjson", claims, 1)
    load(room / "data", 1_000_000 if timed else 0)
    seconds = {"one process": run(room, "one process", chunk, "--processes", "1")}
    if timed:
        seconds["two processes"] = run(room, "two processes", chunk, "--processes", "2")
        with nodes(1) as cluster:
            seconds["one node"] = run(room, "one node", chunk, "--ray", cluster.address)
    with nodes(2) as cluster:
        seconds["two nodes"] = run(room, "two nodes", chunk, "--ray", cluster.address)
        sound = all(same(room, name) for name in seconds if name != "one process")
        lost = "a process and a node lost"
        run(room, lost, chunk, "--ray", cluster.address, meanwhile=lambda: _lose(cluster))
        sound &= same(room, lost)
    for name, wall in seconds.items():
        print(f"{claims} claims, {name}: {wall:.1f} s, {seconds['one process'] / wall:.2f} times one process")
    if timed:
        print(f"two nodes: {seconds['one node'] / seconds['two nodes']:.2f} times as fast as one")
    return sound


def _lose(cluster: Any) -> None:
    """End a process in which an actor works, and then a node with all that is on it."""
    os.kill(actors(cluster)[0], signal.SIGKILL)
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--claims", type=int, default=20_000)
    parser.add_argument("--chunk", type=int, default=4 << 20, help="bytes of a chunk")
    parser.add_argument("--untimed", action="store_true", help="compare bytes alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fhirwright-ray-") as room:
        return 0 if campaign(Path(room), given.claims, given.chunk, timed=not given.untimed) else 1


if __name__ == "__main__":
    sys.exit(main())
