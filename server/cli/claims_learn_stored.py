"""The claims that the server has, and what payers decided about them, to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from claims.learn.decisions import Decision, read_decision
from claims.learn.train import Read, Source, read_claims
from server.access.caller import SYSTEM
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs.exporting.pages import Pages
from server.operations.near import Near
from server.phi.keys import keys_of
from server.settings import Settings
from server.store import open_store

if TYPE_CHECKING:
    from claims.answer.scrub import Scrub


def stored(settings: Settings, scrub: Scrub) -> tuple[Read, list[Decision]]:
    """Every Claim, with what it refers to, and every decision; our own answers are none."""
    store = open_store(settings.database_url, keys=keys_of(settings))
    try:
        fhir, request = Fhir(store, settings), Request(method="GET", base_url=settings.base_url or "", caller=SYSTEM)
        pages = Pages(fhir, request)
        claims = (Source(body, Near(fhir, request)) for body in _all(pages, "Claim"))
        decisions = [one for body in _all(pages, "ClaimResponse") if (one := read_decision(body)) is not None]
        return read_claims(claims, scrub), decisions
    finally:
        store.close()


def _all(pages: Pages, name: str) -> Iterator[bytes]:
    cursor, begun = None, False
    while not begun or cursor:
        page = pages.search(name, (("use", "claim"),), cursor)
        yield from page.resources
        cursor, begun = page.cursor, True
