"""The same for the server and its tenants, one after the other: what fails for one is told and keeps no other back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import typer

from fhir_profiles.errors import FhirError
from server.cli.exits import Exit
from server.cli.terminal import note

if TYPE_CHECKING:
    from server.continuity.houses import House

T = TypeVar("T")


def each(wanted: Sequence[House], do: Callable[[House], T]) -> list[T]:
    """What it gave for each; where one of several failed, that is said, and the command ends with FAILED after all."""
    if len(wanted) == 1:
        return [do(wanted[0])]
    made, failed = [], False
    for house in wanted:
        try:
            made.append(do(house))
        except FhirError as error:
            failed = True
            note(f"{house.name or 'the server'}: {error.problems[0].text}")
        else:
            note(f"{house.name or 'the server'}: done")
    if failed:
        raise typer.Exit(Exit.FAILED)
    return made
