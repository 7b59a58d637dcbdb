"""Which types a store holds: a search over many types asks for those only."""

from __future__ import annotations

from .view import View

_TYPES = (
    "WITH RECURSIVE known(type) AS (SELECT min(type) FROM resource UNION ALL"
    " SELECT (SELECT min(r.type) FROM resource r WHERE r.type > known.type) FROM known WHERE known.type IS NOT NULL)"
    " SELECT type FROM known WHERE type IS NOT NULL"
)


def stored_types(view: View) -> list[str]:
    """The types of which anything was ever stored: a jump along an index for each."""
    return [name for (name,) in view.query(_TYPES)]
