"""Breaking the glass: a person whose role may do so reads one more patient's record, for a reason and for a while.

What was broken stands in the authorization that the token rests on: it ends by itself, with the authorization, and is
not carried over to jobs and subscriptions.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from server.auth import keep
from server.auth.model import Authorization, Broken


def live(granted: Authorization) -> tuple[Broken, ...]:
    """What is open now."""
    if not granted.broken:
        return ()
    now = keep.now()
    return tuple(one for one in granted.broken if one.until > now)


def patients(several: Iterable[Broken]) -> tuple[str, ...]:
    """Ids of the patients, each once."""
    return tuple(dict.fromkeys(one.patient for one in several))


def opened(granted: Authorization, one: Broken) -> Authorization:
    """The authorization with one more patient; what has ended stays away."""
    others = tuple(other for other in live(granted) if other.patient != one.patient)
    return msgspec.structs.replace(granted, broken=(*others, one))
