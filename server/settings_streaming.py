"""The settings of Kafka, in and out; a part of `server.settings` (https://kafka.apache.org/documentation/)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

KIB = 1024
MIB = 1024 * KIB
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,200}")


class Streaming(BaseModel):
    """Which topics are read and written, how, and what leaves by them."""

    # Kafka
    stream_brokers: str | None = Field(
        None,
        description="Brokers of Kafka, `host:port,host:port`; without them there is no streaming.",
        pattern=r"^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$",
        max_length=2048,
    )
    stream_client_file: Path | None = Field(
        None,
        description="File of further properties of the client, `name=value` a line, such as `security.protocol` and "
        "what belongs to it; those that carry our promises cannot be set.",
    )
    stream_group: str = Field(
        "fhirwright",
        description="The consumer group; `-out` behind it is the transactional id of what publishes.",
        pattern=r"^[A-Za-z0-9._-]+$",
        max_length=200,
    )
    stream_topics: tuple[str, ...] = Field((), description="Topics that are read by `fhirwright stream in`.")
    stream_types: tuple[str, ...] = Field(
        ("DocumentReference", "Bundle", "Claim"), description="Types of the resources that messages may hold."
    )
    stream_id_headers: tuple[str, ...] = Field(
        ("ce_id", "id"),
        description="Headers that hold the id of a message, the first that is there; without any it is known by topic, "
        "partition and offset.",
    )
    stream_sequence_headers: tuple[str, ...] = Field(
        ("ce_sequence", "sequence"),
        description="Headers that hold a whole number which grows with the versions of what a message is about; it "
        "decides before `meta.lastUpdated` does.",
    )
    stream_batch: int = Field(500, description="Most messages that are taken at a time.", ge=1, le=100_000)
    stream_at_once: int = Field(
        64, description="Keys whose messages are stored at the same time, and share commits.", ge=1, le=1000
    )
    stream_message_bytes: int = Field(
        16 * MIB, description="Largest message in bytes; a larger one goes to quarantine.", ge=KIB, le=1024 * MIB
    )
    stream_most_waiting: int = Field(
        10_000,
        description="Documents that may wait for a worker; with more, partitions rest until half of them are done.",
        ge=1,
        le=100_000_000,
    )
    stream_dead_topic: str | None = Field(
        None,
        description="Topic of what could not be used; when empty, that of the message with `.dead` behind it.",
        pattern=r"^[A-Za-z0-9._-]+$",
        max_length=200,
    )
    stream_dead_content: Literal["reference", "full"] = Field(
        "reference",
        description="What a dead letter holds: where the message stands and the reason, or the message itself too.",
    )
    stream_out_types: tuple[str, ...] = Field(
        (),
        description="Types whose changes are published; `*` is every type. Server, workers and publisher must be given "
        "the same.",
    )
    stream_out_topic: str = Field(
        "fhirwright.events",
        description="Topic of published events.",
        pattern=r"^[A-Za-z0-9._-]+$",
        max_length=200,
    )
    stream_out_mode: Literal["binary", "structured"] = Field(
        "binary", description="How CloudEvents are written: attributes as headers, or all as JSON."
    )
    stream_content: Literal["reference", "full"] = Field(
        "reference",
        description="What a published event holds: type, id and version of what changed, or the resource itself; "
        "`full` sends PHI to whoever reads the topic.",
    )
    stream_source: str = Field(
        "/fhirwright",
        description="`source` of published events: a URI that names this server.",
        pattern=r"^[^\s]+$",
        max_length=2048,
    )
    stream_transactions: bool = Field(
        True,
        description="Publish in transactions of Kafka, with the place in the same one: exactly once for consumers that "
        "read committed messages. Otherwise at least once, and consumers go by the id of an event.",
    )
    stream_keep_days: int = Field(
        30, description="Days that events wait to be published; older ones are dropped.", ge=1, le=3650
    )

    def streaming_wrong(self) -> str | None:
        """What of these settings does not go together, None when all does."""
        for topic in self.stream_topics:
            if not _TOPIC.fullmatch(topic):
                return "stream_topics must be names of topics"
            if topic in (self.stream_dead_topic, self.stream_out_topic):
                return "stream_topics must not hold stream_dead_topic or stream_out_topic"
        return None
