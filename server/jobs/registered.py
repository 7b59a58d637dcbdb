"""All kinds of background jobs; the coding of documents is the worker's own."""

from __future__ import annotations

from server.jobs.kinds import Kind


def background_kinds() -> tuple[Kind, ...]:
    """The kinds, imported when a worker starts."""
    from server.jobs import answering, reindexing
    from server.jobs.claiming import bulk, bulk_chunk, reprocess
    from server.jobs.exporting import run as exporting
    from server.jobs.importing import run as importing
    from server.learning import agree, watch
    from server.learning import run as learning

    kinds = (answering, reindexing, exporting, importing, bulk, bulk_chunk, reprocess, learning, watch, agree)
    return tuple(kind.KIND for kind in kinds)
