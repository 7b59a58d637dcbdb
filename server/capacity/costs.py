"""Unit costs: what a document and a request cost at each part, as `python -m benchmarks.scale` measured it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from fhir_profiles.errors import Category, FhirError

_Cost = Annotated[float, msgspec.Meta(ge=0)]
_Some = Annotated[float, msgspec.Meta(gt=0)]
MEASURED = Path(__file__).with_name("costs.toml")


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """CPU in seconds, sizes in bytes; of a document of `pages` pages on average, of which `scanned` are images."""

    measured: str  # date and machine, for people
    pages: _Some
    scanned: Annotated[float, msgspec.Meta(ge=0, le=1)]
    scanned_page: _Some  # CPU of a worker for a page that is read from its image
    text_page: _Some  # the same for a page with a text layer, or of a note
    service: _Some  # CPU of a worker for a document, its process that reads included
    variation: _Cost  # squared coefficient of variation of the time of documents of one page count mix
    inflation: _Cost  # by what share a document costs more CPU while all cores of its machine are busy
    api: _Cost  # CPU of the API for taking a document in
    database: _Cost  # CPU of the database for a document
    stored: _Cost  # growth of the database by a document, indexes included
    log: _Cost  # write-ahead log of a document
    read_api: _Cost  # CPU of the API for a read or a small search
    read_database: _Cost  # CPU of the database for it
    worker_memory: _Some  # resident bytes of a worker process and the one that reads for it
    api_memory: _Some  # resident bytes of an API process


def read_costs(path: Path = MEASURED) -> Costs:
    """The costs of a TOML file; `FhirError` INCORRECT that says which field is wrong."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Costs)
    except OSError:
        raise FhirError.of(
            Category.INCORRECT,
            "not-found",
            "The file of unit costs cannot be read: look at --costs, "
            "or make one with `python -m benchmarks.scale --write costs.toml`.",
        ) from None
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise FhirError.of(
            Category.INCORRECT,
            "structure",
            f"The file of unit costs is not as `python -m benchmarks.scale --write` makes it: {error}.",
        ) from None
