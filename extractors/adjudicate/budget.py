"""What a question may cost: tokens and money, for a document and for a day, reckoned in whole numbers.

Money is counted in thousand-millionths of a dollar, so that no sum is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from extractors.adjudicate.model import Question, Usage

_OVERHEAD = 64  # tokens for the roles and marks around messages
DOLLAR = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Nanodollars for a token that is sent and one that is answered."""

    sent: int = 0
    answered: int = 0

    @classmethod
    def of(cls, sent: float, answered: float) -> Price:
        """From dollars for a million tokens."""
        per_token = (int((Decimal(str(p)) * 1000).to_integral_value(ROUND_CEILING)) for p in (sent, answered))
        return cls(*per_token)


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens, and nanodollars."""

    tokens: int = 0
    nanodollars: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.tokens + other.tokens, self.nanodollars + other.nanodollars)

    def within(self, most: Cost) -> bool:
        """Whether both are at most what is allowed."""
        return self.tokens <= most.tokens and self.nanodollars <= most.nanodollars


def cost_of(usage: Usage, price: Price) -> Cost:
    """The cost of a call."""
    money = usage.sent * price.sent + usage.answered * price.answered
    return Cost(usage.sent + usage.answered, money)


def most_usage(question: Question, answer: int, *, schema: int) -> Usage:
    """What is set aside for a call, on the high side: a token for each two bytes, where prose has four or more.

    `answer` is the longest answer in tokens, `schema` the bytes of the schema.
    """
    size = len(question.system.encode()) + len(question.user.encode()) + schema
    return Usage(size // 2 + _OVERHEAD, answer)


def believed(reported: Usage | None, most: Usage) -> Usage:
    """What is charged: what the endpoint reports, but no less than an eighth of the most and no negative number.

    An endpoint that reports nothing, or less than can be, does not make its questions free.
    """
    if reported is None:
        return most
    return Usage(max(reported.sent, most.sent // 8), max(reported.answered, 1))
