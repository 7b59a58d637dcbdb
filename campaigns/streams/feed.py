"""A producer that may be killed at any time: it begins again where it last knew what had been taken.

`python -m campaigns.streams.feed BROKER TOPIC COUNT SEED RATE FILE`
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from confluent_kafka import Producer

from campaigns.streams.script import make, order

STEP = 400


def feed(broker: str, topic: str, count: int, seed: int, rate: float, place: Path) -> None:
    """Send what is left of the script, no faster than `rate` messages a second."""
    script = order(count, seed)
    at = int(place.read_text()) if place.exists() else 0
    producer = Producer(
        {"bootstrap.servers": broker, "acks": "all", "enable.idempotence": True, "partitioner": "murmur2_random"}
    )
    print("campaign: up", flush=True)
    began, first = time.monotonic(), at
    while at < len(script):
        for number in script[at : at + STEP]:
            sent = make(number, seed)
            producer.produce(topic, sent.value, sent.key, headers=sent.headers)
        assert producer.flush(60) == 0
        at = min(at + STEP, len(script))
        (beside := place.with_suffix(".new")).write_text(str(at))
        beside.replace(place)
        time.sleep(max(0.0, (at - first) / rate - (time.monotonic() - began)))


if __name__ == "__main__":
    feed(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]), Path(sys.argv[6]))
