"""Requests over the wire to two tenants: every road that the interactions alone do not have, each with its judgement.

What one tenant holds is never told at the other; what belongs to one caller is to all others as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from campaigns.reaching.beside import Beside
from campaigns.reaching.ground import LATER, Eyes
from campaigns.reaching.hearing import Hearing
from campaigns.reaching.houses import HOSTS, OWN, Houses
from campaigns.reaching.judging import Finding, is_refused
from campaigns.reaching.seats import SEATS, Seat


class Roads(Beside, Hearing):
    """Makes a request of any kind and judges the answer."""

    def __init__(self, houses: Houses, eyes: Eyes, seed: int) -> None:
        super().__init__(houses, eyes, seed)
        kinds: tuple[tuple[Callable[[int, Seat], Iterator[Finding]], int], ...] = (
            (self.interaction, 34), (self.elsewhere, 6), (self.deferred, 5), (self.status, 9), (self.export, 3),
            (self.file, 7), (self.import_, 3), (self.reimport, 2), (self.subscribe, 3), (self.subscription, 8),
            (self.change, 4), (self.bind, 4), (self.code, 5), (self.claim, 8), (self.answer, 2),
            (self.definitions, 4), (self.trail, 5), (self.introspection, 1), (self.write, 5),
        )  # fmt: skip
        self._makers = [one for one, _ in kinds]
        self._weights = [weight for _, weight in kinds]

    def step(self) -> tuple[str, str, list[Finding]]:
        """One request of any kind: what kind, whose, and what is wrong with its answer."""
        maker = self.dice.choices(self._makers, self._weights)[0]
        tenant, seat = self.dice.randrange(2), self.dice.choice(SEATS)
        self.told = ""
        found = list(maker(tenant, seat))
        return maker.__name__.strip("_"), f"{HOSTS[tenant]} {seat.name}", found

    def interaction(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """What only asks, through the whole server."""
        asker = self.asker
        maker = self.dice.choice(
            [asker.read, asker.vread, asker.history, *[asker.searching] * 4, asker.everything, asker.graphql,
             asker.lastn, asker.document, asker.match, asker.meta]
        )  # fmt: skip
        ask = maker()
        method, url, more = self._sent(ask, tenant)
        answer = self.ask(tenant, seat, method, url, **more)
        if answer.status_code >= 500:
            yield Finding("fault", str(answer.status_code))
        if is_refused(seat.holder, ask) and answer.status_code < 400:
            yield Finding("unrefused", f"{answer.status_code} where 403 is due")
        yield from self.scan(tenant, seat, answer.content)

    def write(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """A write of any kind, conditional ones and Bundles too."""
        asker = self.asker
        ask = self.dice.choice(
            [asker.create, asker.update, asker.delete, asker.patch, asker.batch, asker.transaction]
        )()
        method, url, more = self._sent(ask, tenant)
        answer = self.ask(tenant, seat, method, url, **more)
        if answer.status_code >= 500:
            yield Finding("fault", str(answer.status_code))
        yield from self.scan(tenant, seat, answer.content)
        yield from self.wrote(tenant, seat)

    def elsewhere(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """A token of one tenant at the other, or at the server itself: as one that never was."""
        house = self.houses.tenants[tenant]
        host = self.dice.choice([self.houses.other(house).host, OWN])
        job = self.dice.choice(self.jobs) if self.jobs else None
        urls = [
            "Patient/A",
            "Observation",
            "$export",
            "Patient/A/$everything",
            "_history",
            "Subscription",
            "AuditEvent",
        ]
        urls += [job.url, *job.files] if job else []
        url = self.dice.choice(urls)
        headers = LATER if "export" in url else {}
        self.told = f"GET {url} at {host}"
        answer = self.houses.ask(host, house.tokens[seat.name], "GET", url, headers=headers)
        if answer.status_code != 401:
            yield Finding("leak", f"{answer.status_code}, must be 401")
        nobody = self.houses.ask(host, "a-token-of-nobody-at-all", "GET", url, headers=headers)
        yield from self.hidden(answer, nobody)

    def leave(self) -> None:
        """Take what was made for the run back: subscriptions, and versions that somebody wrote."""
        for at, owner, name in self.subscriptions:
            self.ask(at, self.seats[owner], "DELETE", f"Subscription/{name}")
        for house in self.houses.tenants:
            house.heal()
            self.houses.loop.run_until_complete(house.post())
            house.sent.clear()
