"""Who tries too often waits: attempts to show a secret, counted by person and by address, in the database.

https://pages.nist.gov/800-63-4/sp800-63b.html#throttle
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import msgspec

from server.store import Store, Tx

from . import keep
from .secrets import digest


class Counter(msgspec.Struct, frozen=True):
    """What is counted together: so many failures are free, then each doubles the wait, from a second to `longest`."""

    key: str
    free: int
    longest: int
    """Seconds."""


class Attempts:
    """Counts attempts before they are judged, so that many at once do not slip through together.

    Somebody at one address is stopped after few; an address or a name as a whole after many, so that nobody is locked
    out by what others do.
    """

    def __init__(self, store: Store, *, free: int = 5) -> None:
        self._store = store
        self._free = free

    def counters(self, kind: str, name: str, address: str) -> tuple[Counter, ...]:
        """What an attempt counts for: the name at this address, the name, the address."""
        place = network_of(address)
        told = digest(name.casefold())
        return (
            Counter(digest(f"{kind}|{told}|{place}"), self._free, 900),
            Counter(digest(f"{kind}|{told}"), self._free * 20, 60),
            Counter(digest(f"{kind}|{place}"), self._free * 20, 300),
        )

    def begin(self, counters: Iterable[Counter]) -> int:
        """Count an attempt as failed; 0, or the seconds to wait because there were too many: then it is not counted."""
        all_of = tuple(counters)
        return self._store.write_sync(lambda tx: _count(tx, all_of))

    def succeeded(self, counters: Iterable[Counter]) -> None:
        """The attempt was right: forget what was counted by name, and this one of the address."""
        keys = [one.key for one in counters]

        def run(tx: Tx) -> None:
            for key in keys[:2]:
                tx.execute("DELETE FROM auth_attempt WHERE key = ?", (key,))
            for key in keys[2:]:
                tx.execute("UPDATE auth_attempt SET failures = failures - 1 WHERE key = ? AND failures > 0", (key,))

        self._store.write_sync(run)


def _count(tx: Tx, counters: tuple[Counter, ...]) -> int:
    tx.lock(*(f"attempt {one.key}" for one in counters))
    now = keep.now()
    known: dict[str, tuple[int, int]] = {}
    for one in counters:
        rows = tx.query("SELECT failures, until, last FROM auth_attempt WHERE key = ?", (one.key,))
        if rows:
            failures, until, last = rows[0]
            known[one.key] = (0 if now - last > 2 * one.longest * 1000 else failures, until)
    wait = max((until - now for _, until in known.values()), default=0)
    if wait > 0:
        return int(wait // 1000 + 1)
    for one in counters:
        failures = known.get(one.key, (0, 0))[0] + 1
        pause = 0 if failures < one.free else min(2 ** min(failures - one.free, 20), one.longest)
        tx.execute(
            "INSERT INTO auth_attempt (key, failures, until, last) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE"
            " SET failures = excluded.failures, until = excluded.until, last = excluded.last",
            (one.key, failures, now + pause * 1000, now),
        )
    return 0


def network_of(address: str) -> str:
    """An address as it is counted: of IPv6 the network of 64 bits, in which one machine has any number of addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "elsewhere"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
