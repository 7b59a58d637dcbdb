"""How long patients' data are kept: of whom nothing was written for that long, and who is not on hold, may go."""

from __future__ import annotations

from server.store import Store

MOST = 10_000
"""Patients of one run."""

_DUE = (
    "SELECT r.patient, max(r.updated) FROM resource r WHERE r.patient IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.patient = r.patient)"
    " GROUP BY r.patient HAVING max(r.updated) < ? AND sum(CASE WHEN r.change = 'D' THEN 0 ELSE 1 END) > 0"
    " ORDER BY 2, 1 LIMIT ?"
)


def due(store: Store, before: int) -> list[tuple[str, int]]:
    """Ids of patients of whom the last was written before a moment (microseconds since 1970), and that last moment."""
    return [(str(patient), int(at)) for patient, at in store.query(_DUE, (before, MOST))]
