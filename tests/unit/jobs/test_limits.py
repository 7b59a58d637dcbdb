"""Every bound on reading is a setting, and one mapping brings it to the worker, `$code` and the command line."""

from dataclasses import asdict, fields

import msgspec
import pytest

from extractors.pages import Limits
from server.jobs.bounds import bounds_of, limits_of
from server.jobs.children import Bounds
from server.settings import Settings

NAMES = {
    "size": "document_bytes",
    "pages": "document_pages",
    "pixels": "page_pixels",
    "characters": "document_characters",
    "page_words": "page_words",
    "depth": "document_depth",
    "memory": "reader_memory_bytes",
    "open_seconds": "document_open_seconds",
    "look_seconds": "page_look_seconds",
    "page_seconds": "page_seconds",
    "page_wall_seconds": "page_wall_seconds",
    "document_wall_seconds": "document_seconds",
    "second_pieces": "second_pieces",
    "second_seconds": "second_seconds",
}


def test_every_limit_has_a_setting() -> None:
    """A new field of `Limits` cannot be forgotten."""
    assert {field.name for field in fields(Limits)} == set(NAMES)


@pytest.mark.parametrize("limit", NAMES)
def test_a_setting_moves_its_limit_and_no_other(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable FHIRWRIGHT_… of each limit reaches exactly that limit."""
    before = asdict(limits_of(Settings()))
    value = before[limit] + 1
    monkeypatch.setenv(f"FHIRWRIGHT_{NAMES[limit].upper()}", str(value))
    assert asdict(limits_of(Settings())) == {**before, limit: value}


@pytest.mark.parametrize("name", NAMES.values())
def test_a_limit_is_bounded_both_ways_and_described(name: str) -> None:
    """Each setting says what it does, the least and the most it may be."""
    field = Settings.model_fields[name]
    assert field.description
    assert {type(bound).__name__ for bound in field.metadata} >= {"Ge", "Le"}


def test_the_defaults_are_those_of_the_reader() -> None:
    """Server and library refuse the same documents, but for the time of the whole."""
    ours, theirs = asdict(limits_of(Settings())), asdict(Limits())
    del ours["document_wall_seconds"], theirs["document_wall_seconds"]
    assert ours == theirs


def test_limits_travel_to_the_process_that_reads() -> None:
    """What a child is told on its command line is what was set."""
    bounds = bounds_of(Settings(document_pages=7, page_look_seconds=0.5))
    assert msgspec.json.decode(msgspec.json.encode(bounds), type=Bounds) == bounds
