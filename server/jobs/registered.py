"""All kinds of background jobs; the coding of documents is the worker's own."""

from __future__ import annotations

from server.jobs.kinds import Kind


def background_kinds() -> tuple[Kind, ...]:
    """The kinds, imported when a worker starts."""
    from server.jobs import answering, reindexing
    from server.jobs.exporting import run as exporting
    from server.jobs.importing import run as importing

    return (answering.KIND, reindexing.KIND, exporting.KIND, importing.KIND)
