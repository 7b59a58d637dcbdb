"""From a load to machines: pure arithmetic over unit costs; every figure of a plan says from what it follows."""

from __future__ import annotations

import math

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.capacity.costs import Costs
from server.capacity.queueing import mean_wait, wait_at

DAY = 86_400.0
_BUSIEST = 0.6  # of the cores of database and API: what is left takes checkpoints, vacuum and uneven minutes
_FULLEST = 0.85  # of the workers at the busiest hour: above, a small error of the forecast is a long queue
_CONNECTIONS = 8 + 4  # of a worker: the pool of its job engine, its store
_MOST = 100_000  # servers; a load beyond this is a mistake in the question


class Load(msgspec.Struct, frozen=True):
    """What is asked: pages a day, of how many pages a document is, and what may be waited for."""

    pages_per_day: float
    pages_per_document: float
    scanned: float  # share of pages that are images
    hours: float = 24.0  # a day in which documents arrive
    peak: float = 2.0  # the busiest hour by the mean of those hours
    wait: float = 60.0  # seconds: 95 of 100 documents are begun within
    reads_per_second: float = 0.0
    cores: int = 8  # of a machine for workers
    spare: int = 1  # machines that may be lost at the busiest hour
    keep_days: float = 365.0


class Plan(msgspec.Struct, frozen=True):
    """What it takes; rates are documents a second, `seconds` of a wait, sizes in bytes."""

    documents_per_day: float
    rate: float
    peak_rate: float
    service: float
    slots: int
    busy: float
    wait_mean: float
    wait_p95: float
    machines: int
    worker_memory: float
    api_processes: int
    database_cores: int
    log_per_day: float
    stored: float
    connections: int


def plan(load: Load, costs: Costs) -> Plan:
    """The smallest number of worker processes whose wait is as asked, machines for them, API and database.

    Raises `FhirError` INCORRECT for a load that is not one.
    """
    _check(load)
    documents = load.pages_per_day / load.pages_per_document
    rate = documents / (load.hours * 3600)
    peak = rate * load.peak
    service = service_of(load, costs)
    slots = _slots(peak, service, costs.variation, load.wait)
    machines = math.ceil(slots / load.cores) + load.spare
    scale = service / (costs.service * (1 + costs.inflation))
    return Plan(
        documents_per_day=documents, rate=rate, peak_rate=peak, service=service, slots=slots,
        busy=peak * service / slots,
        wait_mean=mean_wait(slots, peak, service, costs.variation),
        wait_p95=wait_at(0.95, slots, peak, service, costs.variation),
        machines=machines,
        worker_memory=load.cores * costs.worker_memory,
        api_processes=_cores(peak * costs.api * scale + load.reads_per_second * costs.read_api),
        database_cores=_cores(peak * costs.database + load.reads_per_second * costs.read_database),
        log_per_day=documents * costs.log,
        stored=documents * costs.stored * load.keep_days,
        connections=machines * _CONNECTIONS * load.cores,
    )  # fmt: skip


def service_of(load: Load, costs: Costs) -> float:
    """CPU seconds of a worker for a document of this load while all cores of its machine are busy."""
    page = load.scanned * costs.scanned_page + (1 - load.scanned) * costs.text_page
    return load.pages_per_document * page * (1 + costs.inflation)


def _slots(rate: float, service: float, variation: float, wait: float) -> int:
    """By doubling and halving: waits fall with every further process."""
    low = math.ceil(rate * service / _FULLEST) - 1  # too few
    high = low + 1
    while wait_at(0.95, high, rate, service, variation) > wait:
        low, high = high, high + max(1, high // 16)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if wait_at(0.95, middle, rate, service, variation) <= wait else (middle, high)
    return high


def _cores(busy: float) -> int:
    return max(1, math.ceil(busy / _BUSIEST))


def _check(load: Load) -> None:
    bounds = {
        "pages per day": (load.pages_per_day, 1, 1e10), "pages per document": (load.pages_per_document, 1, 10_000),
        "share of scanned pages": (load.scanned, 0, 1), "hours": (load.hours, 0.1, 24), "peak": (load.peak, 1, 24),
        "wait": (load.wait, 0, DAY), "reads per second": (load.reads_per_second, 0, 1e6),
        "cores": (load.cores, 1, 1024), "spare machines": (load.spare, 0, 1000),
        "days to keep": (load.keep_days, 0, 36_525),
    }  # fmt: skip
    for what, (value, least, most) in bounds.items():
        if not least <= value <= most:
            raise FhirError.of(Category.INCORRECT, "value", f"The {what} must be from {least:g} to {most:g}.")
    if load.pages_per_day * load.peak / load.hours / 3600 > _MOST:
        raise FhirError.of(Category.INCORRECT, "value", f"More than {_MOST:,} pages a second are not planned for.")
