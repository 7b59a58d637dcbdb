"""The adjudicator that the settings ask for; off, nothing of the client is even imported."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

from extractors.adjudicate.budget import DOLLAR, Cost, Price
from extractors.adjudicate.model import Bounds, Client
from server.adjudication.adjudicator import Adjudicator, Terms
from server.adjudication.ledger import Ledger
from server.adjudication.secret import derived, open_secret
from server.jobs.cache import ContentCache
from server.phi.keys import keys_of
from server.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Court:
    """Who is asked, about what, and the key of the stand-ins."""

    adjudicator: Adjudicator
    bounds: Bounds
    key: bytes


def open_court(settings: Settings) -> Court | None:
    """None when the adjudication is off; SettingsError when its key file or secret cannot be read."""
    if settings.adjudication == "off":
        return None
    directory = settings.data / "adjudication"
    secret = open_secret(directory, keys_of(settings))
    seal = derived(secret, "answers") if settings.encryption != "off" else b""
    kept = ContentCache(directory / "answers", settings.adjudication_cache_bytes, seal)
    key = _key(settings)

    @cache
    def client() -> Client:
        from server.adjudication.endpoint import Endpoint

        return Endpoint(settings.adjudication_url or "", key)

    adjudicator = Adjudicator(
        terms_of(settings),
        kept,
        ledger_of(settings),
        client if settings.adjudication == "on" else None,
        at_once=settings.adjudication_at_once,
    )
    return Court(adjudicator, bounds_of(settings), derived(secret, "stand-ins"))


def ledger_of(settings: Settings) -> Ledger:
    """The ledger of the data directory."""
    return Ledger(settings.data / "adjudication", time.time)


def bounds_of(settings: Settings) -> Bounds:
    """What is asked."""
    return Bounds(
        settings.adjudication_low,
        settings.adjudication_high,
        settings.adjudication_codes,
        settings.adjudication_characters,
    )


def terms_of(settings: Settings) -> Terms:
    """What a question may cost."""
    return Terms(
        settings.adjudication_model or "",
        settings.adjudication_form,
        settings.adjudication_answer_tokens,
        settings.adjudication_seconds,
        settings.adjudication_attempt_seconds,
        settings.adjudication_attempts,
        settings.adjudication_failures,
        settings.adjudication_rest_seconds,
        Price.of(settings.adjudication_price_sent, settings.adjudication_price_answered),
        _cost(settings.adjudication_document_tokens, settings.adjudication_document_dollars),
        _cost(settings.adjudication_day_tokens, settings.adjudication_day_dollars),
    )


def _cost(tokens: int, dollars: float) -> Cost:
    return Cost(tokens, round(dollars * DOLLAR))


def _key(settings: Settings) -> str | None:
    """The key of the endpoint."""
    if settings.adjudication != "on" or settings.adjudication_key_file is None:
        return None
    try:
        key = settings.adjudication_key_file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError("The file that FHIRWRIGHT_ADJUDICATION_KEY_FILE names cannot be read.") from None
    if not key or not key.isprintable() or len(key) > 4096:
        raise SettingsError("The file that FHIRWRIGHT_ADJUDICATION_KEY_FILE names must hold one line with the key.")
    return key
