"""What people see of streams: commands, `doctor`, metrics, and a consumer that is asked to end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import confluent_kafka as kafka
import pytest

from server.cli.checks import run_checks
from server.cli.doors import maker_of
from server.cli.main import run
from server.doors.arrivals import Arrival, retry
from server.doors.rows import raw_of, rows
from server.operations.house import House
from server.settings import Settings, SettingsError
from server.streaming.client import client_properties
from server.streaming.consume import Consumer
from tests.support.clock import until

Make = Callable[..., dict[str, Any]]
NOBODY = "127.0.0.1:9"


def test_who_is_asked_to_end_ends_with_all_committed(bench: Any, document: Make) -> None:
    """A member of the group gets its partitions, stores what is there, commits it, and leaves."""
    for number in range(5):
        bench.send(document(), ce_id=str(number))
    consumer, stop = Consumer(bench.fhir, bench.settings), threading.Event()
    thread = threading.Thread(target=consumer.run, args=(stop,))
    thread.start()
    until(lambda: sum(bench.fates().values()) >= 6)
    stop.set()
    thread.join(60)
    asked = kafka.Consumer({"bootstrap.servers": bench.cluster, "group.id": bench.settings.stream_group})
    [place] = asked.committed([kafka.TopicPartition(bench.topic, 0)], timeout=10)
    asked.close()
    assert place.offset == 6
    told = House(bench.fhir).metrics()["fhirwright_stream_messages"]
    assert told[2] == {("quarantined",): 1, ("stored",): 5}


def test_what_was_put_away_can_be_tried_again(bench: Any, document: Make) -> None:
    """With another setting the bytes in quarantine are of use: the sequence that came with them counts."""
    bench.send({"resourceType": "Patient", "id": "p"}, ce_id="1", ce_sequence="5")
    bench.take(2)
    [row] = [row for row in rows(bench.store, "quarantined") if row.reason == "type"]
    bench.fhir.settings = bench.settings.model_copy(update={"stream_types": ("Patient",)})
    arrival = Arrival(row.door, row.key, raw_of(bench.store, row.id))
    assert retry(bench.fhir, arrival, maker_of(bench.fhir, row.door, row.key)).written == ("Patient/p",)
    assert bench.store.query("SELECT * FROM stream_position") == [("Patient/p", 3, 5)]


def test_status_tells_how_far_all_is(bench: Any, document: Make, capsys: pytest.CaptureFixture[str],
                                     monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Waiting messages by partition, fates, and what is to be published."""
    bench.send(document())
    bench.take(2)
    bench.send(document())
    for name, value in {"BROKERS": bench.cluster, "GROUP": bench.topic, "TOPICS": f'["{bench.topic}"]'}.items():
        monkeypatch.setenv(f"FHIRWRIGHT_STREAM_{name}", value)
    monkeypatch.setattr("server.observability.configure_logging", lambda _: None)
    assert run(["stream", "status", "--json", "--database", bench.settings.database_url, "--data",
                str(bench.settings.data)]) == 0  # fmt: skip
    told = {(one["what"], one["of"]): one["number"] for one in json.loads(capsys.readouterr().out)["standing"]}
    assert told["waiting", f"{bench.topic}/0"] == 1
    assert told["messages", "stored"] == 1


def test_doctor_tells_when_nobody_answers(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brokers that cannot be reached, and topics that are not there, are said with what to do."""
    monkeypatch.setattr("server.streaming.client.REACH_SECONDS", 0.5)

    def told(**given: Any) -> tuple[bool, str]:
        [check] = [one for one in run_checks(bench.settings.model_copy(update=given)) if one.name == "streams"]
        return check.ok, check.text

    assert told(stream_brokers=None) == (True, "off")
    assert told()[0]
    well, text = told(stream_brokers=NOBODY)
    assert not well
    assert "FHIRWRIGHT_STREAM_BROKERS" in text


def test_promises_cannot_be_set_away(tmp_path: Path) -> None:
    """Properties of the client come from a file, but not those that our promises rest on."""
    file = tmp_path / "client.properties"
    file.write_text("# how we sign in\nsecurity.protocol = SASL_SSL\n")
    settings = Settings(stream_brokers="kafka:9092", stream_client_file=file)
    assert client_properties(settings)["security.protocol"] == "SASL_SSL"
    file.write_text("enable.auto.commit=true\n")
    with pytest.raises(SettingsError, match="line 1"):
        client_properties(settings)


@pytest.mark.parametrize("command", ["in", "out", "status"])
def test_without_brokers_nothing_starts(command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """The setting that is missing is named."""
    monkeypatch.setattr("server.observability.configure_logging", lambda _: None)
    assert run(["stream", command, "--data", str(tmp_path)]) == 3
    assert "FHIRWRIGHT_STREAM_BROKERS" in capsys.readouterr().err
