"""What `fhirwright doctor` asks of the database and what hangs on it: clock, replica, audit."""

from __future__ import annotations

import time

from server.cli.findings import Wrong, opened
from server.settings import Settings

MOST_SKEW, MOST_LAG, LATE = 2.0, 30.0, 10


def clock(settings: Settings) -> str:
    """Whether our clock and the database's tell the same."""
    with opened(settings) as store:
        if store.dialect != "postgresql":
            return "the database is on this machine"
        began = time.time()
        [(theirs,)] = store.query("SELECT extract(epoch FROM clock_timestamp())::float8")
        skew = abs(float(theirs) - (began + time.time()) / 2)
    if skew > MOST_SKEW:
        raise Wrong(
            f"This clock and the database's are {skew:.1f} s apart.",
            "Times in resources and in the audit are wrong, and tokens end too early or too late.",
            "Synchronise both machines: `timedatectl set-ntp true`.",
        )
    return f"{skew:.3f} s from the database's"


def replica(settings: Settings) -> str:
    """Whether the replica answers and follows."""
    if settings.replica_url is None:
        return "none is set"
    import psycopg

    from server.store.replica import follows

    try:
        recovering, lag = follows(settings.replica_url)
    except psycopg.Error as error:
        raise Wrong(
            f"The replica does not answer ({type(error).__name__}).",
            "The primary answers every search, which it may not have room for.",
            "Start the replica, or correct FHIRWRIGHT_REPLICA.",
        ) from None
    if not recovering:
        raise Wrong(
            "What FHIRWRIGHT_REPLICA names is no replica.",
            "It does not follow the primary, so it is never asked.",
            "Set it to a standby of this database: `SELECT pg_is_in_recovery()` must be true there.",
        )
    if lag is not None and lag > MOST_LAG:
        raise Wrong(
            f"The replica is {lag:.0f} s behind.",
            "Searches go to the primary until it has caught up.",
            "Look at `SELECT * FROM pg_stat_replication` on the primary, and at the replica's disk and network.",
        )
    return f"follows, {lag or 0:.1f} s behind"


def checkpoints(settings: Settings) -> str:
    """Whether the audit chain is signed in time."""
    with opened(settings) as store:
        [(known,)] = store.query("SELECT coalesce(max(seq), 0) FROM audit_checkpoint")
        rows = store.query("SELECT at FROM audit_event WHERE seq > ? ORDER BY seq LIMIT 1", (known,))
    waited = max(0.0, time.time() - float(rows[0][0]) / 1e6) if rows else 0.0
    if waited > LATE * max(60.0, settings.audit_checkpoint_seconds):
        raise Wrong(
            f"Events of the audit have waited {waited / 60:.0f} min for a signed checkpoint.",
            "Until they are signed, whoever can write to the database could change them unseen.",
            "Start the server on this data directory, then run `fhirwright audit verify`.",
        )
    return "signed" if not rows else f"the next is {waited:.0f} s old"
