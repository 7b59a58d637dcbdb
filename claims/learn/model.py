"""The file of a model: JSON of numbers and names, hashed; one from elsewhere can be opened without harm."""

from __future__ import annotations

import hashlib
from functools import cached_property
from itertools import pairwise
from math import isfinite
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from claims.learn.charges import Charges
from claims.learn.features import NAMES
from claims.learn.rates import Rates
from claims.learn.trees import Forest
from fhir_profiles.errors import Category, FhirError

FORMAT = 1
MOST_BYTES = 128 * 2**20


class Provenance(msgspec.Struct, frozen=True):
    """Where a model comes from: how many claims of which days, which rules and tables, how it did on later claims."""

    made: str
    claims: int
    lines: int
    first: str
    last: str
    trained: int
    denied: int
    tested: int
    edits: str
    tables: dict[str, str]
    report: dict[str, dict[str, list[float]]]


class Denial(msgspec.Struct, frozen=True, dict=True):
    """How likely a claim is to be denied: trees over features, and the curve that makes a probability of their sum."""

    rates: Rates
    forest: Forest
    points: list[float]
    shares: list[float]

    def probability(self, margin: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of claims with such a sum that were denied."""
        return np.interp(margin, self.points, self.shares)


class Model(msgspec.Struct, frozen=True, dict=True):
    """What is learned; without `denial`, `why` says why it is not."""

    format: int
    features: list[str]
    rules: list[str]
    charges: Charges
    denial: Denial | None
    why: str
    provenance: Provenance

    @cached_property
    def body(self) -> bytes:
        """The model as JSON."""
        return msgspec.json.encode(self, order="deterministic")

    @cached_property
    def digest(self) -> str:
        """The hash of the model, by which answers name it."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def name(self) -> str:
        """A short name."""
        return self.digest[:16]


class _File(msgspec.Struct, frozen=True):
    sha256: str
    model: msgspec.Raw


def write_model(model: Model, path: Path) -> None:
    """Write the file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(msgspec.json.encode(_File(model.digest, msgspec.Raw(model.body))))
    part.replace(path)


def read_model(path: Path) -> Model:
    """Open a model; FhirError when it is no model, is damaged, or was made for other features."""
    if path.stat().st_size > MOST_BYTES:
        raise _refused(f"A model has at most {MOST_BYTES >> 20} MiB")
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
        if hashlib.sha256(file.model).hexdigest() != file.sha256:
            raise _refused("The model does not have the hash that it names: it was damaged or changed")
        model = msgspec.json.decode(file.model, type=Model)
    except (msgspec.MsgspecError, RecursionError):
        raise _refused("The file is no model of fhirwright") from None
    if model.format != FORMAT or tuple(model.features) != NAMES:
        raise _refused("The model was made by another version: train it again")
    if model.denial is not None:
        _check(model.denial)
    norms = (*model.charges.norms.values(), *model.charges.providers.values())
    if any(not abs(one.median) < 50 or not 0 <= one.spread < 50 for one in norms):
        raise _refused("The charges of the model are damaged")
    return model


def _check(denial: Denial) -> None:
    denial.forest.check(len(NAMES))
    rates = [denial.rates.usual, *denial.shares, *(rate for of in denial.rates.of.values() for rate in of.values())]
    points = denial.points
    rising = all(a < b for a, b in pairwise(points)) and all(a <= b for a, b in pairwise(denial.shares))
    if not points or len(points) != len(denial.shares) or not rising or not all(map(isfinite, points)):
        raise _refused("The curve of the model is damaged")
    if not all(0 <= rate <= 1 for rate in rates):
        raise _refused("The rates of the model are damaged")


def _refused(text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "invalid", text)
