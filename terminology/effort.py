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
    """Let what is done in this thread take so many seconds of CPU; SpentError from `step` when it takes more.

    `waiting` counts the time that passes instead: what is answered at once must not even wait.
    """

    __slots__ = ("_token", "left", "over", "seconds", "until", "waiting")

    def __init__(self, seconds: float, *, waiting: bool = False) -> None:
        self.seconds = seconds
        self.waiting = waiting

    def __enter__(self) -> None:
        self.over = time.monotonic() + self.seconds
        self.until = 0.0 if self.waiting else time.thread_time() + self.seconds
        self.left = BETWEEN_LOOKS
        self._token: Token[within | None] = _allowed.set(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _allowed.reset(self._token)

    def spent(self) -> bool:
        """Whether the time is over. The clock of CPU time costs a system call, and is never ahead of the other."""
        return time.monotonic() > self.over and (self.waiting or time.thread_time() > self.until)


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
    if allowed.spent():
        text = f"The call takes more than {allowed.seconds:g} s of computing. Ask for fewer codes, or by simpler rules."
        raise SpentError(Category.INCORRECT, Problem("error", "too-costly", text))
