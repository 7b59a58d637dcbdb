"""What happens to the machines, and how soon the others, and then all, work again."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from campaigns.manymachines.machines import Fleet

LIMIT = 10.0
GIVE_UP = 90.0
_LEFT = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'PENDING' AND executor_id = %s"


@dataclass(frozen=True)
class Fault:
    """One that happened: what, to whom, how long it lasted, and the seconds until the service stood again.

    `others` counts from the loss until those that were not hit answer and the work of the lost one is taken up;
    `back` from the fault's end until all answer.
    """

    kind: str
    victim: str
    lasted: float
    others: float | None
    back: float
    load: float


class Probe:
    """Writes and reads through each server."""

    def __init__(self, fleet: Fleet, token: str) -> None:
        self._fleet = fleet
        self._http = httpx.Client(timeout=1.5, headers={"Authorization": f"Bearer {token}"})
        self._number = 0

    def answers(self, api: str) -> bool:
        """Whether a server takes a write and gives it back."""
        self._number += 1
        body = {"resourceType": "Basic", "id": f"probe-{api}", "code": {"text": str(self._number)}}
        place = f"{self._fleet.bases[api]}/Basic/probe-{api}"
        try:
            if self._http.put(place, json=body).status_code not in (200, 201):
                return False
            return bool(self._http.get(place).json()["code"]["text"] == str(self._number))
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    def all_answer(self, apis: list[str], since: float, extra: Callable[[], bool] = lambda: True) -> float:
        """Seconds from `since` until each of `apis` has answered, and `extra` holds."""
        left = list(apis)
        while time.monotonic() - since < GIVE_UP:
            left = [api for api in left if not self.answers(api)]
            if not left and extra():
                break
            time.sleep(0.1)
        return time.monotonic() - since


class Faults:
    """Draws faults and lets them happen, one after the other."""

    def __init__(self, fleet: Fleet, token: str, seed: int) -> None:
        self._fleet, self._probe = fleet, Probe(fleet, token)
        self._dice = random.Random(seed)
        self.happened: list[Fault] = []
        self._kinds: list[tuple[str, int]] = [
            ("kill server", 3), ("kill worker", 3), ("pause server", 3), ("pause worker", 3), ("cut server", 3),
            ("cut worker", 3), ("cut database", 2), ("slow server", 1), ("slow worker", 1), ("slow database", 1),
            ("lossy server", 1), ("kill database", 2), ("pause database", 2), ("end connections", 2),
        ]  # fmt: skip

    def one(self) -> Fault:
        """Let one happen, and wait until all is well."""
        kinds, weights = zip(*self._kinds, strict=True)
        kind = self._dice.choices(kinds, weights)[0]
        what, _, whom = kind.partition(" ")
        pool = {"server": self._fleet.apis, "worker": self._fleet.workers}.get(whom, ["db"])
        victim = self._dice.choice(pool)
        lasts = self._dice.choice((self._dice.uniform(0.5, 3), self._dice.uniform(6, 14)))
        if victim == "db":
            lasts = min(lasts, 5.0)
        fault = self._happen(kind, what, victim, lasts)
        self.happened.append(fault)
        return fault

    def _happen(self, kind: str, what: str, victim: str, lasts: float) -> Fault:
        since = time.monotonic()
        self._begin(what, victim)
        others: float | None = None
        lost = what in ("kill", "cut", "pause") and victim != "db" and lasts > 4
        if lost:
            apis = [api for api in self._fleet.apis if api != victim]
            others = self._probe.all_answer(apis, since, lambda: self._taken_up(victim))
        time.sleep(max(0.0, since + lasts - time.monotonic()))
        ended = time.monotonic()
        self._end(what, victim)
        started = what == "kill" and victim in self._fleet.apis
        apis = [api for api in self._fleet.apis if not (started and api == victim)]
        back = self._probe.all_answer(apis, ended)
        if what == "kill":
            self._probe.all_answer(self._fleet.apis, time.monotonic())
        load = float(Path("/proc/loadavg").read_text().split()[0])
        return Fault(kind, victim, ended - since, others, back, load)

    def _begin(self, what: str, victim: str) -> None:
        machine, network = self._fleet.machines[victim], self._fleet.network
        if what == "kill":
            machine.kill()
        elif what == "pause":
            machine.send(signal.SIGSTOP)
        elif what == "cut":
            network.cut(victim, silently=self._dice.random() < 0.5)
        elif what == "slow":
            network.narrow(victim, "rate", "400kbit", "burst", "4kb", "latency", "400ms")
        elif what == "lossy":
            network.narrow(victim, "rate", "400kbit", "burst", "4kb", "latency", "10ms")
        else:
            self._end_connections()

    def _end(self, what: str, victim: str) -> None:
        machine, network = self._fleet.machines[victim], self._fleet.network
        if what == "kill":
            machine.start()
        elif what == "pause":
            machine.send(signal.SIGCONT)
        elif what in ("cut", "slow", "lossy"):
            network.heal(victim)
        self.revive()

    def revive(self) -> None:
        """Start again what ended by itself, as a supervisor does: a worker that lost its slot."""
        for machine in self._fleet.machines.values():
            if not machine.alive:
                machine.start()

    def _end_connections(self) -> None:
        with psycopg.connect(self._fleet.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = 'many' AND pid <> pg_backend_pid()"
            )

    def _taken_up(self, victim: str) -> bool:
        """Whether none of the jobs that a lost worker had begun waits for it."""
        if victim not in self._fleet.workers:
            return True
        executor = f"slot-{self._fleet.workers.index(victim)}"
        with psycopg.connect(self._fleet.url) as connection:
            [(left,)] = connection.execute(_LEFT, (executor,)).fetchall()
        return int(left) == 0
