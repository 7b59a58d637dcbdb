"""What the metrics and the hook promise about asynchronous work."""

from __future__ import annotations

from typing import Any

from server.store import Tx, Version, Written
from server.subscriptions.outbox import Outbox
from tests.support.work import calls


async def test_metrics_tell_of_what_waits(house: Any) -> None:
    """Requests by kind and state, the depth of the outbox, failures and exported lines are there."""
    await house.client.get("$export?_type=Patient", headers={"prefer": "respond-async"})
    text = (await house.client.get("http://test/metrics")).text
    assert 'fhirwright_later{request="export accepted"} 1.0' in text
    for name in ("outbox", "subscriptions", "delivery_failures", "events_waiting", "export_lines"):
        assert f"# TYPE fhirwright_{name} gauge" in text


async def test_without_subscriptions_a_write_pays_next_to_nothing(house: Any) -> None:
    """The hook calls a handful of functions for each version, and asks the database nothing."""
    hook = Outbox(house.parts.fhir)
    written = Written(Version(1, "Observation", "a", 1, 1, "C", None, b""), {}, "anonymous")

    def again(tx: Tx) -> int:
        hook(tx, written)
        return calls(lambda: hook(tx, written))

    assert await house.store.write(again) < 10
