"""What travels between the coder and the language model: offers, the question, the reply, why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Protocol

import msgspec

from extractors.model import Span

Silence = Literal["budget", "breaker", "busy", "endpoint", "timeout", "gate", "no-replay", "too-long"]
"""Why nothing was heard. `busy`: too many questions at once; `no-replay`: not among the kept answers."""

BECAUSE: Mapping[str, str] = MappingProxyType(
    {
        "stated": "the text states it",
        "denied": "the text denies it",
        "past": "it is over",
        "other-person": "it is about somebody else",
        "uncertain": "the text only considers it",
        "other-meaning": "the words mean something else",
        "less-exact": "another code says it more exactly",
    }
)
"""Why a code is kept (the first) or dropped, in words for a person."""

UNDECIDED: Mapping[str, str] = MappingProxyType(
    {
        "budget": "the budget is spent",
        "breaker": "it has failed too often and rests",
        "busy": "too many questions are under way",
        "endpoint": "it could not be reached or gave an error",
        "timeout": "it took too long",
        "gate": "the text might have named somebody",
        "no-replay": "no answer is kept for it",
        "too-long": "its answer was too long",
        "malformed": "its answer was not of the form that was asked for",
        "undecided": "it said nothing about it",
        "twice": "it answered twice",
        "contradiction": "its verdict and its reason disagree",
        "quote-length": "its quotation is too short or too long",
        "quote-not-found": "its quotation is not in the text",
        "quote-elsewhere": "its quotation is not about these words",
    }
)
"""Why a language model decided nothing about a code, in words for a person."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is asked at all: suggested codes with `low` ≤ confidence < `high`, the `most` surest of them.

    `characters` of the note are sent at most, `prompt` is the version of the words around it.
    """

    low: float = 0.15
    high: float = 0.9
    most: int = 40
    characters: int = 12_000
    prompt: str = "adjudicate-1"


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggested code that the model may keep or drop; `spans` are the words that made it a candidate."""

    system: str
    code: str
    display: str
    spans: tuple[Span, ...]


class Question(msgspec.Struct, frozen=True):
    """What leaves the house: nothing else of the document does. `schema` is the JSON schema of the answer."""

    prompt: str
    system: str
    user: str
    schema: dict[str, Any]


class Heard(msgspec.Struct, frozen=True):
    """The model's answer as text that nobody has believed yet, or why there is none."""

    model: str
    text: str | None = None
    silence: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the endpoint reports them."""

    sent: int
    answered: int


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of an endpoint; `usage` is None where it reports none."""

    text: str
    usage: Usage | None


class Unanswered(Exception):
    """An endpoint gave no answer. `retry`: the same again may help; `after`: seconds that it asked to wait.

    `billed`: it may have worked on the question. `parameter`: the part of the request that it does not take.
    """

    def __init__(
        self,
        why: Silence,
        *,
        retry: bool = False,
        after: float | None = None,
        billed: bool = False,
        parameter: str | None = None,
    ) -> None:
        super().__init__(why)
        self.why, self.retry, self.after, self.billed, self.parameter = why, retry, after, billed, parameter


class Client(Protocol):
    """Who carries a question to a model."""

    def complete(self, body: Mapping[str, Any], seconds: float) -> Reply:
        """The answer to a body of chat completions within `seconds`; raises Unanswered."""
