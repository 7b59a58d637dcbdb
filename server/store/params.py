"""The dictionary of parameter keys, for whoever reads the index tables by hand."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, delete, insert

from fhir_profiles.definitions import load

from .keys import param_key
from .schema import param


def rows() -> Iterator[dict[str, object]]:
    """Every search parameter of every type; references also have one for the identifier that they may carry."""
    definitions = load()
    for name in definitions.resource_types:
        for code, found in definitions.search_params(name).items():
            codes = (code, f"{code}:identifier") if found.type == "reference" else (code,)
            for one in codes:
                yield {"param": param_key(name, one), "type": name, "code": one, "kind": found.type}


def write_dictionary(connection: Connection) -> None:
    """Fill the table anew. Keys are hashes, so two equal ones would make this fail."""
    connection.execute(delete(param))
    connection.execute(insert(param), list(rows()))
