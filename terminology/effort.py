"""How much CPU time one call may take, so that no call, however it is made, keeps others waiting.

Counts bound most calls; this bounds what the counts cannot know, such as many filters over many codes.
"""

from __future__ import annotations

import time
from contextvars import ContextVar, Token
from types import TracebackType

from fhir_profiles.errors import Category, FhirError, Problem

BETWEEN_LOOKS = 256
"""Steps between two looks at the clock; a step is a matter of microseconds."""


class SpentError(FhirError):
    """The time that a call may take is spent: too-costly."""


class within:
    """Let what is done in this thread take so many seconds of CPU; SpentError from `step` when it takes more."""

    __slots__ = ("_token", "left", "seconds", "until")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        self.until = time.thread_time() + self.seconds
        self.left = BETWEEN_LOOKS
        self._token: Token[within | None] = _allowed.set(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _allowed.reset(self._token)


_allowed: ContextVar[within | None] = ContextVar("allowed", default=None)


def step(weight: int = 1) -> None:
    """Count a step of work that may be one of very many; SpentError when the time is spent."""
    allowed = _allowed.get()
    if allowed is None:
        return
    allowed.left -= weight
    if allowed.left > 0:
        return
    allowed.left = BETWEEN_LOOKS
    if time.thread_time() > allowed.until:
        text = f"The call takes more than {allowed.seconds:g} s of computing. Ask for fewer codes, or by simpler rules."
        raise SpentError(Category.INCORRECT, Problem("error", "too-costly", text))
