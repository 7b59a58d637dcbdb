"""Kill consumers, publishers and producers at random while messages of Kafka pour in and changes are published.

`make campaign NAME=streaming ARGS="--jars FOLDER"` sends 100,000 messages, some late, some more than once, kills and
pauses processes, and writes docs/results/streaming.md. What must stand is reckoned from the topic itself; every effect
must be there once and in its order, every version published once. The folder holds the jars of
`org.apache.kafka:kafka_2.13` and what it needs; with `--broker HOST:PORT` a broker that runs is used.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from campaigns.kill import database
from campaigns.streams.broker import broker
from campaigns.streams.judge import Found, judge_events, judge_letters, judge_store, read_topic, reckon
from campaigns.streams.script import order
from server.store import open_store
from server.store.migrate import migrate

REPORT = Path("docs/results/streaming.md")
PARTITIONS = 4
PAUSE_SECONDS = 8.0
COORDINATING = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
DRAIN_SECONDS = 1200.0
SIGNS = (b"stream.assigned", b"stream out: publishing", b"campaign: up")
_CLI = [sys.executable, "-m", "server.cli", "stream"]


@dataclass
class Result:
    """What a run came to."""

    broker: str
    engine: str
    messages: int = 0
    distinct: int = 0
    late: int = 0
    bad: int = 0
    seconds: float = 0.0
    victims: Counter[str] = field(default_factory=Counter)
    pauses: int = 0
    found: Found = field(default_factory=Found)


class Run:
    """Two consumers, two publishers of which one waits, a worker's post and a producer, over one database."""

    def __init__(self, given: argparse.Namespace, address: str, url: str, folder: Path) -> None:
        self.given, self.address, self.url, self.folder = given, address, url, folder
        self.topic, self.out = "campaign.in", "campaign.out"
        self.dice = random.Random(given.seed)
        self.place = folder / "place"
        place = (address, self.topic, given.messages, given.seed, given.rate, self.place)
        feed = [sys.executable, "-m", "campaigns.streams.feed", *map(str, place)]
        post = [sys.executable, "-m", "campaigns.streams.post"]
        self.commands = {
            "consumer 0": [*_CLI, "in"],
            "consumer 1": [*_CLI, "in"],
            "publisher 0": [*_CLI, "out"],
            "publisher 1": [*_CLI, "out"],
            "post": post,
            "producer": feed,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.begun: dict[str, int] = {}
        self.client = Consumer({"bootstrap.servers": address, "group.id": "campaign"})
        self.store = open_store(url, create=False)
        self.length = len(order(given.messages, given.seed))

    def go(self, result: Result) -> None:
        """Send, kill, wait, judge."""
        made = [NewTopic(name, PARTITIONS, 1) for name in (self.topic, self.out, f"{self.topic}.dead")]
        admin = AdminClient({"bootstrap.servers": self.address})
        for waiting in admin.create_topics(made).values():
            waiting.result(60)
        began = time.monotonic()
        try:
            for name in self.commands:
                self.start(name)
            self._harm(result)
            self._wait()
        finally:
            for process in self.processes.values():
                process.kill()
                process.wait()
            self.client.close()
        result.seconds = time.monotonic() - began
        self._judge(result)

    def start(self, name: str) -> None:
        """Start a process (again)."""
        with self._log(name).open("ab") as log:
            self.begun[name] = log.tell()
            self.processes[name] = subprocess.Popen(
                self.commands[name], stdout=log, stderr=log, env=self._environment()
            )

    def _log(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-')}.log"

    def _works(self, name: str) -> bool:
        """Whether a process has said that it is up since it was started: one that never is does nothing."""
        return any(sign in self._log(name).read_bytes()[self.begun[name] :] for sign in SIGNS)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "FHIRWRIGHT_DATABASE": self.url,
            "FHIRWRIGHT_DATA": str(self.folder),
            "FHIRWRIGHT_CODING": "off",
            "FHIRWRIGHT_LOG_FORMAT": "json",
            "FHIRWRIGHT_STREAM_BROKERS": self.address,
            "FHIRWRIGHT_STREAM_GROUP": "campaign",
            "FHIRWRIGHT_STREAM_TOPICS": f'["{self.topic}"]',
            "FHIRWRIGHT_STREAM_OUT_TOPIC": self.out,
            "FHIRWRIGHT_STREAM_OUT_TYPES": '["*"]',
            "FHIRWRIGHT_DOORS_QUARANTINE": "1000000",
        }

    def _harm(self, result: Result) -> None:
        """Kill and pause while messages are sent and read."""
        done = 0
        while done < self.given.kills:
            share = (done + self.dice.random()) / (self.given.kills + 1)
            while self._taken() < share * self.length:  # by what is done, however busy the machine is
                time.sleep(0.5)
            time.sleep(self.dice.random())
            alive = [name for name, process in self.processes.items() if process.poll() is None]
            for name in self.processes.keys() - {*alive, "producer"}:
                raise RuntimeError(f"{name} ended by itself; see {self.folder}")
            self._mind_producer()
            victim = self.dice.choice(alive)
            while not self._works(victim) and self.processes[victim].poll() is None:
                time.sleep(0.2)
            if victim.startswith("consumer") and self.dice.random() < 0.2:
                self._pause(victim)
                result.pauses += 1
            else:
                self.processes[victim].kill()
                self.processes[victim].wait()
                self.start(victim)
                result.victims[victim.split()[0]] += 1
            done += 1
            if done % 10 == 0:
                print(f"{done} of {self.given.kills}, sent {self._sent()}, behind {self._behind()}", flush=True)

    def _mind_producer(self) -> None:
        code = self.processes["producer"].poll()
        if code is not None and code != 0:
            raise RuntimeError(f"the producer ended by itself; see {self.folder}")

    def _pause(self, name: str) -> None:
        """Long enough for the group to give its partitions to the other, then let it find out."""
        self.processes[name].send_signal(signal.SIGSTOP)
        time.sleep(PAUSE_SECONDS)
        self.processes[name].send_signal(signal.SIGCONT)

    def _sent(self) -> int:
        return int(self.place.read_text()) if self.place.exists() else 0

    def _taken(self) -> int:
        """Messages that are committed."""
        places = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        while True:
            try:
                return sum(max(one.offset, 0) for one in self.client.committed(places, timeout=60))
            except KafkaException as error:  # a broker that has just begun looks for its coordinator
                if error.args[0].code() not in COORDINATING:
                    raise
                time.sleep(1)

    def _behind(self) -> int:
        """Messages that are in the topic and not committed."""
        places = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        return sum(self.client.get_watermark_offsets(one, timeout=60)[1] for one in places) - self._taken()

    def _wait(self) -> None:
        """Until all is sent, read and published."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            self._mind_producer()
            if self._sent() == self.length and self._behind() == 0 and self._unpublished() == 0:
                return
            time.sleep(2)
        print("time is up: not all was read and published", flush=True)

    def _unpublished(self) -> int:
        [(outbox,)] = self.store.query("SELECT count(*) FROM outbox")
        rows = self.store.query("SELECT events - delivered FROM subscription WHERE id = '$stream'")
        return int(outbox) + (int(rows[0][0]) if rows else 1)

    def _judge(self, result: Result) -> None:
        expected = reckon(read_topic(self.address, self.topic))
        result.messages, result.distinct = expected.messages, expected.distinct
        result.late, result.bad = expected.late, expected.bad
        versions = judge_store(self.store, expected, result.found)
        judge_letters(read_topic(self.address, f"{self.topic}.dead"), expected, result.found)
        judge_events(read_topic(self.address, self.out), versions, result.found)
        self.store.close()


def page(command: str, result: Result) -> str:
    """The result page."""
    found = result.found
    told = {
        "broker, database": f"{result.broker}, {result.engine}",
        "messages in the topic": f"{result.messages}, of {result.distinct} ids",
        "versions that came too late": result.late,
        "messages that could not be used": result.bad,
        "kills": ", ".join(f"{name} {count}" for name, count in sorted(result.victims.items())),
        "pauses of a consumer beyond its session": result.pauses,
        "took": f"{result.seconds:.0f} s, {result.messages / max(result.seconds, 1):.0f} messages/s with all kills",
        "versions stored": found.effects,
        "effects lost": found.lost,
        "effects doubled": found.doubled,
        "resources whose versions stand in another order": found.disordered,
        "rows of the ledger too many or too few": found.ledger,
        "dead letters too many or too few, by name": found.letters,
        "events published (read committed)": found.events,
        "versions not published, or published without being stored": found.unpublished,
        "events published twice": found.published_twice,
        "events out of the order of their key": found.published_disordered,
    }
    return "\n".join(
        [
            "# Kafka: effects exactly once, order kept",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, `{command}`",
            "",
            "Documents, claims, transactions and batches of 500 patients, some sent late, some sent again, some of",
            "no use. Two consumers, two publishers, the post of a worker and the producer are killed with SIGKILL at",
            "random, consumers also stopped for longer than their session. What must stand is reckoned from the topic",
            "itself; each version's content is compared with it in its order, and the topic of events is read as a",
            "consumer of committed messages reads it.",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in told.items()),
            "",
        ]
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--broker", help="a broker that runs, host:port")
    parser.add_argument("--jars", type=Path, help="folder with the jars of Kafka; without it and --broker, a mock")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=400.0, help="messages sent a second")
    parser.add_argument("--kills", type=int, default=120, help="kills and pauses")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes end with the campaign
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="fhirwright-streaming-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        address, name = stack.enter_context(broker(given.broker, given.jars, folder))
        url = stack.enter_context(database(given.engine, folder))
        migrate(url)
        result = Result(name, given.engine)
        Run(given, address, url, folder).go(result)
        shown = [part if not part.startswith("/") else "FOLDER" for part in sys.argv[1:]]
        given.report.write_text(page(" ".join(["python -m campaigns.streaming", *shown]), result))
        print(page("", result))
    return 0 if result.found.sound else 1


if __name__ == "__main__":
    sys.exit(main())
