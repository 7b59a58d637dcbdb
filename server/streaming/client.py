"""The clients of Kafka, with the properties that our promises rest on.

https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from fhir_profiles.errors import Category, FhirError
from server.settings import Settings, SettingsError

OURS = frozenset(
    {
        "bootstrap.servers", "group.id", "enable.auto.commit", "enable.auto.offset.store", "isolation.level", "acks",
        "enable.idempotence", "transactional.id", "partitioner", "partition.assignment.strategy",
    }
)  # fmt: skip
"""What a file of properties must not set."""
SESSION_MS = 6000
"""After so long without a sign of life another consumer takes over; the least that brokers allow."""
REACH_SECONDS = 10.0


def kafka() -> ModuleType:
    """The library; FhirError when it is not installed."""
    try:
        import confluent_kafka
    except ImportError:
        text = "Streaming needs the extra `kafka`: pip install 'fhirwright[kafka]'."
        raise FhirError.of(Category.UNAVAILABLE, "not-supported", text) from None
    return confluent_kafka


def client_properties(settings: Settings) -> dict[str, Any]:
    """What every client is given; SettingsError when brokers are missing or the file of properties is wrong."""
    if not settings.stream_brokers:
        raise SettingsError("FHIRWRIGHT_STREAM_BROKERS: streaming needs at least one broker, such as kafka:9092.")
    given: dict[str, Any] = {"topic.metadata.refresh.interval.ms": 30_000}
    if settings.stream_client_file is not None:
        given |= _read(settings)
    return {**given, "bootstrap.servers": settings.stream_brokers}


def _read(settings: Settings) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(settings.stream_client_file.read_text().splitlines(), 1):  # type: ignore[union-attr]
        name, equals, value = (part.strip() for part in line.partition("="))
        if not name or name.startswith("#"):
            continue
        if not equals or name in OURS:
            raise SettingsError(
                f"FHIRWRIGHT_STREAM_CLIENT_FILE: line {number} is not name=value, or names what cannot be set."
            )
        found[name] = value
    return found


def consumer_properties(settings: Settings) -> dict[str, Any]:
    """Of one who reads topics in a group: offsets are committed by hand, and only what is committed is read."""
    size = settings.stream_message_bytes
    return {
        **client_properties(settings),
        "group.id": settings.stream_group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": SESSION_MS,
        "heartbeat.interval.ms": SESSION_MS // 3,
        "fetch.message.max.bytes": size,
        "fetch.max.bytes": max(size, 52_428_800),
        "receive.message.max.bytes": max(size, 52_428_800) + 1_000_000,
        "queued.max.messages.kbytes": 65_536,
        "queued.min.messages": 2 * settings.stream_batch,
    }


def producer_properties(settings: Settings) -> dict[str, Any]:
    """Of one who writes: every replica has it before it counts, retries do not double or reorder it."""
    return {
        **client_properties(settings),
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",  # that of Java's clients
        "linger.ms": 5,
        "message.max.bytes": settings.stream_message_bytes + 65_536,
        "delivery.timeout.ms": 30_000,
    }


def publisher_properties(settings: Settings) -> dict[str, Any]:
    """The same of the one who publishes, by whose id the brokers fence one that was thought dead."""
    properties = producer_properties(settings)
    if settings.stream_transactions:
        properties |= {"transactional.id": out_group(settings), "transaction.timeout.ms": 60_000}
    return properties


def out_group(settings: Settings) -> str:
    """The name that the publisher goes by: its transactional id, and the group in which its place is kept."""
    return f"{settings.stream_group}-out"


def describe_brokers(settings: Settings) -> str:
    """How many brokers answer, and whether the topics that are read are there; FhirError when none answers."""
    from confluent_kafka.admin import AdminClient

    properties: dict[str, Any] = {**client_properties(settings), "logger": quiet()}
    admin = AdminClient(properties)
    try:
        found = admin.list_topics(timeout=REACH_SECONDS)
    except kafka().KafkaException as error:
        raise unreachable(error) from None
    missing = [topic for topic in settings.stream_topics if topic not in found.topics]
    if missing:
        text = f"These topics are not there: {', '.join(missing)}. Create them, or correct FHIRWRIGHT_STREAM_TOPICS."
        raise FhirError.of(Category.UNAVAILABLE, "not-found", text)
    return f"{len(found.brokers)} brokers, {len(settings.stream_topics)} topics are read"


def unreachable(error: Exception) -> FhirError:
    """The error for brokers that do not answer; what the library said may name hosts, not data."""
    name = error.args[0].name() if error.args and hasattr(error.args[0], "name") else type(error).__name__
    text = f"The brokers of Kafka do not answer ({name}). Check FHIRWRIGHT_STREAM_BROKERS and what lies between."
    return FhirError.of(Category.UNAVAILABLE, "transient", text)


def quiet() -> Any:
    """A logger for the library: warnings of ours in place of its lines on stderr."""
    import logging

    return logging.getLogger("fhirwright.kafka")
