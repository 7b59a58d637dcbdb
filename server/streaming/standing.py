"""How streams stand: what waits in each partition by the brokers' word, and what was counted here."""

from __future__ import annotations

from server.settings import Settings
from server.store import Store
from server.streaming.client import REACH_SECONDS, consumer_properties, kafka, quiet, unreachable
from server.streaming.counts import counted, published

Row = tuple[str, str, int]


def standing(store: Store, settings: Settings) -> list[Row]:
    """Rows of what, of which, and a number; FhirError when the brokers do not answer."""
    done, waiting = published(store)
    return [
        *(("waiting", place, number) for place, number in sorted(_lags(settings).items())),
        *(("messages", fate, number) for fate, number in counted(store, "messages").items()),
        ("published", settings.stream_out_topic, done),
        ("to publish", settings.stream_out_topic, waiting),
    ]


def _lags(settings: Settings) -> dict[str, int]:
    """Messages behind the committed offset, by topic and partition."""
    library = kafka()
    client = library.Consumer({**consumer_properties(settings), "logger": quiet()})
    found = {}
    try:
        for topic in settings.stream_topics:
            told = client.list_topics(topic, timeout=REACH_SECONDS).topics[topic]
            asked = [library.TopicPartition(topic, number) for number in told.partitions]
            for one in client.committed(asked, timeout=REACH_SECONDS) if asked else ():
                low, high = client.get_watermark_offsets(one, timeout=REACH_SECONDS)
                found[f"{topic}/{one.partition}"] = high - max(one.offset, low)
    except library.KafkaException as error:
        raise unreachable(error) from None
    finally:
        client.close()
    return found
