"""Events that share a row of the chain are found one by one, as if each had its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from server.audit.chain import event_at, events_of, rows_of
from server.audit.event import Event, Head, encode, keys_of, line_of
from server.audit.finding import Asked, found, spans
from server.store import Store, open_store
from server.store.ledger import BLOCK, SPAN

EVENTS = BLOCK + 400
CODES = ("read", "read", "read", "search-type", "create", "login")


@pytest.fixture(scope="module")
def kept() -> list[Event]:
    """Events of more than a block; between some lie hours."""
    dice, at, made = random.Random(5), 0, []
    for _ in range(EVENTS):
        at += dice.choice([1, 1000, 1_000_000]) if dice.random() < 0.99 else 3 * SPAN
        patients = tuple(f"p{dice.randrange(40)}" for _ in range(dice.choice([0, 1, 1, 3])))
        status = dice.choice([200, 200, 200, 404, 403])
        made.append(Event(at, dice.choice(CODES), status, patients=patients, who=f"w{dice.randrange(3)}"))
    return made


@pytest.fixture
def store(database_url: str, kept: list[Event]) -> Iterator[Store]:
    """They are appended some at a time."""
    store, dice, at = open_store(database_url, create=False), random.Random(6), 0
    while at < EVENTS:
        some = [line_of(event) for event in kept[at : at + dice.choice([1, 2, 50, 300])]]
        store.write_sync(lambda tx, some=some: tx.audit(*some))  # type: ignore[misc]
        at += len(some)
    yield store
    store.close()


def test_rows_hold_all_events_in_their_order(store: Store, kept: list[Event]) -> None:
    """No row is in two blocks or spans more time than it may; each event is found by its number."""
    assert [data for _, data in events_of(store)] == [encode(event) for event in kept]
    assert [seq for seq, _ in events_of(store)] == [*range(1, EVENTS + 1)]
    for row in rows_of(store):
        times = [kept[seq - 1].at for seq in range(row.seq - row.events + 1, row.seq + 1)]
        assert row.seq // BLOCK == (row.seq - row.events + 1) // BLOCK
        assert row.at == min(times) and max(times) - min(times) <= SPAN
    for seq in (1, 2, 77, BLOCK - 1, BLOCK, BLOCK + 1, EVENTS):
        assert event_at(store, seq) == encode(kept[seq - 1])
    assert event_at(store, EVENTS + 1) is None and event_at(store, 0) is None


def _asked(dice: random.Random, kept: list[Event]) -> tuple[Asked, Callable[[int, Event], bool]]:
    """Something to ask for, and the same told of one event."""
    groups = [(f"Patient/p{dice.randrange(45)}",), ("by w1",), ("did login", "did create"), ("ended 4",), ("ended 8",)]
    keys = tuple(dice.sample(groups, dice.choice([0, 1, 1, 2])))
    low = kept[dice.randrange(EVENTS)].at if dice.random() < 0.5 else 0

    def fits(_: int, head: Head) -> bool:
        return head.at >= low

    def holds(seq: int, event: Event) -> bool:
        return fits(seq, event) and all(set(keys_of(event)) & {*group} for group in keys)  # type: ignore[arg-type]

    return Asked(keys=keys, where=" AND at >= ?", params=(low - SPAN,), fits=fits), holds


def test_what_is_found_is_what_a_look_at_each_event_finds(store: Store, kept: list[Event]) -> None:
    """From any event on, upwards and downwards, by keys and by time."""
    dice = random.Random(7)
    for _ in range(60):
        asked, holds = _asked(dice, kept)
        rising, begin = dice.random() < 0.5, dice.randrange(1, EVENTS + 1)
        told = [
            seq
            for span in spans(store, asked.keys, begin, rising=rising)
            for seq, _ in found(store, asked, span, rising=rising)
        ]
        wanted = [seq for seq, event in enumerate(kept, 1) if holds(seq, event)]
        expected = [seq for seq in wanted if (seq >= begin if rising else seq <= begin)]
        assert told == (expected if rising else expected[::-1]), (asked.keys, begin, rising)
