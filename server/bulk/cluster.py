"""Work on a Ray cluster: an actor for each CPU opens once what the work needs (https://docs.ray.io/en/latest/ray-core).

Only the machine that begins the run reads the input and writes the output: bytes go out and bytes come back, so nodes
need this package and no shared folder. An actor that is lost begins again; its chunk goes to the next that is free.
"""

from __future__ import annotations

import gc
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from claims.run.processes import Numbered
from fhir_profiles.errors import Category, FhirError

_PATIENCE = 300
"""Seconds that a run waits while no actor is to be had."""
_PAUSE = 0.2
"""Seconds before an actor that is being started again is asked again: it refuses at once."""
_LOSSES = 5
"""How often a chunk may lose the actor that works on it: then it may be what ends them."""
Task = TypeVar("Task", bound=Numbered)
Value = TypeVar("Value")


class Cluster(Generic[Task, Value]):
    """`opened(given)` is called once on each actor and answers what does the tasks; `given` travels once to each node.

    FhirError where there is no cluster, where actors cannot open what they need, and where they are lost for good.
    """

    def __init__(self, address: str, opened: Callable[[Any], Callable[[Task], Value]], given: Any) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self.ray = _ray()
        try:
            self.ray.init(address=address, log_to_driver=False, logging_level="ERROR", configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            text = "There is no Ray cluster at this address: start one with ray start --head, or give HOST:PORT"
            raise FhirError.of(Category.UNAVAILABLE, "transient", text) from error
        try:
            self.held = self.ray.put((opened, given))
            kind = self.ray.remote(num_cpus=1, max_restarts=-1, scheduling_strategy="SPREAD")(Actor)
            self.actors = [kind.remote() for _ in range(int(self.ray.cluster_resources().get("CPU", 1)))]
        except BaseException:
            self.ray.shutdown()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.ray.shutdown()

    def each(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, Value]]:
        """Work on tasks, taking none in advance; each as it is done."""
        again: deque[Task] = deque()
        losses: Counter[int] = Counter()
        working: dict[Any, tuple[Task, Any]] = {}
        opening = {self._ask(actor): actor for actor in self.actors}
        idle: list[Any] = []
        last = time.monotonic()
        while True:
            for one in _some(again, tasks, len(idle)):
                actor = idle.pop()
                working[actor.do.remote(one)] = (one, actor)
            if not working and idle and not again:
                return  # someone is free and there is nothing to do
            ready, _ = self.ray.wait([*working, *opening], timeout=1)
            for ref in ready:
                task, actor = working.pop(ref) if ref in working else (None, opening.pop(ref))
                try:
                    value = self.ray.get(ref)
                except self._lost():
                    if task is not None:
                        again.append(task)
                        losses[task.number] += 1
                    if max(losses.values(), default=0) > _LOSSES:
                        raise _gone("A chunk lost those who worked on it again and again") from None
                    time.sleep(_PAUSE)
                    opening[self._ask(actor)] = actor
                    continue
                if isinstance(value, FhirError):
                    raise value
                last = time.monotonic()
                idle.append(actor)
                if task is not None:
                    yield task, value
            if not working and time.monotonic() - last > _PATIENCE:
                raise _gone("No node of the cluster takes up the work")

    def _ask(self, actor: Any) -> Any:
        return actor.open.remote([self.held])

    def _lost(self) -> tuple[type[Exception], ...]:
        faults = self.ray.exceptions
        return (faults.RayActorError, faults.WorkerCrashedError, faults.NodeDiedError, faults.ObjectLostError)


class Actor:
    """What does the tasks on a node. A FhirError is an answer: raised, it would come as another type."""

    def open(self, held: list[Any]) -> FhirError | None:
        """Take what is needed, by reference, so that Polars is told of its one thread before it is unpacked."""
        os.environ["POLARS_MAX_THREADS"] = "1"
        try:
            opened, given = _ray().get(held[0])
            self._do = opened(given)
        except FhirError as error:
            return error
        gc.collect()
        gc.freeze()  # what is held never changes: collections need not look at it again
        return None

    def do(self, task: Any) -> Any:
        """The value of a task."""
        try:
            return self._do(task)
        except FhirError as error:
            return error


def _some(again: deque[Task], tasks: Iterator[Task], count: int) -> Iterator[Task]:
    """Tasks for those who are free: first those that were lost."""
    for _ in range(count):
        task = again.popleft() if again else next(tasks, None)
        if task is not None:
            yield task


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        text = "Ray is not installed: pip install 'fhirwright[ray]', here and on every node"
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text) from error
    return ray


def _gone(text: str) -> FhirError:
    return FhirError.of(Category.UNAVAILABLE, "transient", f"{text}. Run again: what is done is kept")
