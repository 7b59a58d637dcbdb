"""Models on disk and in bytes: the two files that `Trained.files` makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from extractors.coding.learned import Model
from extractors.coding.learned.model import MODEL, PHRASES, read_phrases

NAMES = (MODEL, PHRASES)


def open_model(folder: Path) -> Model:
    """The model of a directory. Raises `OSError`, `ValueError` and `KeyError` for what is none."""
    return model_of(files_of(folder))


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a directory by their names."""
    return {name: (folder / name).read_bytes() for name in NAMES}


def model_of(kept: Mapping[str, bytes]) -> Model:
    """The model of two files. Raises `ValueError` and `KeyError` for what is none."""
    return Model(read_phrases(kept[PHRASES].decode()), json.loads(kept[MODEL]))


def package_files() -> dict[str, bytes]:
    """The files of the model that the package brings."""
    folder = files("extractors.coding") / "data"
    return {name: (folder / name).read_bytes() for name in NAMES}
