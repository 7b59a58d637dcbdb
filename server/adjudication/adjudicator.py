"""Asks a language model a question, or takes the kept answer; every way in which there is none is a value."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import structlog

from extractors.adjudicate.answer import is_answer
from extractors.adjudicate.ask import cache_key
from extractors.adjudicate.budget import DOLLAR, Cost, Price, believed, cost_of, most_usage
from extractors.adjudicate.dialect import Dialect
from extractors.adjudicate.model import Client, Heard, Question, Reply, Silence, Unanswered
from server.adjudication.ledger import Ledger
from server.observability import describe
from server.telemetry import spans

log = structlog.get_logger("fhirwright.adjudication")
_SLOWEST = 8.0  # seconds between attempts, unless the endpoint asks for more


class Kept(Protocol):
    """Answers by key."""

    def get(self, key: str) -> bytes | None:
        """What is kept under a key."""

    def put(self, key: str, data: bytes) -> None:
        """Keep an answer."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a question may cost, and how an endpoint that does not answer is treated."""

    model: str
    form: str = "auto"
    answer_tokens: int = 4000
    seconds: float = 60.0
    attempt_seconds: float = 30.0
    attempts: int = 3
    failures: int = 5
    rest_seconds: float = 60.0
    price: Price = field(default_factory=Price)
    document: Cost = field(default_factory=lambda: Cost(30_000, DOLLAR // 10))
    day: Cost = field(default_factory=lambda: Cost(5_000_000, 10 * DOLLAR))


class _Failed(Exception):
    """One request without an answer, and what it cost."""

    def __init__(self, unanswered: Unanswered, cost: Cost) -> None:
        super().__init__()
        self.unanswered, self.cost = unanswered, cost


class Adjudicator:
    """Shared by the threads of a process. `client` makes the client when it is first needed; without it, replay."""

    def __init__(
        self,
        terms: Terms,
        kept: Kept,
        ledger: Ledger,
        client: Callable[[], Client] | None,
        *,
        at_once: int = 4,
        sleep: Callable[[float], None] = time.sleep,
        drawn: Callable[[], float] = random.random,
    ) -> None:
        self.terms, self.ledger = terms, ledger
        self._kept, self._client = kept, client
        self._room = threading.BoundedSemaphore(at_once)
        self._dialect = Dialect(form="tool" if terms.form == "tool" else "schema")
        self._sleep, self._drawn = sleep, drawn

    def ask(self, question: Question) -> Heard:
        """The answer, kept or new; silence says why there is none. Never raises."""
        key = cache_key(question, self.terms.model, self.terms.answer_tokens)
        kept = self._kept.get(key)
        if kept is not None:
            return self._heard("replayed", text=kept.decode())
        if self._client is None:
            return self._heard("no-replay", silence="no-replay")
        deadline = time.monotonic() + self.terms.seconds
        if not self._room.acquire(timeout=self.terms.seconds):
            return self._heard("busy", silence="busy")
        try:
            if not self.ledger.enter(self.terms.seconds):
                return self._heard("breaker", silence="breaker")
            text = self._answer(self._client(), question, deadline)
        except Unanswered as unanswered:
            if unanswered.why != "budget":
                self._ended(well=False)
            return self._heard(unanswered.why, silence=unanswered.why)
        except Exception as error:
            log.error("adjudication.fault", **describe(error))
            self._ended(well=False)
            return self._heard("endpoint", silence="endpoint")
        finally:
            self._room.release()
        sound = is_answer(text)
        self._ended(well=sound)
        if sound:
            self._kept.put(key, text.encode())
        return self._heard("answered" if sound else "malformed", text=text)

    def gate(self) -> Heard:
        """The answer when no question may leave."""
        return self._heard("gate", silence="gate")

    def tell(self, outcomes: Mapping[str, int]) -> None:
        """Count what became of the codes that were asked about."""
        self.ledger.tell(outcomes)

    def _heard(self, outcome: str, *, text: str | None = None, silence: Silence | None = None) -> Heard:
        self.ledger.tell_question(outcome)
        return Heard(self.terms.model, text, silence)

    def _ended(self, *, well: bool) -> None:
        self.ledger.ended(well=well, most=self.terms.failures, seconds=self.terms.rest_seconds)

    def _answer(self, client: Client, question: Question, deadline: float) -> str:
        """The answer's text; raises Unanswered when attempts, time or money are at their end."""
        dialect, attempt, spent = self._dialect, 0, Cost()
        while True:
            try:
                reply = self._once(client, question, dialect, spent, deadline)
            except _Failed as failed:
                spent, unanswered = spent + failed.cost, failed.unanswered
                parameter, fixed = unanswered.parameter, self.terms.form != "auto"
                other = None if parameter is None else dialect.without(parameter, fixed=fixed)
                if other is not None:
                    dialect = other
                    continue
                attempt += 1
                wait = self._wait(attempt, unanswered.after)
                if not unanswered.retry or attempt >= self.terms.attempts or time.monotonic() + wait >= deadline:
                    raise unanswered from None
                self._sleep(wait)
                continue
            self._dialect = dialect
            return reply.text

    def _once(self, client: Client, question: Question, dialect: Dialect, spent: Cost, deadline: float) -> Reply:
        """One request, paid for before it leaves."""
        terms = self.terms
        most = most_usage(question, terms.answer_tokens, schema=len(msgspec.json.encode(question.schema)))
        reserved = cost_of(most, terms.price)
        day = self.ledger.reserve(reserved, terms.day) if (spent + reserved).within(terms.document) else None
        if day is None:
            raise Unanswered("budget")
        try:
            seconds = max(0.01, min(terms.attempt_seconds, deadline - time.monotonic()))
            reply = _complete(client, dialect.body(question, terms.model, terms.answer_tokens), seconds, terms.model)
        except Unanswered as unanswered:
            cost = reserved if unanswered.billed else Cost()
            self.ledger.settle(day, reserved, cost)
            raise _Failed(unanswered, cost) from None
        self.ledger.settle(day, reserved, cost_of(believed(reply.usage, most), terms.price))
        return reply

    def _wait(self, attempt: int, after: float | None) -> float:
        """Seconds to the next attempt: what was asked for and a little, else drawn below a doubling bound."""
        if after is not None:
            return after + self._drawn()
        return self._drawn() * min(_SLOWEST, 0.5 * (1 << attempt))


def _complete(client: Client, body: Mapping[str, object], seconds: float, model: str) -> Reply:
    """One request in a span that tells of its size, not of what it says."""
    with spans.span("model.call", kind="client", attributes={"gen_ai.request.model": model}) as span:
        try:
            reply = client.complete(body, seconds)
        except Unanswered as unanswered:
            span.set(fhirwright__outcome=unanswered.why)
            raise
        span.set(fhirwright__outcome="answered")
        if reply.usage is not None:
            used = {"gen_ai.usage.input_tokens": reply.usage.sent, "gen_ai.usage.output_tokens": reply.usage.answered}
            span.set(**used)
        return reply
