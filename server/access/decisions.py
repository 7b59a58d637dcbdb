"""A policy outside the server, asked after our own rules: no answer, or one that is not a clear yes, is no.

https://www.openpolicyagent.org/docs/rest-api#get-a-document-with-input
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import structlog
from prometheus_client import Counter

from fhir_profiles.errors import Category, FhirError

from .caller import Caller

ASKED = Counter("fhirwright_policy_decisions_total", "Decisions of the external policy.", ["outcome"])
LONGEST = 64 * 1024
"""Bytes of an answer; more is none."""

MOST = 10_000
"""Decisions that are kept."""

_log = structlog.get_logger("policy")


class Action(msgspec.Struct, frozen=True):
    """One thing that a request does: a restful interaction, or an operation by name, on a type."""

    interaction: str
    type: str = ""
    operation: str = ""


class Question(msgspec.Struct, frozen=True):
    """What the policy is asked: who, what, about which patients where the request names them, and why."""

    who: str
    client: str
    user: str
    patient: str
    purpose: str
    server: str
    actions: tuple[Action, ...]
    patients: tuple[str, ...]


class Decision(msgspec.Struct, frozen=True):
    """A yes or a no, and by which id the policy's own log has it."""

    allowed: bool
    id: str = ""


def question(caller: Caller, actions: tuple[Action, ...], patients: tuple[str, ...]) -> Question:
    """The question about a caller's request; it has no part of any resource in it."""
    return Question(
        caller.who, caller.client or "", caller.user or "", caller.patient or "", caller.purpose or "",
        caller.trace.server, actions, patients,
    )  # fmt: skip


def read_decision(answer: bytes) -> Decision:
    """`{"result": true}`, or an object with `allow`; anything else is a no, an undefined decision too."""
    try:
        told: Any = msgspec.json.decode(answer)
    except msgspec.DecodeError:
        return Decision(allowed=False)
    if not isinstance(told, Mapping):
        return Decision(allowed=False)
    result = told.get("result")
    allowed = result.get("allow") if isinstance(result, Mapping) else result
    name = told.get("decision_id")
    return Decision(allowed is True, name if isinstance(name, str) and len(name) <= 128 else "")


class Policy:
    """Asks the policy, and remembers for a little while what it said to the same question."""

    def __init__(
        self, url: str, token: str | None, seconds: float, keep: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        self._url, self._keep = url, keep
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        self._http = httpx.AsyncClient(timeout=seconds, headers=headers, transport=transport, trust_env=False)
        self._known: dict[Question, tuple[float, Decision]] = {}

    async def decide(self, asked: Question) -> Decision:
        """The decision; FhirError UNAVAILABLE when none could be had."""
        now = time.monotonic()
        until, known = self._known.get(asked, (0.0, Decision(allowed=False)))
        if now < until:
            return known
        try:
            decision = read_decision(await self._ask(msgspec.json.encode({"input": asked})))
        except httpx.HTTPError as error:
            ASKED.labels("none").inc()
            _log.warning("policy.unavailable", error=type(error).__name__)
            text = "Whether this is allowed could not be found out, and so it is not. Try again later."
            raise FhirError.of(Category.UNAVAILABLE, "transient", text) from None
        ASKED.labels("allowed" if decision.allowed else "denied").inc()
        if self._keep:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[asked] = (now + self._keep, decision)
        return decision

    async def _ask(self, body: bytes) -> bytes:
        async with self._http.stream("POST", self._url, content=body) as answer:
            if answer.status_code != 200:
                raise httpx.HTTPError(str(answer.status_code))
            found = b""
            async for part in answer.aiter_bytes():
                found += part
                if len(found) > LONGEST:
                    raise httpx.HTTPError("too long")
            return found


def denied() -> FhirError:
    """403: the policy said no."""
    return FhirError.of(Category.FORBIDDEN, "forbidden", "The policy of this house does not allow this request.")
