"""The sets of codes that expressions name in capital letters, kept beside in `sets.toml`."""

from __future__ import annotations

import tomllib
from importlib.resources import files

SETS: dict[str, tuple[str, ...]] = {
    name: tuple(codes) for name, codes in tomllib.loads((files("claims.expr") / "sets.toml").read_text("utf-8")).items()
}
"""Name → codes."""
