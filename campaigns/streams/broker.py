"""A broker that outlives what is killed: one that runs, a real one from a folder of jars, or a mock in a process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY_SECONDS = 90.0
_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""
_MOCK = """import time
from confluent_kafka.admin import AdminClient
owner = AdminClient({"test.mock.num.brokers": 1, "bootstrap.servers": "none:1"})
[one] = owner.list_topics(timeout=10).brokers.values()
print(f"{one.host}:{one.port}", flush=True)
while True:
    time.sleep(3600)
"""


@contextmanager
def broker(address: str | None, jars: Path | None, folder: Path) -> Iterator[tuple[str, str]]:
    """The address of a broker, and what it is."""
    if address:
        yield address, "the broker that was given"
        return
    process, found, name = _real(jars, folder) if jars else _mock()
    try:
        yield found, name
    finally:
        process.kill()
        process.wait()


def _mock() -> tuple[subprocess.Popen[str], str, str]:
    process = subprocess.Popen([sys.executable, "-c", _MOCK], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip(), "librdkafka's mock cluster in a process of its own"


def _real(jars: Path, folder: Path) -> tuple[subprocess.Popen[str], str, str]:
    """Kafka in KRaft mode from the jars of `org.apache.kafka:kafka_2.13` with what it needs."""
    port, controller = _free(), _free()
    (properties := folder / "server.properties").write_text(
        _PROPERTIES.format(port=port, controller=controller, folder=folder / "log")
    )
    java = ["java", "-Xmx512m", "-cp", f"{jars}/*"]
    format_ = [*java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(properties)]
    subprocess.run(format_, check=True, capture_output=True)
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen([*java, "kafka.Kafka", str(properties)], stdout=log, stderr=log, text=True)
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            if process.poll() is not None:
                raise RuntimeError("the broker did not start") from None
            time.sleep(0.2)
    [jar] = [name for name in os.listdir(jars) if name.startswith("kafka_2")]  # noqa: PTH208
    return process, f"127.0.0.1:{port}", f"Apache Kafka {jar.removesuffix('.jar').split('-')[-1]}, one broker"


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
