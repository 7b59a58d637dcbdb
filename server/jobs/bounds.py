"""What one document may cost, from the settings; apart from the workflow, for the command line needs no store."""

from __future__ import annotations

from extractors.pages.limits import Limits
from server.jobs.children import Bounds
from server.settings import Settings


def bounds_of(settings: Settings) -> Bounds:
    """What one document may cost, from the settings."""
    return Bounds(
        str(settings.data),
        settings.document_seconds,
        settings.document_bytes,
        settings.document_memory_bytes,
        settings.cache_bytes,
        settings.findings_engine,
        limits_of(settings),
        settings.second_reader,
    )


def limits_of(settings: Settings) -> Limits:
    """What reading one document may cost: every field of `Limits` is a setting."""
    return Limits(
        size=settings.document_bytes,
        pages=settings.document_pages,
        pixels=settings.page_pixels,
        characters=settings.document_characters,
        page_words=settings.page_words,
        depth=settings.document_depth,
        memory=settings.reader_memory_bytes,
        open_seconds=settings.document_open_seconds,
        look_seconds=settings.page_look_seconds,
        page_seconds=settings.page_seconds,
        page_wall_seconds=settings.page_wall_seconds,
        second_pieces=settings.second_pieces,
        second_seconds=settings.second_seconds,
        document_wall_seconds=settings.document_seconds,
    )
