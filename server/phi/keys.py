"""The keys that data keys are wrapped with: versions from a file, an environment variable or a command.

https://doi.org/10.6028/NIST.SP.800-57pt1r5

Each line, or part between commas, is `VERSION:BASE64` of 32 bytes; the highest version wraps what is new.
"""

from __future__ import annotations

import base64
import binascii
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from server.settings import Settings, SettingsError

from .envelope import KEY_BYTES

COMMAND_SECONDS = 30
MOST = 1000
_AGAIN_SECONDS = 1.0


class KeysError(SettingsError):
    """The keys or the database do not fit the settings of encryption; the message says what to do."""


class Keys:
    """Versioned keys; a version that is not known is looked for at the source again, as it may be new."""

    def __init__(self, read: Callable[[], Mapping[int, bytes]]) -> None:
        self._read = read
        self._known = dict(read())
        self._lock = threading.Lock()
        self._at = -_AGAIN_SECONDS

    @property
    def newest(self) -> int:
        """The version that wraps what is new."""
        return max(self._known)

    @property
    def versions(self) -> list[int]:
        """The versions there are."""
        return sorted(self._known)

    def of(self, version: int) -> bytes:
        """A key; KeysError when the source does not have it."""
        if version not in self._known:
            with self._lock:
                if version not in self._known and time.monotonic() - self._at > _AGAIN_SECONDS:
                    self._known = dict(self._read())
                    self._at = time.monotonic()
        if version not in self._known:
            raise KeysError(f"The source of keys lacks version {version}, which data is wrapped with. Put it back.")
        return self._known[version]


def keys_of(settings: Settings) -> Keys | None:
    """The keys that the settings name; None when encryption is off. KeysError says what is wrong with them."""
    if settings.encryption == "off":
        return None
    where = settings.encryption_keys or ""
    source = {"file": _of_file, "environment": _of_environment, "command": _of_command}[settings.encryption]
    return Keys(lambda: parse(source(where)))


def parse(text: str) -> dict[int, bytes]:
    """The keys in a text; KeysError without repeating any of it."""
    found: dict[int, bytes] = {}
    for line in text.replace(",", "\n").splitlines():
        if not (part := line.strip()) or part.startswith("#"):
            continue
        version, _, written = part.partition(":")
        try:
            key = base64.b64decode(written.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not version.isdecimal() or len(version) > 9 or len(key) != KEY_BYTES or int(version) in found:
            raise KeysError("Each key is written VERSION:BASE64 of 32 bytes, and each version stands once.")
        found[int(version)] = key
    if not 0 < len(found) <= MOST:
        raise KeysError(f"The source of keys has none, or more than {MOST}.")
    return found


def _of_file(where: str) -> str:
    path = Path(where)
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        raise KeysError("The file of keys that encryption_keys names cannot be read.") from None
    if mode & 0o077:
        raise KeysError("The file of keys can be read by others: chmod 600 it.")
    return text


def _of_environment(where: str) -> str:
    if not (text := os.environ.get(where, "")):
        raise KeysError("The environment variable that encryption_keys names is empty.")
    return text


def _of_command(where: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command
            shlex.split(where), capture_output=True, timeout=COMMAND_SECONDS, check=True
        )
        return done.stdout.decode("ascii")
    except (OSError, subprocess.SubprocessError, ValueError):
        raise KeysError("The command that encryption_keys names did not print keys.") from None
